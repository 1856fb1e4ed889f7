{%- set markets = {
    'n2ex_day_ahead': 'neso__n2ex_day_ahead',
    'apx_market_index': 'elexon__market_index',
    'system_price': 'elexon__system_prices',
} -%}
{{ config(
    materialized='keyed_table',
    unique_key=['market', 'period_start'],
    publishes=markets.values() | list,
    indexes=[{'columns': ['period_start']}],
    post_hook=withdraw_synthetic_prices(),
) }}
with prices as (
    {%- for market, dataset in markets.items() %}
    select
        '{{ market }}'::text as market, period_start, price_gbp_mwh, volume_mwh,
        '{{ dataset.split('__')[0] }}'::text as source, payload_id, is_synthetic, fetched_at
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
    now() as updated_at
from prices
order by
    market, period_start, is_synthetic, fetched_at desc, payload_id desc, price_gbp_mwh desc nulls last,
    volume_mwh desc nulls last
