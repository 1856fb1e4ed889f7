-- GB (region 18) is the national series, measured where it is known; regions have forecasts alone.
with half_hours as (
    select
        18::smallint as region_id,
        period_start,
        coalesce(actual_gco2_kwh, forecast_gco2_kwh) as gco2_kwh,
        is_synthetic
    from {{ ref('carbon_intensity_national') }}
    union all
    select region_id, period_start, forecast_gco2_kwh as gco2_kwh, is_synthetic
    from {{ ref('carbon_intensity_regional') }}
    where region_id < 18
)

select
    region_id,
    {{ settlement_date('period_start') }} as settlement_date,
    round(avg(gco2_kwh), 1)::numeric(6, 1) as mean_gco2_kwh,
    min(gco2_kwh) as min_gco2_kwh,
    max(gco2_kwh) as max_gco2_kwh,
    count(gco2_kwh)::smallint as half_hours,
    {{ half_hours_expected(settlement_date('period_start')) }}::smallint as half_hours_expected,
    round(100.0 * count(gco2_kwh) filter (where is_synthetic) / nullif(count(gco2_kwh), 0), 1)::numeric(4, 1)
        as synthetic_pct
from half_hours
group by region_id, {{ settlement_date('period_start') }}
