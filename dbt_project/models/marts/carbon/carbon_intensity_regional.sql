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
    forecast_gco2_kwh,
    intensity_index,
    is_isolated,
    payload_id,
    is_synthetic,
    fetched_at,
    now() as updated_at
from {{ with_isolated(
    published_rows('carbon_intensity__regional', without_archive=true), 'forecast_gco2_kwh', ['payload_id', 'region_id'],
    previous=captured_before(ref('int_carbon_intensity__captures'), 'beside.region_id', 'beside'), sent='sent_gco2_kwh'
) }} as published
where region_id is not null
order by region_id, period_start, is_synthetic, fetched_at desc, payload_id desc, forecast_gco2_kwh desc nulls last
