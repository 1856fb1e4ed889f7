"""What decisions are made from, as SQL: the service reads it for its answers, the flows for plans. Rows by name.

`placement.outlook.from_rows` and `placement.venues` take these rows.
"""

# With the band that was known then; without one, what was published stands alone.
INTENSITY = """
select
    region_id, extract(epoch from period_start)::bigint as starts, published_gco2_kwh as forecast_gco2_kwh, p50_gco2_kwh,
    p90_gco2_kwh, is_synthetic, forecast_known_at
from carbon_intensity_forecast_as_of(%(known_at)s, null)
where region_id between 1 and 14
"""
PRICE = """
select extract(epoch from period_start)::bigint as starts, price_gbp_mwh, is_synthetic, fetched_at
from wholesale_prices
where market = 'n2ex_day_ahead' and period_start > %(known_at)s - interval '22 days'
    and period_start < %(known_at)s + interval '7 days' and updated_at <= %(known_at)s
"""
WINDOWS = """
select
    window_id, name, region_id, starts_at_time, ends_at_time, crosses_midnight, valid_from, valid_until,
    available_capacity_mw, price, currency, price_unit, is_synthetic
from latest_compute_windows
where region_id between 1 and 14 and available_capacity_mw > 0 and not is_expired
order by window_id
"""
# The newest real forecast where no coming half-hour has one: how long the upstream has been silent.
LAST_REAL = """
select max(last.fetched_at) as fetched_at
from generate_series(1, 14) as region (region_id)
cross join lateral (
    select intensity.fetched_at
    from carbon_intensity_regional as intensity
    where intensity.region_id = region.region_id and not intensity.is_synthetic
        and intensity.forecast_gco2_kwh is not null and intensity.fetched_at <= %(known_at)s
    order by intensity.period_start desc
    limit 1
) as last
"""
NAMES = "select region_id, name from regions"
ZONES = "select zone_id, region_id from grid_zones where region_id between 1 and 14"
ASSETS = """
select asset_id, name, region_id, zone_id, rated_power_kw, max_deferral_minutes, carbon_cap_gco2_kwh
from app.compute_assets
where operator_id = %(operator_id)s and is_active
order by asset_id
"""
TAKEN = """
select venue, extract(epoch from instant)::float8 as instant, change_kw::float8 as change_kw
from app.capacity_taken(%(venues)s, %(begins)s, %(ends)s, coalesce(%(known_at)s, 'infinity'::timestamptz))
"""
# What a run emitted and cost, stretch by stretch of its power; null where one of its half-hours is not known.
EMITTED = """
select
    case when count(*) = count(kg) then sum(kg) end as kg,
    case when count(*) = count(gbp) then sum(gbp) end as gbp
from workload_run(%(placement_id)s::uuid, %(began)s, %(ended)s) as run
cross join lateral workload_emissions(%(region_id)s::smallint, run.starts_at, run.ends_at, run.power_kw)
"""
