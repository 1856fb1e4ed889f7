{{ config(
    materialized='keyed_table',
    unique_key=['region_id', 'period_start'],
    meta={'consumes': ['carbon_intensity__regional']},
    indexes=[{'columns': ['period_start']}],
) }}
select distinct on (region_id, period_start)
    region_id,
    period_start,
    period_end,
    {{ mix_columns() }},
    payload_id,
    is_synthetic,
    fetched_at,
    now() as updated_at
from {{ published_rows('carbon_intensity__regional', without_archive=true) }} as published
where region_id is not null
order by region_id, period_start, is_synthetic, fetched_at desc, payload_id desc, renewable_pct nulls last, gas_pct desc
