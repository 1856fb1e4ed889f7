{%- set datasets = ['neso__eac_results', 'neso__dfs_utilisation'] -%}
{{ config(
    materialized='keyed_table',
    unique_key=['service', 'product', 'unit', 'delivery_start'],
    meta={'consumes': datasets},
    indexes=[{'columns': ['delivery_start']}],
) }}
with results as (
    {%- for dataset in datasets %}
    select
        service, product, unit, delivery_start, period_end as delivery_end, direction, status, price_gbp_mwh, price_gbp_mw_h,
        volume_mw, payload_id, is_synthetic, fetched_at
    from {{ published_rows(dataset) }} as {{ dataset }}
    where delivery_start is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select distinct on (service, product, unit, delivery_start)
    service,
    product,
    unit,
    delivery_start,
    delivery_end,
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
order by
    service, product, unit, delivery_start, is_synthetic, fetched_at desc, payload_id desc, status, volume_mw desc nulls last,
    coalesce(price_gbp_mwh, price_gbp_mw_h) desc nulls last
