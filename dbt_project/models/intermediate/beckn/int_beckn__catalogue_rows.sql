-- `period_start` is when the catalogue was fetched: a snapshot has no half-hours.
select
    payload_id,
    is_synthetic,
    fetched_at,
    case when window_id is not null then fetched_at end as period_start,
    window_id,
    name,
    provider_id,
    zone_code || '/' || grid_area as zone_id,
    grid_area,
    zone_code,
    (case when renewable_mix between 0 and 100 then renewable_mix end)::numeric(5, 2) as renewable_pct,
    (case when carbon_intensity between 0 and 1000 then carbon_intensity end)::numeric(6, 2) as carbon_intensity_gco2_kwh,
    (case when available_capacity between 0 and {{ most_demand_mw() }} then available_capacity end)::numeric(9, 3)
        as available_capacity_mw,
    reservation_required,
    start_time as starts_at_time,
    end_time as ends_at_time,
    end_time <= start_time as crosses_midnight,
    valid_from,
    valid_until,
    geometry,
    locality,
    region_name,
    country,
    offers,
    case
        when not renewable_mix between 0 and 100 then 'renewable share outside 0..100 %'
        when not carbon_intensity between 0 and 1000 then 'intensity outside 0..1000'
        when not available_capacity between 0 and {{ most_demand_mw() }} then 'capacity outside 0..{{ most_demand_mw() }} MW'
    end as fault
from {{ ref('stg_beckn__catalogue') }}
