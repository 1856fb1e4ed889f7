{{ config(
    materialized='keyed_table',
    unique_key='zone_id',
    meta={'consumes': ['beckn__catalogue'], 'is_referenced': true},
) }}
-- A zone lies in the licence area that holds its centre; where none does, in none. What its address says is kept in columns of its own.
with zones as (
    select distinct on (zone_id)
        zone_id, grid_area, zone_code, locality, region_name, country, geometry, payload_id, is_synthetic, fetched_at
    from {{ published_rows('beckn__catalogue') }} as published
    where zone_id is not null
    order by zone_id, is_synthetic, fetched_at desc, payload_id desc, window_id
),

rings as materialized (
    select region.region_id, {{ ring_polygon('ring') }} as area
    from {{ ref('regions') }} as region
    cross join lateral jsonb_array_elements(region.geometry -> 'coordinates') as part
    cross join lateral jsonb_array_elements(part) as ring
    where not region.is_aggregate
),

placed as (
    select
        zones.*,
        area.region_id
    from zones
    left join lateral {{ geometry_centre('zones.geometry') }} as middle on true
    left join lateral (
        -- inside an area is who is inside an odd number of its rings
        select rings.region_id
        from rings
        where rings.area @> middle.centre
        group by rings.region_id
        having count(*) % 2 = 1
        order by rings.region_id
        limit 1
    ) as area on true
)

select
    placed.zone_id,
    placed.grid_area,
    placed.zone_code,
    placed.locality,
    placed.region_name,
    placed.country,
    placed.geometry,
    placed.region_id,
    placed.region_id is not null and placed.region_name is not null
    and not coalesce(placed.region_name in (named.name, named.short_name, named.nation), false) as address_differs,
    placed.payload_id,
    placed.is_synthetic,
    placed.fetched_at,
    now() as updated_at
from placed
left join lateral (
    select
        region.name,
        region.short_name,
        case when region.region_id in (1, 2) then 'Scotland' when region.region_id = 7 then 'Wales' else 'England' end as nation
    from {{ ref('regions') }} as region
    where region.region_id = placed.region_id
) as named on true
