-- A day is listed if a payload spoke of it, or if it lies in a hole of at most {{ most_days_unasked() }} days between days
-- that were asked for, or between the last of them and today. A longer stretch that nobody asked for is no gap: it lies
-- between a backfill of old days and the days of the refreshes.
with asked as (
    select dataset, settlement_date
    from {{ ref('int_data_coverage__days') }}
    -- a file of the year under way speaks of days to come; those are not missing
    where dataset <> 'flexibility_prices'
        and (row_count > 0 or settlement_date <= {{ settlement_date('now()') }})
),

followed as (
    select
        dataset,
        settlement_date,
        coalesce(
            lead(settlement_date) over (partition by dataset order by settlement_date),
            greatest(settlement_date, {{ settlement_date('now()') }}) + 1
        ) as next_date
    from asked
),

spine as (
    select followed.dataset, followed.settlement_date + n as settlement_date
    from followed
    cross join lateral generate_series(
        0, case when next_date - settlement_date - 1 <= {{ most_days_unasked() }} then next_date - settlement_date - 1 else 0 end
    ) as n
),

counted as (
    select
        spine.dataset,
        spine.settlement_date,
        {{ half_hours_expected('spine.settlement_date') }} as half_hours_expected,
        -- those that have been, and that the upstreams have had the time to publish
        greatest(0, least(
            {{ half_hours_expected('spine.settlement_date') }},
            floor(extract(epoch from
                now() - {{ coverage_lag('spine.dataset') }} - {{ settlement_day_start('spine.settlement_date') }}) / 1800)
        ))::integer as half_hours_due,
        coalesce(days.half_hours_present, 0) as half_hours_present,
        coalesce(days.half_hours_real, 0) as half_hours_real,
        coalesce(days.half_hours_synthetic, 0) as half_hours_synthetic,
        coalesce(days.row_count, 0) as row_count,
        coalesce(days.row_count_synthetic, 0) as row_count_synthetic
    from spine
    left join {{ ref('int_data_coverage__days') }} as days
        on spine.dataset = days.dataset and spine.settlement_date = days.settlement_date
)

select
    dataset,
    settlement_date,
    half_hours_expected::smallint as half_hours_expected,
    half_hours_present::smallint as half_hours_present,
    half_hours_real::smallint as half_hours_real,
    half_hours_synthetic::smallint as half_hours_synthetic,
    row_count,
    row_count_synthetic,
    greatest(0, half_hours_due - half_hours_present)::smallint as half_hours_missing,
    half_hours_due > half_hours_present as is_gap
from counted
