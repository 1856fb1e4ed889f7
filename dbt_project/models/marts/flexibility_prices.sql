{{ config(
    materialized='keyed_table',
    unique_key=['service', 'product', 'unit', 'delivery_start'],
    publishes=['neso__eac_results', 'neso__dfs_utilisation'],
    indexes=[{'columns': ['delivery_start']}],
) }}
with results as (
    select
        'eac'::text as service, product, 'GB'::text as unit, period_start, period_end, direction, 'cleared'::text as status,
        null::numeric as price_gbp_mwh, price_gbp_mw_h, volume_mw, payload_id, is_synthetic, fetched_at
    from {{ published_rows('neso__eac_results') }} as auctions
    union all
    select
        'dfs', 'utilisation', unit, period_start, period_end, direction, status, price_gbp_mwh, null, volume_mw, payload_id,
        is_synthetic, fetched_at
    from {{ published_rows('neso__dfs_utilisation') }} as bids
)

select distinct on (service, product, unit, period_start)
    service,
    product,
    unit,
    period_start as delivery_start,
    period_end as delivery_end,
    direction,
    status,
    price_gbp_mwh,
    price_gbp_mw_h,
    volume_mw,
    payload_id,
    is_synthetic,
    fetched_at,
    now() as updated_at
from results
where period_start is not null
order by
    service, product, unit, period_start, is_synthetic, fetched_at desc, payload_id desc, status, volume_mw desc nulls last,
    coalesce(price_gbp_mwh, price_gbp_mw_h) desc nulls last
