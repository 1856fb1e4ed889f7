select
    capture.region_id,
    capture.first_period_start + (vintage.position - 1) * interval '30 minutes' as period_start,
    capture.known_at,
    vintage.forecast_gco2_kwh,
    capture.payload_id,
    capture.is_synthetic,
    capture.fetched_at,
    capture.updated_at
from {{ ref('int_carbon_intensity__captures') }} as capture
cross join lateral unnest(capture.forecasts_gco2_kwh) with ordinality as vintage (forecast_gco2_kwh, position)
where vintage.forecast_gco2_kwh is not null
