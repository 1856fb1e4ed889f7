select
    payload_id,
    is_synthetic,
    fetched_at,
    period_start,
    case when abs(price_gbp_mwh) <= {{ most_price_gbp_mwh() }} then price_gbp_mwh end as price_gbp_mwh,
    null::numeric as volume_mwh,
    calculated_at,
    case when abs(price_gbp_mwh) > {{ most_price_gbp_mwh() }} then 'price beyond {{ most_price_gbp_mwh() }} GBP/MWh' end as fault
from {{ ref('stg_elexon__system_prices') }}
