with unpacked as (
    select
        {{ provenance() }},
        (record ->> 'startTime')::timestamptz as period_start,
        (record ->> 'publishTime')::timestamptz as issued_at,
        (record ->> 'nationalDemand')::numeric as national_demand,
        (record ->> 'transmissionSystemDemand')::numeric as transmission_system_demand
    from {{ records('elexon__demand_forecast', at='data') }}
)

{{ forecast_demand('unpacked') }}
