-- A zero is a measurement only where the mix of the same row can produce it: North Scotland on wind and hydro is 0,
-- London on biomass or gas is not, and such a row says nothing true of its mix either. What is impossible is NULL here,
-- kept in the payload, counted in `fault`.
with judged as (
    select
        *,
        forecast_gco2_kwh = 0 and {{ mix_emissions() }} >= 5 as is_contradicted,
        forecast_gco2_kwh not between 0 and 1000 as is_bad_forecast,
        not {{ is_mix() }} as is_bad_mix
    from {{ ref('stg_carbon_intensity__regional') }}
)

select
    judged.payload_id,
    judged.is_synthetic,
    judged.fetched_at,
    judged.period_start,
    judged.period_end,
    judged.region_id,
    clean.forecast_gco2_kwh,
    {{ intensity_index('clean.forecast_gco2_kwh', 'bands') }} as intensity_index,
    {{ measured_mix('not (judged.is_bad_mix or judged.is_contradicted)', 'judged.') }},
    case
        when judged.is_contradicted then 'intensity of 0 contradicted by its own mix'
        when judged.is_bad_forecast then 'forecast outside 0..1000'
        when judged.is_bad_mix then 'mix does not add up to 100 %'
    end as fault
from judged
cross join lateral (
    select
        (case
            when not (judged.is_bad_forecast or judged.is_contradicted) then judged.forecast_gco2_kwh
        end)::smallint as forecast_gco2_kwh
) as clean
{{ join_intensity_bands('judged.period_start') }}
