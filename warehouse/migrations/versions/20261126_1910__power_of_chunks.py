"""Chunks draw what their workload needs, half-hour by half-hour; so does a workload by its profile."""

from alembic import op

revision = "20261126_1910"
down_revision = "20261126_1900"

# As placement.chunks has it: a resumption draws the power that follows it, and a half-hour the highest of its powers.
POWER = """
create function app.chunks_draw_what_is_needed(placement app.workload_placements, workload app.compute_workloads)
returns boolean language plpgsql security definer set search_path = '' as $$
declare
    speaks_for constant text := current_setting('energy.operator_id', true);
    is_right boolean;
begin
    perform set_config('energy.operator_id', 'all', true);
    with chunk as (
        select
            one.number, one.power_kw, one.profile_kw,
            extract(epoch from one.ends_at - one.starts_at) / 60 as minutes,
            case when one.number > 1 then workload.resume_overhead_minutes else 0 end as resumes
        from app.placement_chunks as one
        where one.placement_id = placement.placement_id
    ),

    begun as (
        select
            chunk.*,
            coalesce(sum(minutes - resumes) over (order by number rows between unbounded preceding and 1 preceding), 0) as done
        from chunk
    ),

    half_hour as (  -- the minutes of the work that are done in it
        select
            begun.number, begun.power_kw, begun.profile_kw, slot,
            done + greatest(30 * slot - resumes, 0) as from_minute,
            done + greatest(least(30 * slot + 30, minutes) - resumes, 0) as to_minute
        from begun cross join lateral generate_series(0, ceil(minutes / 30)::integer - 1) as slot
    ),

    draw as (
        select
            number, power_kw, profile_kw, slot,
            case when profile_kw is null then power_kw else profile_kw[slot + 1] end as kw,
            coalesce((
                select max(of_work.kw)
                from unnest(workload.power_profile_kw) with ordinality as of_work (kw, at)
                where of_work.at between least(floor(from_minute / 30) + 1, cardinality(workload.power_profile_kw))
                    and greatest(ceil(to_minute / 30), floor(from_minute / 30) + 1)
            ), workload.power_kw) as needed_kw
        from half_hour
    )

    -- except for the last digit: both were rounded from a binary fraction
    select coalesce(bool_and(coalesce(is_drawn, false)), false) into is_right
    from (
        select
            bool_and(coalesce(abs(kw - needed_kw) <= 0.000001 * greatest(1, needed_kw), false))
                and abs(power_kw - max(needed_kw)) <= 0.000001 * greatest(1, power_kw)
                and coalesce(cardinality(profile_kw), count(*)) = count(*) as is_drawn
        from draw
        group by number, power_kw, profile_kw
    ) as of_chunk;
    perform set_config('energy.operator_id', coalesce(speaks_for, ''), true);
    return is_right;
end
$$;
revoke execute on function app.chunks_draw_what_is_needed(app.workload_placements, app.compute_workloads) from public;
"""

HOLD = """
create or replace function app.chunks_hold() returns trigger language plpgsql security definer set search_path = '' as $$
declare
    speaks_for constant text := current_setting('energy.operator_id', true);
    workload app.compute_workloads;
    placement app.workload_placements;
    said text;
    minutes numeric;
    least_minutes numeric;
    made record;
begin
    perform set_config('energy.operator_id', 'all', true);
    select * into placement from app.workload_placements where placement_id = new.placement_id;
    select * into workload from app.compute_workloads where workload_id = placement.workload_id;
    select
        count(*) as chunks, min(chunk.starts_at) as starts_at, max(chunk.ends_at) as ends_at, max(chunk.number) as last,
        bool_or(chunk.overlaps) as overlaps, sum(chunk.minutes) as minutes,
        min(chunk.minutes - case when chunk.number > 1 then workload.resume_overhead_minutes else 0 end) as least_minutes
    into made
    from (
        select
            one.number, one.starts_at, one.ends_at,
            extract(epoch from one.ends_at - one.starts_at) / 60 as minutes,
            one.starts_at <= lag(one.ends_at) over (order by one.number) as overlaps
        from app.placement_chunks as one
        where one.placement_id = new.placement_id
    ) as chunk;
    perform set_config('energy.operator_id', coalesce(speaks_for, ''), true);
    if placement.placement_id is null or workload.workload_id is null or placement.released_at is not null then
        return null;
    end if;
    said := case
        when made.chunks <> placement.chunks or made.last <> made.chunks then 'has the chunks that it says, numbered from 1'
        when made.overlaps then 'has chunks that lie apart, in the order of time'
        when made.starts_at <> placement.starts_at or made.ends_at <> placement.ends_at then 'begins and ends with its chunks'
        when made.chunks > workload.max_chunks then 'has no more chunks than its workload allows'
        when made.chunks > 1 and made.least_minutes < least(workload.min_chunk_minutes, workload.duration_minutes) - 0.001
            then 'has no chunk that is shorter than its workload allows'
        when made.chunks > 1 and abs(
            made.minutes - workload.duration_minutes - (made.chunks - 1) * workload.resume_overhead_minutes
        ) > 0.001 then 'runs as long as its workload needs, and as its resumptions take'
    end;
    -- a chunk never changes: with all of them there, one look is enough
    if said is null and tg_table_name = 'workload_placements' and not app.chunks_draw_what_is_needed(placement, workload) then
        said := 'draws in each half-hour of its chunks what its workload needs in it';
    end if;
    if said is not null then
        raise exception 'a placement %', said using errcode = 'check_violation', constraint = 'placement_chunks';
    end if;
    return null;
end
$$;
"""

# The first hours of a run may draw nothing. Not valid: what was accepted before stays.
PROFILE = """
alter table app.placement_chunks drop constraint placement_chunks_power_kw_check, add check (power_kw >= 0);

create function app.energy_of_profile(profile_kw numeric[], minutes integer) returns numeric language sql immutable parallel safe
return (
    select sum(of_work.kw * least(30, minutes - 30 * (of_work.at - 1))) / 60
    from unnest(profile_kw) with ordinality as of_work (kw, at)
);
comment on function app.energy_of_profile(numeric[], integer) is 'kWh of a run of so many minutes by its power in each half-hour.';
alter table app.compute_workloads add constraint workload_profile check (
    power_profile_kw is null
    or cardinality(power_profile_kw) = ceil(duration_minutes / 30.0)
    and abs(energy_kwh - app.energy_of_profile(power_profile_kw, duration_minutes)) <= 0.001 + energy_kwh * 0.001
) not valid;
"""


def upgrade() -> None:
    """What is booked stays as it is; a new booking is held to this."""
    for part in (POWER, HOLD, PROFILE):
        op.execute(part)


def downgrade() -> None:
    """Not offered: without these rules a capacity could be given twice."""
    raise RuntimeError("the rules of bookings are not undone")
