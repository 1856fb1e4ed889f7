-- Low-frequency response and positive reserve feed the grid (up); high-frequency response and negative reserve relieve it.
with unpacked as (
    select
        {{ provenance() }},
        record ->> 'auctionProduct' as product,
        {{ ckan_instant('deliveryStart') }} as period_start,
        {{ ckan_instant('deliveryEnd') }} as period_end,
        {{ ckan_number('clearedVolume') }} as volume,
        {{ ckan_number('clearingPrice') }} as price
    from {{ records('neso__eac_results', at='result,records') }}
)

select
    {{ provenance('unpacked') }},
    period_start,
    period_end,
    'eac'::text as service,
    product,
    'GB'::text as unit,
    period_start as delivery_start,
    case when product ~ '^(D.L|P.R)$' then 'up' when product ~ '^(D.H|N.R)$' then 'down' end as direction,
    'cleared'::text as status,
    {{ within('volume', 'power_mw') }} as volume_mw,
    null::numeric as price_gbp_mwh,
    {{ within('price', 'price_gbp_mw_h') }} as price_gbp_mw_h,
    {{ fault(
        outside('price', 'price', 'price_gbp_mw_h'),
        outside('volume', 'volume', 'power_mw'),
    ) }}
from unpacked
