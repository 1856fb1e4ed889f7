select
    payload_id,
    is_synthetic,
    fetched_at,
    period_start,
    case when abs(price_gbp_mwh) <= {{ most_price_gbp_mwh() }} then price_gbp_mwh end as price_gbp_mwh,
    null::numeric as volume_mwh,
    case when abs(price_gbp_mwh) > {{ most_price_gbp_mwh() }} then 'price beyond {{ most_price_gbp_mwh() }} GBP/MWh' end as fault
from (
    -- an hour is two half-hours of the same price
    select hours.*, hours.hour_start + half.n * interval '30 minutes' as period_start
    from {{ ref('stg_neso__n2ex_day_ahead') }} as hours
    cross join (values (0), (1)) as half (n)
) as half_hours
