-- A zero is a measurement only where the mix of the same row can produce it: North Scotland on wind and hydro is 0,
-- London on biomass or gas is not, and such a row says nothing true of its mix either. What is impossible is NULL here,
-- kept in the payload, counted in `fault`.
with judged as (
    select
        *,
        forecast_gco2_kwh = 0 and mix_gco2_kwh >= 5 as is_contradicted,
        forecast_gco2_kwh not between 0 and 1000 as is_impossible
    from {{ ref('stg_carbon_intensity__regional') }}
    cross join lateral (
        -- a region may generate by little but sun; by night none does. `offset 0`: computed once, not for every column
        select case
            when solar > 5 then {{ is_beyond_the_sun('solar', 'period_start', 'period_end', most=100) }} else false
        end as is_sunless
        from (values (1)) as once (n)
        offset 0
    ) as sun
)

select
    judged.payload_id,
    judged.is_synthetic,
    judged.fetched_at,
    judged.period_start,
    judged.period_end,
    judged.region_id,
    (case
        when not (judged.is_impossible or judged.is_contradicted or judged.is_sunless) then judged.forecast_gco2_kwh
    end)::smallint as forecast_gco2_kwh,
    case when not (judged.is_impossible or judged.is_contradicted or judged.is_sunless) then
        {{ intensity_index('judged.forecast_gco2_kwh', 'bands') }}
    end as intensity_index,
    {{ measured_mix('judged.is_mix and judged.is_contradicted is not true and not judged.is_sunless', 'judged.') }},
    case
        when judged.is_sunless then 'more solar than the sun can give'
        when judged.is_contradicted then 'intensity of 0 contradicted by its own mix'
        when judged.is_impossible then 'forecast outside 0..1000'
        when judged.period_start is not null and judged.is_mix is not true then 'mix does not add up to 100 %'
    end as fault
from judged
{{ join_intensity_bands('judged.period_start') }}
