{%- set datasets = demand_forecasts().keys() | list + ['neso__demand_update'] -%}
{{ config(
    materialized='keyed_table',
    unique_key=['period_start', 'source', 'forecast_type'],
    meta={'consumes': datasets},
) }}
-- The newest of each kind of forecast. Forecasts of embedded generation come with Demand Data Update, without a demand.
with forecasts as (
    {%- for dataset, forecast_type in demand_forecasts().items() %}
    select
        period_start, '{{ dataset.split('__')[0] }}'::text as source, '{{ forecast_type }}'::text as forecast_type, issued_at,
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
    period_start, source, forecast_type, is_synthetic, issued_at desc, fetched_at desc, payload_id desc,
    national_demand_mw desc
