select
    payload.payload_id,
    payload.origin = 'synthetic' as is_synthetic,
    payload.fetched_at,
    {{ ckan_date('Date') }}::timestamp at time zone 'UTC'
        + left(trim(record ->> 'Delivery Period'), 2)::integer * interval '1 hour' as hour_start,
    {{ ckan_number('Price') }} as price_gbp_mwh
from {{ ckan_records('neso__n2ex_day_ahead') }}
