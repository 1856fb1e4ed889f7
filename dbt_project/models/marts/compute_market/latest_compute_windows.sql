-- The windows of the newest catalogue; synthetic ones only while no real one was ever seen.
with newest as (
    select is_synthetic, max(fetched_at) as fetched_at
    from {{ ref('compute_windows') }}
    group by is_synthetic
    order by is_synthetic
    limit 1
)

select
    compute_window.window_id,
    compute_window.name,
    compute_window.zone_id,
    zone.grid_area,
    zone.zone_code,
    zone.region_id,
    zone.address_differs,
    compute_window.provider_id,
    compute_window.starts_at_time,
    compute_window.ends_at_time,
    compute_window.crosses_midnight,
    compute_window.reservation_required,
    compute_window.valid_from,
    compute_window.valid_until,
    coalesce(compute_window.valid_until < now(), false) as is_expired,
    snapshot.renewable_pct,
    snapshot.carbon_intensity_gco2_kwh,
    snapshot.available_capacity_mw,
    snapshot.observed_at,
    offer.offer_id,
    offer.price,
    offer.currency,
    offer.unit as price_unit,
    offer.price_stability,
    compute_window.fetched_at as listed_at,
    compute_window.is_synthetic
from {{ ref('compute_windows') }} as compute_window
inner join newest
    on compute_window.is_synthetic = newest.is_synthetic and compute_window.fetched_at = newest.fetched_at
inner join {{ ref('grid_zones') }} as zone on compute_window.zone_id = zone.zone_id
left join lateral (
    select *
    from {{ ref('grid_snapshots') }} as seen
    where seen.window_id = compute_window.window_id and seen.is_synthetic = compute_window.is_synthetic
    order by seen.observed_at desc
    limit 1
) as snapshot on true
left join lateral (
    select latest.*
    from (
        select distinct on (made.offer_id) made.*
        from {{ ref('offers') }} as made
        where made.window_id = compute_window.window_id and made.is_synthetic = compute_window.is_synthetic
        order by made.offer_id, made.observed_at desc
    ) as latest
    where not latest.is_withdrawn
    order by latest.price, latest.offer_id
    limit 1
) as offer on true
