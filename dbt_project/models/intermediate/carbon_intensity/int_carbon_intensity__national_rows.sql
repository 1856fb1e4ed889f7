-- An intensity outside 0..1000 gCO2/kWh is impossible (coal alone emits 937), and so is a national actual of 0: GB has
-- never been without a gram. Both are the upstream's faults: NULL here, kept in the payload, counted in `fault`.
select
    unpacked.payload_id,
    unpacked.is_synthetic,
    unpacked.fetched_at,
    unpacked.period_start,
    unpacked.period_end,
    clean.forecast_gco2_kwh,
    clean.actual_gco2_kwh,
    {{ intensity_index('coalesce(clean.actual_gco2_kwh, clean.forecast_gco2_kwh)', 'bands') }} as intensity_index,
    case
        when unpacked.actual_gco2_kwh = 0 then 'actual of 0'
        when unpacked.actual_gco2_kwh not between 0 and 1000 then 'actual outside 0..1000'
        when unpacked.forecast_gco2_kwh not between 0 and 1000 then 'forecast outside 0..1000'
    end as fault
from {{ ref('stg_carbon_intensity__national') }} as unpacked
cross join lateral (
    select
        (case
            when unpacked.forecast_gco2_kwh between 0 and 1000 then unpacked.forecast_gco2_kwh
        end)::smallint as forecast_gco2_kwh,
        (case
            when unpacked.actual_gco2_kwh between 1 and 1000 then unpacked.actual_gco2_kwh
        end)::smallint as actual_gco2_kwh
) as clean
{{ join_intensity_bands('unpacked.period_start') }}
