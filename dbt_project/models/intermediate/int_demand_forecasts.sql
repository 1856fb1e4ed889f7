{%- set forecasts = [
    ('neso__demand_forecast_2_14d', 'neso', '2_to_14_days_ahead'),
    ('neso__demand_forecast_day_ahead', 'neso', 'day_ahead'),
    ('neso__demand_forecast_cardinal', 'neso', 'day_ahead_interpolated'),
    ('elexon__demand_forecast', 'elexon', 'day_ahead'),
] -%}
{%- set datasets = forecasts | map('first') | list + ['neso__demand_update'] -%}
{{ config(
    materialized='keyed_table',
    unique_key=['period_start', 'source', 'forecast_type'],
    publishes=datasets,
) }}
-- The newest of each kind of forecast. Forecasts of embedded generation come with Demand Data Update, without a demand.
with forecasts as (
    {%- for dataset, source, forecast_type in forecasts %}
    select
        period_start, '{{ source }}'::text as source, '{{ forecast_type }}'::text as forecast_type, issued_at,
        national_demand_mw, transmission_system_demand_mw, null::integer as embedded_wind_mw,
        null::integer as embedded_solar_mw, payload_id, is_synthetic, fetched_at
    from {{ published_rows(dataset) }} as {{ dataset }}
    where national_demand_mw is not null
    union all
    {%- endfor %}
    select
        period_start, 'neso' as source, 'embedded' as forecast_type, fetched_at as issued_at,
        null as national_demand_mw, null as transmission_system_demand_mw, embedded_wind_mw, embedded_solar_mw,
        payload_id, is_synthetic, fetched_at
    from {{ published_rows('neso__demand_update') }} as recent
    where is_forecast and coalesce(embedded_wind_mw, embedded_solar_mw) is not null
)

select distinct on (period_start, source, forecast_type)
    period_start,
    source,
    forecast_type,
    issued_at,
    national_demand_mw,
    transmission_system_demand_mw,
    embedded_wind_mw,
    embedded_solar_mw,
    payload_id,
    is_synthetic,
    fetched_at,
    now() as updated_at
from forecasts
order by
    period_start, source, forecast_type, is_synthetic, fetched_at desc, payload_id desc, issued_at desc,
    national_demand_mw desc
