select
    payload.payload_id,
    payload.origin = 'synthetic' as is_synthetic,
    payload.fetched_at,
    (record ->> 'startTime')::timestamptz as period_start,
    (record ->> 'publishTime')::timestamptz as issued_at,
    (record ->> 'nationalDemand')::numeric as national_demand,
    (record ->> 'transmissionSystemDemand')::numeric as transmission_system_demand
from {{ source('staging', 'elexon__demand_forecast_payloads') }} as payload
left join lateral jsonb_array_elements(payload.payload -> 'data') as record on true
