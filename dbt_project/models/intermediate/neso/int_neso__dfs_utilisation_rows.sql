-- The date is local and the times are UTC: a window that begins before midnight UTC and after it in London belongs to the
-- day before in UTC.
select
    payload_id,
    is_synthetic,
    fetched_at,
    starts.period_start,
    starts.period_start + case when to_utc > from_utc then to_utc - from_utc else to_utc - from_utc + interval '1 day' end
        as period_end,
    unit,
    case event_type when 'Upwards' then 'up' when 'Downwards' then 'down' end as direction,
    status,
    {{ believable_volume('volume_mw') }} as volume_mw,
    case when abs(price_gbp_mwh) <= {{ most_price_gbp_mwh() }} then price_gbp_mwh end as price_gbp_mwh,
    case
        when abs(price_gbp_mwh) > {{ most_price_gbp_mwh() }} then 'price beyond {{ most_price_gbp_mwh() }} GBP/MWh'
        when not volume_mw between 0 and {{ most_demand_mw() }} then 'volume outside 0..{{ most_demand_mw() }} MW'
    end as fault
from {{ ref('stg_neso__dfs_utilisation') }} as bid
left join lateral (
    select candidate as period_start
    from (values (0), (-1)) as day (shift)
    cross join lateral (select (bid.delivery_date + day.shift + bid.from_utc) at time zone 'UTC' as candidate) as at_utc
    where {{ settlement_date('candidate') }} = bid.delivery_date
) as starts on true
