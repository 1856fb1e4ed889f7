select
    payload.payload_id,
    payload.origin = 'synthetic' as is_synthetic,
    payload.fetched_at,
    (record ->> 'startTime')::timestamptz as period_start,
    (record ->> 'systemSellPrice')::numeric as price_gbp_mwh,
    {{ utc_instant("record ->> 'createdDateTime'") }} as calculated_at
from {{ source('staging', 'elexon__system_prices_payloads') }} as payload
left join lateral jsonb_array_elements(payload.payload -> 'data') as record on true
