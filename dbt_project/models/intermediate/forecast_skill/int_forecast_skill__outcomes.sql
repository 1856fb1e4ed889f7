-- The outcome of GB's intensity and of demand is what was measured; a region's is the upstream's last estimate, made when the
-- half-hour was over, because regions are never measured. Synthetic values have no skill: neither side counts them.
select 'carbon_intensity'::text as series, 18::smallint as region_id, period_start, actual_gco2_kwh::integer as outcome
from {{ ref('carbon_intensity_national') }}
where not is_synthetic and actual_gco2_kwh is not null
union all
select 'carbon_intensity', region_id, period_start, forecast_gco2_kwh
from {{ ref('carbon_intensity_regional') }}
where not is_synthetic and region_id < 18 and fetched_at >= period_end and forecast_gco2_kwh is not null
union all
select 'national_demand', 18, period_start, national_demand_mw
from {{ ref('demand_actual_national') }}
where not is_synthetic and national_demand_mw is not null
