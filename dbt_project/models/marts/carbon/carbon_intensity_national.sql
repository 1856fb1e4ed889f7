{{ config(materialized='keyed_table', unique_key='period_start', meta={'consumes': ['carbon_intensity__national']}) }}
-- The upstream has given two rows for one half-hour in one body (2021-04-19 19:00Z): the more carbon-heavy one counts,
-- so that a doubt never makes a slot look greener.
select distinct on (period_start)
    period_start,
    period_end,
    forecast_gco2_kwh,
    actual_gco2_kwh,
    intensity_index,
    is_isolated,
    payload_id,
    is_synthetic,
    fetched_at,
    now() as updated_at
from {{ with_isolated(
    published_rows('carbon_intensity__national', without_archive=true), 'coalesce(actual_gco2_kwh, forecast_gco2_kwh)', ['payload_id'],
    previous=captured_before(ref('int_carbon_intensity__captures'), 18, 'beside'), sent='coalesce(actual_gco2_kwh, sent_gco2_kwh)'
) }} as published
where period_start is not null
order by
    period_start, is_synthetic, fetched_at desc, payload_id desc,
    actual_gco2_kwh desc nulls last, forecast_gco2_kwh desc nulls last
