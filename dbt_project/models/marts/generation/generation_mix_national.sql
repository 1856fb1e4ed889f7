{{ config(materialized='keyed_table', unique_key='period_start', meta={'consumes': ['carbon_intensity__generation']}) }}
select distinct on (period_start)
    period_start,
    period_end,
    {{ mix_columns() }},
    payload_id,
    is_synthetic,
    fetched_at,
    now() as updated_at
from {{ published_rows('carbon_intensity__generation') }} as published
where period_start is not null
order by period_start, is_synthetic, fetched_at desc, payload_id desc, renewable_pct nulls last, gas_pct desc
