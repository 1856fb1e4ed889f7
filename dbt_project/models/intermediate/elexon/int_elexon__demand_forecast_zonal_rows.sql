select
    payload_id,
    is_synthetic,
    fetched_at,
    period_start,
    zone,
    (case when transmission_system_demand between 0 and {{ most_demand_mw() }} then transmission_system_demand end)::integer
        as demand_mw,
    case
        when transmission_system_demand not between 0 and {{ most_demand_mw() }} then 'demand outside 0..{{ most_demand_mw() }} MW'
    end as fault
from {{ ref('stg_elexon__demand_forecast_zonal') }}
where zone ~ '^B[0-9]+$' or zone is null
