select
    region_id,
    known_at,
    first_period_start,
    forecasts_gco2_kwh,
    are_isolated,
    payload_id,
    is_synthetic,
    fetched_at,
    updated_at,
    is_archive
from {{ ref('int_carbon_intensity__captures') }}
