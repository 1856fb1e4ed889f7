with half_hour as (
    select distinct grid.period_start
    from {{ function('workload_run').include(database=false) }}(
        workload_unknown.placement_id, workload_unknown.began, workload_unknown.ended
    ) as run
    cross join lateral generate_series(
        date_bin('30 minutes', run.starts_at, timestamptz '2000-01-01 00:00Z'),
        run.ends_at - interval '1 microsecond',
        interval '30 minutes'
    ) as grid (period_start)
)

select
    count(*) as half_hours,
    count(*) filter (where intensity.forecast_gco2_kwh is null) as intensity_missing,
    count(*) filter (where intensity.forecast_gco2_kwh is not null and intensity.is_synthetic) as intensity_synthetic,
    count(*) filter (where price.price_gbp_mwh is null) as price_missing,
    count(*) filter (where price.price_gbp_mwh is not null and price.is_synthetic) as price_synthetic
from half_hour
left join {{ ref('carbon_intensity_regional').include(database=false) }} as intensity
    on intensity.region_id = workload_unknown.region_id and half_hour.period_start = intensity.period_start
left join {{ ref('wholesale_prices').include(database=false) }} as price
    on price.market = 'n2ex_day_ahead' and half_hour.period_start = price.period_start
