-- Days in a row with something missing, as one range.
with numbered as (
    select
        dataset,
        settlement_date,
        half_hours_missing,
        settlement_date - row_number() over (partition by dataset order by settlement_date)::integer as range_key
    from {{ ref('data_coverage') }}
    where is_gap
)

select
    dataset,
    min(settlement_date) as first_day,
    max(settlement_date) as last_day,
    sum(half_hours_missing)::integer as half_hours_missing,
    'make backfill FROM=' || min(settlement_date) || ' TO=' || max(settlement_date) || ' DATASETS=' || split_part(dataset, '/', 1)
        as filled_by
from numbered
group by dataset, range_key
