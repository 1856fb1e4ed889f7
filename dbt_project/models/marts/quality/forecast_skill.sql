select
    series,
    region_id,
    forecast_type,
    lead_hours,
    sum(forecasts)::bigint as forecasts,
    round(sum(error_sum) / sum(forecasts), 2) as mean_error,
    round(sum(absolute_error_sum) / sum(forecasts), 2) as mean_absolute_error,
    round(sqrt(sum(squared_error_sum) / sum(forecasts)), 2) as root_mean_square_error,
    case when series = 'national_demand' then 'MW' else 'gCO2/kWh' end as unit
from {{ ref('int_forecast_skill__months') }}
group by series, region_id, forecast_type, lead_hours
having sum(forecasts) > 0
