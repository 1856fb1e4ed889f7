"""How complete the last seven whole days of each dataset are."""

LAST_WEEK = """
select
    dataset, max(settlement_date) as newest_day, sum(half_hours_expected)::bigint as expected,
    sum(half_hours_present)::bigint as present, sum(half_hours_synthetic)::bigint as synthetic
from data_coverage
where settlement_date between current_date - 7 and current_date - 1
group by dataset
order by dataset
"""
