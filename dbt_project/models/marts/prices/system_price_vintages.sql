{{ config(
    materialized='keyed_table',
    unique_key=['period_start', 'calculated_at'],
    meta={'consumes': ['elexon__system_prices']},
    indexes=[{'columns': ['known_at']}],
) }}
-- Every answer of a day repeats the prices that have not changed: what is there stays as it was known first.
select distinct on (period_start, calculated_at)
    period_start,
    calculated_at,
    fetched_at as known_at,
    price_gbp_mwh,
    payload_id,
    is_synthetic,
    fetched_at,
    now() as updated_at
from {{ published_rows('elexon__system_prices') }} as published
where period_start is not null and calculated_at is not null and price_gbp_mwh is not null and not is_synthetic
    {%- if execute and not is_rebuild() %}
    and not exists (
        select 1 from {{ this }} as known
        where known.period_start = published.period_start and known.calculated_at = published.calculated_at
    )
    {%- endif %}
order by period_start, calculated_at, fetched_at, payload_id
