select
    payload.payload_id,
    payload.origin = 'synthetic' as is_synthetic,
    payload.fetched_at,
    (half_hour ->> 'from')::timestamptz as period_start,
    (half_hour ->> 'to')::timestamptz as period_end,
    (half_hour -> 'intensity' ->> 'forecast')::integer as forecast_gco2_kwh,
    (half_hour -> 'intensity' ->> 'actual')::integer as actual_gco2_kwh
from {{ source('staging', 'carbon_intensity__national_payloads') }} as payload
left join lateral jsonb_array_elements(payload.payload -> 'data') as half_hour on true
