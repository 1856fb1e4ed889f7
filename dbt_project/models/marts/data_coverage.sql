with spans as (
    select dataset, min(settlement_date) as first_day, max(settlement_date) as last_day
    from {{ ref('int_data_coverage__days') }}
    -- a file of the year under way speaks of days to come; those are not missing
    where dataset <> 'flexibility_prices'
        and (row_count > 0 or settlement_date <= {{ settlement_date('now()') }})
    group by dataset
)

select
    spans.dataset,
    spine.settlement_date,
    {{ half_hours_expected('spine.settlement_date') }}::smallint as half_hours_expected,
    coalesce(days.half_hours_present, 0)::smallint as half_hours_present,
    coalesce(days.half_hours_real, 0)::smallint as half_hours_real,
    coalesce(days.half_hours_synthetic, 0)::smallint as half_hours_synthetic,
    coalesce(days.row_count, 0) as row_count,
    coalesce(days.row_count_synthetic, 0) as row_count_synthetic
from spans
cross join lateral (
    select spans.first_day + n as settlement_date from generate_series(0, spans.last_day - spans.first_day) as n
) as spine
left join {{ ref('int_data_coverage__days') }} as days
    on spans.dataset = days.dataset and spine.settlement_date = days.settlement_date
