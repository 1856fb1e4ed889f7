{%- set is_status = "(status in ('accepted', 'rejected'))" -%}
-- The date is local and the times are UTC: a window that begins before midnight UTC and after it in London belongs to the
-- day before in UTC.
with unpacked as (
    select
        {{ provenance() }},
        record ->> 'DFS Unit ID' as unit,
        record ->> 'Event Type' as event_type,
        lower(trim(record ->> 'Status')) as status,
        {{ ckan_date('Delivery Date') }} as delivery_date,
        (record ->> 'From_UTC')::time as from_utc,
        (record ->> 'To_UTC')::time as to_utc,
        {{ ckan_number('DFS Procured MW') }} as volume,
        {{ ckan_number('Utilisation Price GBP per MWh') }} as price
    from {{ records('neso__dfs_utilisation', at='result,records') }}
)

select
    {{ provenance('bid') }},
    starts.period_start,
    starts.period_start + case when to_utc > from_utc then to_utc - from_utc else to_utc - from_utc + interval '1 day' end
        as period_end,
    'dfs'::text as service,
    'utilisation'::text as product,
    unit,
    starts.period_start as delivery_start,
    case event_type when 'Upwards' then 'up' when 'Downwards' then 'down' end as direction,
    case when {{ is_status }} then status end as status,
    {{ within('volume', 'power_mw') }} as volume_mw,
    {{ within('price', 'price_gbp_mwh') }} as price_gbp_mwh,
    null::numeric as price_gbp_mw_h,
    {{ fault(
        outside('price', 'price', 'price_gbp_mwh'),
        outside('volume', 'volume', 'power_mw'),
        "when not " ~ is_status ~ " then 'unknown status'",
    ) }}
from unpacked as bid
left join lateral (
    select candidate as period_start
    from (values (0), (-1)) as day (shift)
    cross join lateral (select (bid.delivery_date + day.shift + bid.from_utc) at time zone 'UTC' as candidate) as at_utc
    where {{ settlement_date('candidate') }} = bid.delivery_date
) as starts on true
