{{ config(materialized='keyed_table', unique_key='region_id', full_refresh=false, meta={'replaces': true}) }}
select
    region_id,
    name,
    short_name,
    dno_name,
    is_aggregate,
    geometry,
    'NESO GIS Boundaries for GB DNO License Areas'::text as source,
    now() as updated_at
from {{ ref('seed_regions') }}
