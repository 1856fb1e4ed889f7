{%- set parts = coverage_parts(covered_tables()) -%}
{%- set events = parts | rejectattr('value') | map(attribute='dataset') -%}
-- A day is listed if a payload covered it, or if it lies in a hole between days that were requested, or between the last of
-- them and today. Before the refreshes of a dataset began, a hole of more than {{ most_days_unasked() }} days is no gap: it lies
-- between a backfill of old days and the days of the refreshes. From then on every day is due.
with asked as (
    select dataset, settlement_date
    from {{ ref('int_data_coverage__days') }}
    -- a file of the year under way has days to come; those are not missing
    where dataset <> all('{ {{- events | join(',') -}} }'::text[])
        and (row_count > 0 or settlement_date <= {{ settlement_date('now()') }})
),

-- the first day that was landed while it was new: one entry of an index per dataset, whose condition this is word for word
refreshed as (
    select part.dataset, min({{ settlement_date('request.first_start') }}) as first_day
    from (
        {%- for part in parts %}{% set part_loop = loop %}{% for dataset in part.datasets %}
        select '{{ part.dataset }}'::text as dataset, '{{ dataset }}'::text as requested
        {{ 'union all' if not (loop.last and part_loop.last) }}
        {%- endfor %}{% else %}
        select null::text as dataset, null::text as requested
        {%- endfor %}
    ) as part
    cross join lateral (
        select min(landed.window_start) as first_start
        from {{ source('ops', 'fetches') }} as landed
        where landed.dataset = part.requested
            and landed.outcome = 'landed' and landed.fetched_at - landed.window_end < interval '1 day'
    ) as request
    group by part.dataset
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
    left join refreshed on followed.dataset = refreshed.dataset
    cross join lateral generate_series(
        0,
        case
            when followed.next_date - followed.settlement_date - 1 <= {{ most_days_unasked() }}
                or followed.settlement_date >= refreshed.first_day
                then followed.next_date - followed.settlement_date - 1
            else 0
        end
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
                now() - {{ coverage_lag('spine.dataset', covered_tables()) }}
                - {{ settlement_day_start('spine.settlement_date') }}) / 1800)
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
