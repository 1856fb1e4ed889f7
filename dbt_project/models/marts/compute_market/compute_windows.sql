{{ config(
    materialized='keyed_table',
    unique_key='window_id',
    meta={'consumes': ['beckn__catalogue'], 'is_referenced': true},
    indexes=[{'columns': ['zone_id']}],
) }}
-- depends_on: {{ ref('grid_zones') }}
select distinct on (window_id)
    window_id,
    zone_id,
    provider_id,
    name,
    starts_at_time,
    ends_at_time,
    crosses_midnight,
    available_capacity_mw as capacity_mw,
    reservation_required,
    valid_from,
    valid_until,
    payload_id,
    is_synthetic,
    fetched_at,
    now() as updated_at
from {{ published_rows('beckn__catalogue') }} as published
where window_id is not null
order by window_id, is_synthetic, fetched_at desc, payload_id desc
