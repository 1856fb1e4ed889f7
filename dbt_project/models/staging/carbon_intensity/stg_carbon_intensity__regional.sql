select
    payload.payload_id,
    payload.origin = 'synthetic' as is_synthetic,
    payload.fetched_at,
    (half_hour ->> 'from')::timestamptz as period_start,
    (half_hour ->> 'to')::timestamptz as period_end,
    (region ->> 'regionid')::smallint as region_id,
    (region -> 'intensity' ->> 'forecast')::integer as forecast_gco2_kwh,
    mix.*
from {{ source('staging', 'carbon_intensity__regional_payloads') }} as payload
left join lateral jsonb_array_elements(payload.payload -> 'data') as half_hour on true
left join lateral jsonb_array_elements(half_hour -> 'regions') as region on true
left join lateral {{ unpacked_mix("region -> 'generationmix'") }} as mix on true
