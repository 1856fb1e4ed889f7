with unpacked as (
    select
        {{ provenance('payload', 'latest.record') }},
        (latest.record ->> 'startTime')::timestamptz as period_start,
        {{ settlement_date("(latest.record ->> 'startTime')::timestamptz") }} as settlement_date,
        {{ settlement_period("(latest.record ->> 'startTime')::timestamptz") }} as settlement_period,
        (latest.record ->> 'initialDemandOutturn')::numeric as nd,
        (latest.record ->> 'initialTransmissionSystemDemandOutturn')::numeric as tsd,
        null::numeric as england_wales_demand,
        null::numeric as embedded_wind_generation,
        null::numeric as embedded_solar_generation,
        false as is_forecast,
        (latest.record ->> 'publishTime')::timestamptz as published_at
    from {{ payloads('elexon__demand_outturn') }} as payload
    left join lateral (
        -- of two rows for a half-hour the one that was published later counts
        select distinct on ((record ->> 'startTime')::timestamptz) record, record_no
        from jsonb_array_elements(payload.payload -> 'data') with ordinality as record_of (record, record_no)
        order by (record ->> 'startTime')::timestamptz, (record ->> 'publishTime')::timestamptz desc
        offset 0
    ) as latest on true
)

{{ measured_demand('unpacked') }}
