-- Low-frequency response and positive reserve feed the grid (up); high-frequency response and negative reserve relieve it.
select
    payload_id,
    is_synthetic,
    fetched_at,
    period_start,
    period_end,
    product,
    case when product ~ '^(D.L|P.R)$' then 'up' when product ~ '^(D.H|N.R)$' then 'down' end as direction,
    {{ believable_volume('volume_mw') }} as volume_mw,
    case when abs(price_gbp_mw_h) <= {{ most_price_gbp_mwh() }} then price_gbp_mw_h end as price_gbp_mw_h,
    case
        when abs(price_gbp_mw_h) > {{ most_price_gbp_mwh() }} then 'price beyond {{ most_price_gbp_mwh() }} GBP/MW/h'
        when not volume_mw between 0 and {{ most_demand_mw() }} then 'volume outside 0..{{ most_demand_mw() }} MW'
    end as fault
from {{ ref('stg_neso__eac_results') }}
