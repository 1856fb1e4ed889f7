select
    capture.first_period_start + (vintage.position - 1) * interval '30 minutes' as period_start,
    capture.known_at,
    vintage.national_demand_mw,
    capture.forecast_type,
    capture.source,
    capture.payload_id,
    capture.is_synthetic,
    capture.fetched_at,
    capture.updated_at
from {{ ref('int_demand_forecasts__captures') }} as capture
cross join lateral unnest(capture.national_demand_mw) with ordinality as vintage (national_demand_mw, position)
where vintage.national_demand_mw is not null
