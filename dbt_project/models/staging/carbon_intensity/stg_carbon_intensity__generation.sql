select
    payload.payload_id,
    payload.origin = 'synthetic' as is_synthetic,
    payload.fetched_at,
    (half_hour ->> 'from')::timestamptz as period_start,
    (half_hour ->> 'to')::timestamptz as period_end,
    mix.*
from {{ source('staging', 'carbon_intensity__generation_payloads') }} as payload
left join lateral jsonb_array_elements(payload.payload -> 'data') as half_hour on true
left join lateral {{ unpacked_mix("half_hour -> 'generationmix'") }} as mix on true
