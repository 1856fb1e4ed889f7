select
    payload.payload_id,
    payload.origin = 'synthetic' as is_synthetic,
    payload.fetched_at,
    record ->> 'DFS Unit ID' as unit,
    record ->> 'Event Type' as event_type,
    lower(trim(record ->> 'Status')) as status,
    {{ ckan_date('Delivery Date') }} as delivery_date,
    (record ->> 'From_UTC')::time as from_utc,
    (record ->> 'To_UTC')::time as to_utc,
    {{ ckan_number('DFS Procured MW') }} as volume_mw,
    {{ ckan_number('Utilisation Price GBP per MWh') }} as price_gbp_mwh
from {{ ckan_records('neso__dfs_utilisation') }}
