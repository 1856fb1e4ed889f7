with half_hour as (
    select
        intensity.forecast_gco2_kwh,
        price.price_gbp_mwh,
        extract(epoch from least(grid.period_start + interval '30 minutes', workload_emissions.ended)
            - greatest(grid.period_start, workload_emissions.began)) / 3600 as hours
    from generate_series(
        date_bin('30 minutes', workload_emissions.began, timestamptz '2000-01-01 00:00Z'),
        workload_emissions.ended - interval '1 microsecond',
        interval '30 minutes'
    ) as grid (period_start)
    left join {{ ref('carbon_intensity_regional').include(database=false) }} as intensity
        on intensity.region_id = workload_emissions.region_id and grid.period_start = intensity.period_start
            and not intensity.is_synthetic
    left join {{ ref('wholesale_prices').include(database=false) }} as price
        on price.market = 'n2ex_day_ahead' and grid.period_start = price.period_start and not price.is_synthetic
)

select
    case
        when count(*) = count(forecast_gco2_kwh) and workload_emissions.ended > workload_emissions.began
            then round(sum(forecast_gco2_kwh * hours) * workload_emissions.power_kw / 1000, 9)
    end as kg,
    case
        when count(*) = count(price_gbp_mwh) and workload_emissions.ended > workload_emissions.began
            then round(sum(price_gbp_mwh * hours) * workload_emissions.power_kw / 1000, 9)
    end as gbp
from half_hour
