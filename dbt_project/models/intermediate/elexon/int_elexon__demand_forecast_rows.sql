select
    payload_id,
    is_synthetic,
    fetched_at,
    period_start,
    coalesce(issued_at, fetched_at) as issued_at,
    (case when national_demand between 1 and {{ most_demand_mw() }} then national_demand end)::integer as national_demand_mw,
    (case when transmission_system_demand between 1 and {{ most_demand_mw() }} then transmission_system_demand end)::integer
        as transmission_system_demand_mw,
    case when national_demand not between 1 and {{ most_demand_mw() }} then 'demand outside 1..{{ most_demand_mw() }} MW' end
        as fault
from {{ ref('stg_elexon__demand_forecast') }}
