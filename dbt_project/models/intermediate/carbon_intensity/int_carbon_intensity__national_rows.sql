-- An intensity outside 0..1000 gCO2/kWh is impossible (coal alone emits 937), and so is a national actual of 0: GB has
-- never been without a gram. Both are the upstream's faults: NULL here, kept in the payload, counted in `fault`.
with judged as (
    select
        *,
        forecast_gco2_kwh not between 0 and 1000 as is_bad_forecast,
        actual_gco2_kwh = 0 or actual_gco2_kwh not between 0 and 1000 as is_bad_actual
    from {{ ref('stg_carbon_intensity__national') }}
)

select
    judged.payload_id,
    judged.is_synthetic,
    judged.fetched_at,
    judged.period_start,
    judged.period_end,
    clean.forecast_gco2_kwh,
    clean.actual_gco2_kwh,
    {{ intensity_index('coalesce(clean.actual_gco2_kwh, clean.forecast_gco2_kwh)', 'bands') }} as intensity_index,
    case
        when judged.actual_gco2_kwh = 0 then 'actual of 0'
        when judged.is_bad_actual then 'actual outside 0..1000'
        when judged.is_bad_forecast then 'forecast outside 0..1000'
    end as fault
from judged
cross join lateral (
    select
        (case when not judged.is_bad_forecast then judged.forecast_gco2_kwh end)::smallint as forecast_gco2_kwh,
        (case when not judged.is_bad_actual then judged.actual_gco2_kwh end)::smallint as actual_gco2_kwh
) as clean
{{ join_intensity_bands('judged.period_start') }}
