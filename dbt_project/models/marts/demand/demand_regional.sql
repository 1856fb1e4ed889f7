{{ config(
    materialized='keyed_table',
    unique_key=['area_type', 'area_code', 'period_start', 'is_forecast'],
    meta={'consumes': ['neso__demand_history', 'neso__demand_update', 'elexon__demand_forecast_zonal']},
    indexes=[{'columns': ['period_start']}],
) }}
-- What is really published. Scotland is the difference of two published figures of one basis, Great Britain less England
-- and Wales; nothing is split by shares.
with nations as (
    select *
    from {{ published_rows('neso__demand_history') }} as history
    union all
    select *
    from {{ published_rows('neso__demand_update') }} as recent
),

areas as (
    select
        'nation'::text as area_type, area.code as area_code, period_start, false as is_forecast, area.demand_mw,
        'neso'::text as source, payload_id, is_synthetic, fetched_at, null::timestamptz as issued_at
    from nations
    cross join lateral (
        values
        ('england_wales', england_wales_demand_mw),
        ('scotland', national_demand_mw - england_wales_demand_mw)
    ) as area (code, demand_mw)
    where area.demand_mw is not null and not nations.is_forecast
    union all
    select
        area_type, area_code, period_start, is_forecast, demand_mw,
        'elexon' as source, payload_id, is_synthetic, fetched_at, issued_at
    from {{ published_rows('elexon__demand_forecast_zonal') }} as zonal
    where demand_mw is not null
)

select distinct on (area_type, area_code, period_start, is_forecast)
    area_type,
    area_code,
    period_start,
    period_start + interval '30 minutes' as period_end,
    is_forecast,
    demand_mw,
    source,
    payload_id,
    is_synthetic,
    fetched_at,
    now() as updated_at,
    issued_at
from areas
order by
    area_type, area_code, period_start, is_forecast, is_synthetic, issued_at desc nulls last, fetched_at desc, payload_id desc,
    demand_mw desc
