with unpacked as (
    select
        {{ provenance() }},
        (record ->> 'startTime')::timestamptz as period_start,
        (record ->> 'systemSellPrice')::numeric as price,
        {{ utc_instant("record ->> 'createdDateTime'") }} as calculated_at
    from {{ records('elexon__system_prices', at='data') }}
)

select
    {{ provenance('unpacked') }},
    period_start,
    'system_price'::text as market,
    {{ within('price', 'price_gbp_mwh') }} as price_gbp_mwh,
    null::numeric as volume_mwh,
    calculated_at,
    {{ fault(outside('price', 'price', 'price_gbp_mwh')) }}
from unpacked
