-- Each `offset 0` has PostgreSQL read a value out of the JSON once, not once for every column that rests on it.
select
    payload.payload_id,
    payload.origin = 'synthetic' as is_synthetic,
    payload.fetched_at,
    period.period_start,
    period.period_end,
    unpacked.*
from {{ source('staging', 'carbon_intensity__regional_payloads') }} as payload
left join lateral (
    select
        (half_hour ->> 'from')::timestamptz as period_start,
        (half_hour ->> 'to')::timestamptz as period_end,
        half_hour -> 'regions' as regions
    from jsonb_array_elements(payload.payload -> 'data') as half_hour
    offset 0
) as period on true
left join lateral (
    select
        (region ->> 'regionid')::smallint as region_id,
        (region -> 'intensity' ->> 'forecast')::integer as forecast_gco2_kwh,
        mix.*
    from jsonb_array_elements(period.regions) as region
    cross join lateral {{ unpacked_mix("region -> 'generationmix'") }} as mix
    offset 0
) as unpacked on true
