with unpacked as (
    select
        {{ provenance() }},
        (record ->> 'startTime')::timestamptz as period_start,
        (record ->> 'publishTime')::timestamptz as issued_at,
        record ->> 'boundary' as zone,
        (record ->> 'transmissionSystemDemand')::numeric as demand
    from {{ records('elexon__demand_forecast_zonal', at='data') }}
)

select
    {{ provenance('unpacked') }},
    period_start,
    'zone'::text as area_type,
    zone as area_code,
    true as is_forecast,
    {{ issued('issued_at') }} as issued_at,
    ({{ within('demand', 'power_mw') }})::integer as demand_mw,
    {{ fault(outside('demand', 'demand', 'power_mw')) }}
from unpacked
where zone ~ '^B[0-9]+$' or zone is null
