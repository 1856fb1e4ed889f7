select
    known_on,
    region_id,
    lead_from_hours,
    known_at,
    days,
    errors,
    centre_gco2_kwh,
    slope,
    error_p10_gco2_kwh,
    error_p50_gco2_kwh,
    error_p90_gco2_kwh,
    updated_at
from {{ ref('int_carbon_intensity__bands') }}
