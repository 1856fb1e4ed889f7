select
    payload.payload_id,
    payload.origin = 'synthetic' as is_synthetic,
    payload.fetched_at,
    (record ->> 'startTime')::timestamptz as period_start,
    record ->> 'dataProvider' as data_provider,
    (record ->> 'price')::numeric as price_gbp_mwh,
    (record ->> 'volume')::numeric as volume_mwh
from {{ source('staging', 'elexon__market_index_payloads') }} as payload
left join lateral jsonb_array_elements(payload.payload -> 'data') as record on true
