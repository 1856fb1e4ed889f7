-- N2EX has left this feed: its rows are zeros. A half-hour in which APX traded nothing has a price of 0 as a placeholder;
-- a price of 0 with a volume is real.
select
    payload_id,
    is_synthetic,
    fetched_at,
    period_start,
    case when volume_mwh > 0 and abs(price_gbp_mwh) <= {{ most_price_gbp_mwh() }} then price_gbp_mwh end as price_gbp_mwh,
    volume_mwh,
    case when abs(price_gbp_mwh) > {{ most_price_gbp_mwh() }} then 'price beyond {{ most_price_gbp_mwh() }} GBP/MWh' end as fault
from {{ ref('stg_elexon__market_index') }}
where data_provider = 'APXMIDP' or data_provider is null
