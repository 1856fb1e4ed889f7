{%- set datasets = [
    'carbon_intensity__national', 'carbon_intensity__generation', 'neso__demand_history', 'neso__demand_update',
    'elexon__demand_outturn', 'neso__n2ex_day_ahead', 'elexon__market_index', 'elexon__system_prices',
] -%}
{%- set measured = "not is_synthetic and fetched_at >= period_start + interval '30 minutes'" -%}
{{ config(
    materialized='keyed_table',
    unique_key=['dataset', 'source', 'period_start'],
    meta={'replaces': true, 'consumes': datasets},
    indexes=[{'columns': ['settlement_date']}],
) }}
-- The span of what an upstream gave for one half-hour. Only new payloads are read: the span so far is in the table itself, so that the cost
-- does not grow with history, and the order in which they arrive does not matter.
with given as (
    select
        'carbon_intensity_national'::text as dataset, 'carbon_intensity'::text as source, period_start,
        array[actual_gco2_kwh]::numeric[] as amounts
    from {{ published_rows('carbon_intensity__national', without_archive=true) }} as national
    where {{ measured }}
    union all
    select
        'generation_mix_national', 'carbon_intensity', period_start,
        array[{% for fuel in fuels() %}{{ fuel }}_pct{{ ', ' if not loop.last }}{% endfor %}]
    from {{ published_rows('carbon_intensity__generation') }} as mix
    where {{ measured }}
    {%- for dataset in ['neso__demand_history', 'neso__demand_update', 'elexon__demand_outturn'] %}
    union all
    select
        'demand_actual_national', '{{ dataset.split('__')[0] }}', period_start,
        array[national_demand_mw, transmission_system_demand_mw, embedded_wind_mw, embedded_solar_mw]
    from {{ published_rows(dataset) }} as {{ dataset }}
    where {{ measured }} and not is_forecast and national_demand_mw is not null
    {%- endfor %}
    {%- for dataset in ['neso__demand_history', 'neso__demand_update'] %}
    union all
    select
        'demand_regional/nation', 'neso', period_start,
        array[england_wales_demand_mw, national_demand_mw - england_wales_demand_mw]
    from {{ published_rows(dataset) }} as {{ dataset }}_by_nation
    where {{ measured }} and not is_forecast
    {%- endfor %}
    {%- for dataset in ['elexon__market_index', 'elexon__system_prices'] %}
    union all
    select 'wholesale_prices/' || market, 'elexon', period_start, array[price_gbp_mwh]
    from {{ published_rows(dataset) }} as {{ dataset }}
    where {{ measured }}
    {%- endfor %}
    union all
    -- the price of an auction is final before its half-hour begins
    select 'wholesale_prices/' || market, 'neso', period_start, array[price_gbp_mwh]
    from {{ published_rows('neso__n2ex_day_ahead') }} as auction
    where not is_synthetic and period_start is not null
),

spans as (
    select dataset, source, period_start, amounts from given
    {%- if execute and not is_rebuild() %}
    union all
    select renewed.dataset, renewed.source, renewed.period_start, span.amounts
    from (select distinct dataset, source, period_start from given) as renewed
    cross join lateral (
        -- `limit`: so it is a probe of the key for each half-hour, and never a read of the whole table
        select known.lowest, known.highest
        from {{ this }} as known
        where known.dataset = renewed.dataset and known.source = renewed.source and known.period_start = renewed.period_start
        limit 1
    ) as so_far
    cross join lateral (values (so_far.lowest), (so_far.highest)) as span (amounts)
    {%- endif %}
),

bounds as (
    select spans.dataset, spans.source, spans.period_start, each.position, min(each.amount) as lowest, max(each.amount) as highest
    from spans
    cross join lateral unnest(spans.amounts) with ordinality as each (amount, position)
    group by spans.dataset, spans.source, spans.period_start, each.position
)

select
    dataset,
    source,
    period_start,
    {{ settlement_date('period_start') }} as settlement_date,
    array_agg(lowest order by position) as lowest,
    array_agg(highest order by position) as highest,
    max(highest - lowest) as largest_change,
    now() as updated_at
from bounds
group by dataset, source, period_start
having count(lowest) > 0
