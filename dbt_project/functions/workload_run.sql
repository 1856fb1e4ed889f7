-- A chunk whose start was reported ran from then until it was stopped, or to the end of the run. Any other is taken to have run as
-- it was placed, between those that were reported: the first from when the run began, the last until it ended.
with piece as (
    select
        chunk.number,
        coalesce(chunk.profile_kw, array[chunk.power_kw]) as draws_kw,
        case
            when placement.chunks = 1 then workload_run.began
            else coalesce(reported.started_at, chunk.starts_at)
        end as counted_from,
        case when chunk.number = 1 then workload_run.began else chunk.starts_at end as placed_from,
        case when chunk.number < placement.chunks then chunk.ends_at end as placed_to,
        reported.started_at,
        case when reported.started_at is not null then coalesce(reported.stopped_at, workload_run.ended) end as stopped_at
    from {{ source('app', 'placement_chunks').include(database=false) }} as chunk
    inner join {{ source('app', 'workload_placements').include(database=false) }} as placement
        on chunk.placement_id = placement.placement_id
    left join {{ source('app', 'workload_chunk_runs').include(database=false) }} as reported
        on chunk.placement_id = reported.placement_id and chunk.number = reported.number
    where chunk.placement_id = workload_run.placement_id
),

course as (
    select
        number,
        draws_kw,
        counted_from,
        greatest(workload_run.began, coalesce(
            started_at, greatest(placed_from, max(stopped_at) over before_it)
        )) as runs_from,
        least(workload_run.ended, coalesce(
            stopped_at, least(placed_to, min(started_at) over after_it)
        )) as runs_to
    from piece
    window
        before_it as (order by number rows between unbounded preceding and 1 preceding),
        after_it as (order by number rows between 1 following and unbounded following)
),

-- the first draw also of what began early, the last one until the chunk stops
stretch as (
    select
        case
            when step.at = 1 then course.runs_from
            else greatest(course.runs_from, course.counted_from + (step.at - 1) * interval '30 minutes')
        end as starts_at,
        case
            when step.at = cardinality(course.draws_kw) then course.runs_to
            else least(course.runs_to, course.counted_from + step.at * interval '30 minutes')
        end as ends_at,
        step.kw as power_kw
    from course
    cross join lateral unnest(course.draws_kw) with ordinality as step (kw, at)
)

select
    starts_at,
    ends_at,
    power_kw
from stretch
where starts_at < ends_at and power_kw > 0
