select
    capture.region_id,
    capture.first_period_start + (vintage.position - 1) * interval '30 minutes' as period_start,
    capture.known_at,
    vintage.forecast_gco2_kwh,
    capture.payload_id,
    capture.is_synthetic,
    capture.fetched_at,
    capture.updated_at,
    vintage.is_isolated,
    coalesce(capture.is_archive, false) as is_archive
from {{ ref('int_carbon_intensity__captures') }} as capture
cross join lateral
    unnest(capture.forecasts_gco2_kwh, capture.are_isolated)
    with ordinality as vintage (forecast_gco2_kwh, is_isolated, position)
where vintage.forecast_gco2_kwh is not null
