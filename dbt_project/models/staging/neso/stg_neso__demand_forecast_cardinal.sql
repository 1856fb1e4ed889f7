-- A cardinal point is at the middle of its clocks; between two points demand is a straight line, before the first and
-- after the last it is theirs. A last point that does not end the day is where an answer was cut off: nothing is said of what
-- comes after it. The last issue for a day counts where a file has several.
-- No step reads two payloads together, so that a condition on `payload_id` decides which ones are unpacked.
with unpacked as (
    select
        {{ provenance() }},
        -- it carries a Z and is London's clock: read as UTC it would lie after the file was published
        coalesce(
            rtrim(record ->> 'FORECAST_TIMESTAMP', 'Z')::timestamp at time zone 'Europe/London',
            {{ file_instant() }}
        ) as issued_at,
        {{ ckan_date('TARGETDATE') }} as target_date,
        {{ ckan_number('FORECASTDEMAND') }} as national_demand,
        {{ ckan_number('CP_ST_TIME') }}::integer as start_clock,
        {{ ckan_number('CP_END_TIME') }}::integer as end_clock
    from {{ records('neso__demand_forecast_cardinal', at='result,records') }}
),

points as (
    select
        *,
        (
            target_date
            + (start_clock / 100 * 60 + start_clock % 100 + end_clock / 100 * 60 + end_clock % 100 - 60) / 2.0
            * interval '1 minute'
        ) at time zone 'Europe/London' as point_at,
        issued_at = max(issued_at) over (partition by payload_id, target_date) or issued_at is null as is_last_issue
    from unpacked
),

lines as (
    select
        {{ provenance('points') }},
        issued_at,
        target_date,
        national_demand,
        point_at,
        lead(point_at) over day as next_at,
        lead(national_demand) over day as next_demand,
        row_number() over day = 1 as is_first,
        end_clock = 2400 as ends_the_day
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
        and (
            lines.next_at > spine.period_start
            or (lines.next_at is null and (lines.ends_the_day or lines.point_at >= spine.period_start))
        )
),

interpolated as (
    select
        {{ provenance('half_hours') }},
        period_start,
        issued_at,
        case
            when period_start is null then null
            when next_at is null or period_start < point_at then national_demand
            else national_demand + (next_demand - national_demand)
                * (extract(epoch from period_start - point_at) / nullif(extract(epoch from next_at - point_at), 0))
        end as national_demand,
        null::numeric as transmission_system_demand
    from half_hours
    where period_start is not null or point_at is null or next_at is not null or ends_the_day
)

{{ forecast_demand('interpolated') }}
