{%- set datasets = demand_forecasts().keys() | list + ['neso__demand_update'] -%}
{{ config(
    materialized='keyed_table',
    unique_key='period_start',
    meta={'replaces': true, 'consumes': datasets},
) }}
-- The newest half-hourly forecast known; one that is interpolated between cardinal points only where there is no other.
-- A real row takes no synthetic figure of embedded generation.
with affected as (
    {%- for dataset in datasets %}
    select period_start from {{ published_rows(dataset) }} as {{ dataset }}
    where period_start is not null
    {{ 'union' if not loop.last }}
    {%- endfor %}
),

newest as (
    select distinct on (forecast.period_start) forecast.*
    from {{ ref('int_demand_forecasts') }} as forecast
    inner join affected on forecast.period_start = affected.period_start
    where forecast.national_demand_mw is not null
    order by
        forecast.period_start, forecast.is_synthetic, forecast.forecast_type = 'day_ahead_interpolated',
        forecast.issued_at desc, forecast.source
)

select
    newest.period_start,
    newest.period_start + interval '30 minutes' as period_end,
    {{ settlement_date('newest.period_start') }} as settlement_date,
    {{ settlement_period('newest.period_start') }} as settlement_period,
    newest.national_demand_mw,
    newest.transmission_system_demand_mw,
    embedded.embedded_wind_mw,
    embedded.embedded_solar_mw,
    newest.forecast_type,
    newest.issued_at,
    newest.source,
    newest.payload_id,
    newest.is_synthetic,
    newest.fetched_at,
    now() as updated_at
from newest
left join {{ ref('int_demand_forecasts') }} as embedded
    on newest.period_start = embedded.period_start
    and embedded.forecast_type = 'embedded'
    and (newest.is_synthetic or not embedded.is_synthetic)
