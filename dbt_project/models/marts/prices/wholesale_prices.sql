{%- set datasets = ['neso__n2ex_day_ahead', 'elexon__market_index', 'elexon__system_prices'] -%}
{{ config(
    materialized='keyed_table',
    unique_key=['market', 'period_start'],
    meta={'consumes': datasets},
    indexes=[{'columns': ['period_start']}],
    post_hook=withdraw_synthetic_prices(),
) }}
with prices as (
    {%- for dataset in datasets %}
    select
        market, period_start, price_gbp_mwh, volume_mwh, '{{ dataset.split('__')[0] }}'::text as source, payload_id,
        is_synthetic, fetched_at,
        {{ issued('calculated_at') if dataset == 'elexon__system_prices' else 'null::timestamptz' }} as issued_at
    from {{ published_rows(dataset) }} as {{ dataset }}
    where period_start is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select distinct on (market, period_start)
    market,
    period_start,
    period_start + interval '30 minutes' as period_end,
    {{ settlement_date('period_start') }} as settlement_date,
    {{ settlement_period('period_start') }} as settlement_period,
    price_gbp_mwh,
    volume_mwh,
    source,
    payload_id,
    is_synthetic,
    fetched_at,
    now() as updated_at,
    issued_at
from prices
order by
    market, period_start, is_synthetic, issued_at desc nulls last, fetched_at desc, payload_id desc,
    price_gbp_mwh desc nulls last, volume_mwh desc nulls last
