-- The outcome of GB's intensity and of demand is what was measured; a region's is the upstream's last estimate, made when the
-- half-hour was over, because regions are never measured. Synthetic values have no skill: neither side counts them.
with outcomes as (
    select 'carbon_intensity' as series, 18::smallint as region_id, period_start, actual_gco2_kwh::numeric as outcome
    from {{ ref('carbon_intensity_national') }}
    where not is_synthetic
    union all
    select 'carbon_intensity', region_id, period_start, forecast_gco2_kwh
    from {{ ref('carbon_intensity_regional') }}
    where not is_synthetic and region_id < 18 and fetched_at >= period_end
    union all
    select 'national_demand', 18, period_start, national_demand_mw
    from {{ ref('demand_actual_national') }}
    where not is_synthetic
),

forecasts as (
    select
        'carbon_intensity' as series, 'half_hourly' as forecast_type, region_id, period_start, known_at,
        forecast_gco2_kwh::numeric as forecast
    from {{ ref('carbon_intensity_vintages') }}
    where not is_synthetic
    union all
    select 'national_demand', forecast_type, 18, period_start, known_at, national_demand_mw
    from {{ ref('demand_forecast_vintages') }}
    where not is_synthetic
)

select
    forecasts.series,
    forecasts.region_id,
    forecasts.forecast_type,
    greatest(0, floor(extract(epoch from forecasts.period_start - forecasts.known_at) / 3600))::smallint as lead_hours,
    count(*) as forecasts,
    round(avg(forecasts.forecast - outcomes.outcome), 2) as mean_error,
    round(avg(abs(forecasts.forecast - outcomes.outcome)), 2) as mean_absolute_error,
    round(sqrt(avg((forecasts.forecast - outcomes.outcome) ^ 2)), 2) as root_mean_square_error,
    case when forecasts.series = 'national_demand' then 'MW' else 'gCO2/kWh' end as unit
from forecasts
inner join outcomes
    on forecasts.series = outcomes.series
    and forecasts.region_id = outcomes.region_id
    and forecasts.period_start = outcomes.period_start
where outcomes.outcome is not null
group by forecasts.series, forecasts.region_id, forecasts.forecast_type, lead_hours
