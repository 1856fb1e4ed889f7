-- Both kinds of captures in one shape.
select
    'carbon_intensity'::text as series,
    region_id,
    'half_hourly'::text as forecast_type,
    payload_id,
    known_at,
    first_period_start,
    forecasts_gco2_kwh::integer[] as forecasts,
    is_synthetic
from {{ ref('int_carbon_intensity__captures') }}
union all
select
    'national_demand', 18::smallint, forecast_type, payload_id, known_at, first_period_start, national_demand_mw, is_synthetic
from {{ ref('int_demand_forecasts__captures') }}
