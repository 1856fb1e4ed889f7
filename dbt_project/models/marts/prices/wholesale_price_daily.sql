select
    market,
    settlement_date,
    round(avg(price_gbp_mwh), 2) as mean_gbp_mwh,
    min(price_gbp_mwh) as min_gbp_mwh,
    max(price_gbp_mwh) as max_gbp_mwh,
    round(sum(price_gbp_mwh * volume_mwh) / nullif(sum(volume_mwh) filter (where price_gbp_mwh is not null), 0), 2)
        as volume_weighted_gbp_mwh,
    count(*) filter (where price_gbp_mwh < 0)::smallint as half_hours_negative,
    count(price_gbp_mwh)::smallint as half_hours,
    {{ half_hours_expected('settlement_date') }}::smallint as half_hours_expected,
    round(100.0 * count(price_gbp_mwh) filter (where is_synthetic) / nullif(count(price_gbp_mwh), 0), 1)::numeric(4, 1)
        as synthetic_pct
from {{ ref('wholesale_prices') }}
group by market, settlement_date
