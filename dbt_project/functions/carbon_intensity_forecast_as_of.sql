{%- set bands = ref('carbon_intensity_bands').include(database=false) -%}
{%- set published = function('carbon_intensity_as_of').include(database=false) -%}
{%- set known_at = 'carbon_intensity_forecast_as_of.known_at' -%}
with band as (
    select *
    from {{ bands }}
    where known_on = (
        select max(newest.known_on)
        from {{ bands }} as newest
        where newest.known_at <= {{ known_at }} and newest.known_at > {{ known_at }} - interval '3 days'
    )
)

select
    forecast.region_id,
    forecast.period_start,
    forecast.forecast_gco2_kwh as published_gco2_kwh,
    {%- for quantile, of_error in [('p10', 'p90'), ('p50', 'p50'), ('p90', 'p10')] %}
    {{ less_error('forecast.forecast_gco2_kwh', 'band', of_error) }} as {{ quantile }}_gco2_kwh,
    {%- endfor %}
    forecast.forecast_known_at,
    forecast.is_synthetic,
    band.days as band_days,
    band.known_at as band_known_at
from {{ published }}({{ known_at }}, carbon_intensity_forecast_as_of.region_id) as forecast
left join band
    on not forecast.is_synthetic and forecast.region_id = band.region_id
    and band.lead_from_hours = {{ lead_class('forecast.period_start', 'forecast.forecast_known_at') }}
