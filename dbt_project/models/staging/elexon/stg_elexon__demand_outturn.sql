select
    payload.payload_id,
    payload.origin = 'synthetic' as is_synthetic,
    payload.fetched_at,
    (record ->> 'startTime')::timestamptz as period_start,
    (record ->> 'initialDemandOutturn')::numeric as nd,
    (record ->> 'initialTransmissionSystemDemandOutturn')::numeric as tsd,
    null::numeric as england_wales_demand,
    null::numeric as embedded_wind_generation,
    null::numeric as embedded_solar_generation,
    {{ settlement_date("(record ->> 'startTime')::timestamptz") }} as settlement_date,
    {{ settlement_period("(record ->> 'startTime')::timestamptz") }} as settlement_period,
    false as is_forecast
from {{ source('staging', 'elexon__demand_outturn_payloads') }} as payload
left join lateral (
    -- of two rows for a half-hour the one that was published later counts
    select distinct on (record ->> 'startTime') record
    from jsonb_array_elements(payload.payload -> 'data') as record
    order by record ->> 'startTime', record ->> 'publishTime' desc
    offset 0
) as latest on true
