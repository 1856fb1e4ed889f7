select
    forecast.region_id,
    region.name as region_name,
    forecast.period_start,
    forecast.period_start + interval '30 minutes' as period_end,
    forecast.p10_gco2_kwh,
    forecast.p50_gco2_kwh,
    forecast.p90_gco2_kwh,
    forecast.published_gco2_kwh,
    case
        when forecast.is_synthetic then 'no band: this forecast is synthetic'
        when forecast.published_gco2_kwh is null then 'no band: the published value is suspicious'
        when forecast.p50_gco2_kwh is null
            then 'no band: errors of fewer than {{ bands_least_days() }} days are known; the published value stands alone'
        else 'errors of ' || forecast.band_days || ' days'
    end as band_basis,
    forecast.band_days,
    forecast.forecast_known_at as known_at,
    forecast.band_known_at,
    forecast.is_synthetic,
    now() - forecast.forecast_known_at as data_age
from {{ function('carbon_intensity_forecast_as_of') }}(now()) as forecast
inner join {{ ref('regions') }} as region on forecast.region_id = region.region_id
where forecast.region_id not between 15 and 17
