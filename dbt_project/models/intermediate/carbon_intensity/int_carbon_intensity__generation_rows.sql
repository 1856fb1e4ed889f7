with judged as (
    select *, not {{ is_mix() }} as is_bad_mix
    from {{ ref('stg_carbon_intensity__generation') }}
)

select
    payload_id,
    is_synthetic,
    fetched_at,
    period_start,
    period_end,
    {{ measured_mix('not is_bad_mix') }},
    case when is_bad_mix then 'mix does not add up to 100 %' end as fault
from judged
