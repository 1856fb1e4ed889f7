select
    payload_id,
    is_synthetic,
    fetched_at,
    period_start,
    period_end,
    {{ measured_mix('is_mix') }},
    case when period_start is not null and is_mix is not true then 'mix does not add up to 100 %' end as fault
from {{ ref('stg_carbon_intensity__generation') }}
