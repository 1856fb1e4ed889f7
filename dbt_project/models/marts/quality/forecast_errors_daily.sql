-- Both forecasts are those of the day's first instant, compared with the same half-hours. Synthetic values have no error.
with days as (
    select
        today.settlement_date - back.days as settlement_date,
        {{ settlement_day_start('today.settlement_date - back.days') }} as starts_at,
        {{ settlement_day_start('today.settlement_date - back.days + 1') }} as ends_at
    from (select {{ settlement_date('now()') }} as settlement_date) as today
    cross join generate_series(0, 29) as back (days)
),

compared as (
    select
        days.settlement_date,
        forecast.published_gco2_kwh - outcome.actual_gco2_kwh as published_error,
        forecast.p50_gco2_kwh - outcome.actual_gco2_kwh as p50_error
    from days
    cross join lateral {{ function('carbon_intensity_forecast_as_of') }}(days.starts_at, 18::smallint) as forecast
    inner join {{ ref('carbon_intensity_national') }} as outcome on forecast.period_start = outcome.period_start
    where forecast.period_start < days.ends_at
        and not forecast.is_synthetic and not outcome.is_synthetic
        and forecast.published_gco2_kwh is not null and outcome.actual_gco2_kwh is not null
)

select
    settlement_date,
    count(*)::integer as half_hours,
    round(avg(abs(published_error)), 2) as published_absolute_error_gco2_kwh,
    round(avg(published_error), 2) as published_error_gco2_kwh,
    case when count(p50_error) = count(*) then round(avg(abs(p50_error)), 2) end as p50_absolute_error_gco2_kwh,
    case when count(p50_error) = count(*) then round(avg(p50_error), 2) end as p50_error_gco2_kwh
from compared
group by settlement_date
