-- N2EX has left this feed: its rows are zeros. A half-hour in which APX traded nothing has a price of 0 as a placeholder;
-- a price of 0 with a volume is real.
with unpacked as (
    select
        {{ provenance() }},
        (record ->> 'startTime')::timestamptz as period_start,
        record ->> 'dataProvider' as data_provider,
        (record ->> 'price')::numeric as price,
        (record ->> 'volume')::numeric as volume
    from {{ records('elexon__market_index', at='data') }}
)

select
    {{ provenance('unpacked') }},
    period_start,
    'apx_market_index'::text as market,
    case when volume > 0 and {{ is_within('volume', 'traded_mwh') }} then {{ within('price', 'price_gbp_mwh') }} end as price_gbp_mwh,
    {{ within('volume', 'traded_mwh') }} as volume_mwh,
    {{ fault(
        outside('price', 'price', 'price_gbp_mwh'),
        outside('volume', 'volume', 'traded_mwh'),
    ) }}
from unpacked
where data_provider = 'APXMIDP' or data_provider is null
