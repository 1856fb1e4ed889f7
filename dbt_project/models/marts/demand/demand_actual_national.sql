{%- set datasets = ['neso__demand_history', 'neso__demand_update', 'elexon__demand_outturn'] -%}
{%- set precedence = ['neso', 'elexon'] -%}
{{ config(
    materialized='keyed_table',
    unique_key='period_start',
    meta={'consumes': datasets, 'precedence': precedence},
) }}
-- NESO's files win over Elexon's initial outturn: they are the settled figures, and know the embedded generation.
with measured as (
    {%- for dataset in datasets %}
    select
        period_start,
        national_demand_mw,
        transmission_system_demand_mw,
        embedded_wind_mw,
        embedded_solar_mw,
        '{{ dataset.split('__')[0] }}' as source,
        payload_id,
        is_synthetic,
        fetched_at,
        issued_at
    from {{ published_rows(dataset) }} as {{ dataset }}
    where national_demand_mw is not null and not is_forecast
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select distinct on (period_start)
    period_start,
    period_start + interval '30 minutes' as period_end,
    {{ settlement_date('period_start') }} as settlement_date,
    {{ settlement_period('period_start') }} as settlement_period,
    national_demand_mw,
    transmission_system_demand_mw,
    embedded_wind_mw,
    embedded_solar_mw,
    source,
    payload_id,
    is_synthetic,
    fetched_at,
    now() as updated_at,
    issued_at
from measured
order by
    period_start, is_synthetic, {{ source_rank('source', precedence) }}, issued_at desc nulls last, fetched_at desc, payload_id desc,
    national_demand_mw desc
