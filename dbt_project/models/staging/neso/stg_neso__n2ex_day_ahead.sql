with unpacked as (
    select
        {{ provenance() }},
        {{ ckan_date('Date') }}::timestamp at time zone 'UTC'
            + left(trim(record ->> 'Delivery Period'), 2)::integer * interval '1 hour' as hour_start,
        {{ ckan_number('Price') }} as price
    from {{ records('neso__n2ex_day_ahead', at='result,records') }}
)

select
    {{ provenance('unpacked') }},
    -- an hour is two half-hours of the same price
    hour_start + half.n * interval '30 minutes' as period_start,
    'n2ex_day_ahead'::text as market,
    {{ within('price', 'auction_gbp_mwh') }} as price_gbp_mwh,
    null::numeric as volume_mwh,
    {{ fault(outside('price', 'price', 'auction_gbp_mwh')) }}
from unpacked
cross join (values (0), (1)) as half (n)
