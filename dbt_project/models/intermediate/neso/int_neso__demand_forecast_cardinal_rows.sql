-- A cardinal point stands at the middle of its clocks; between two points demand is a straight line, before the first and
-- after the last it is theirs. The last issue for a day counts where a file has several.
with points as (
    select
        *,
        (
            target_date
            + (start_clock / 100 * 60 + start_clock % 100 + end_clock / 100 * 60 + end_clock % 100 - 60) / 2.0
            * interval '1 minute'
        ) at time zone 'Europe/London' as point_at,
        issued_at = max(issued_at) over (partition by payload_id, target_date) or issued_at is null as is_last_issue
    from {{ ref('stg_neso__demand_forecast_cardinal') }}
),

lines as (
    select
        payload_id,
        is_synthetic,
        fetched_at,
        issued_at,
        target_date,
        national_demand,
        point_at,
        lead(point_at) over day as next_at,
        lead(national_demand) over day as next_demand,
        row_number() over day = 1 as is_first
    from points
    where is_last_issue
    window day as (partition by payload_id, target_date order by point_at, national_demand)
),

half_hours as (
    select lines.*, spine.period_start
    from lines
    left join lateral generate_series(
        {{ settlement_day_start('lines.target_date') }},
        {{ settlement_day_start('lines.target_date + 1') }} - interval '30 minutes',
        interval '30 minutes'
    ) as spine (period_start)
        on (lines.point_at <= spine.period_start or lines.is_first)
        and (lines.next_at > spine.period_start or lines.next_at is null)
),

interpolated as (
    select
        *,
        case
            when period_start is null then null
            when next_at is null or period_start < point_at then national_demand
            else national_demand + (next_demand - national_demand)
                * (extract(epoch from period_start - point_at) / nullif(extract(epoch from next_at - point_at), 0))
        end as demand
    from half_hours
)

-- No step reads two payloads together, so that a condition on `payload_id` decides which ones are unpacked.
select
    payload_id,
    is_synthetic,
    fetched_at,
    period_start,
    coalesce(issued_at, fetched_at) as issued_at,
    (case when demand between 1 and {{ most_demand_mw() }} then round(demand) end)::integer as national_demand_mw,
    null::integer as transmission_system_demand_mw,
    case when demand not between 1 and {{ most_demand_mw() }} then 'demand outside 1..{{ most_demand_mw() }} MW' end as fault
from interpolated
