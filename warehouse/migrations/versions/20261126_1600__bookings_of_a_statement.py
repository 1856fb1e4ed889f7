"""The rules of a booking are checked once for all rows of a statement; bookings are numbered in the order of their commits."""

from alembic import op

revision = "20261126_1600"
down_revision = "20261126_1530"

NUMBERED = """
alter table app.workload_placements add column booking_number bigint generated always as identity;
create unique index on app.workload_placements (booking_number);
create index on app.workload_placements (released_at) where released_at is not null;
create index on app.workload_placements (venue, ends_at) where released_at is null;
create or replace view app.placement_steps with (security_invoker = true) as
select
    placement.placement_id, placement.operator_id, placement.venue, placement.placed_at, placement.released_at,
    placement.starts_at, placement.ends_at, placement.power_kw, placement.starts_at as run_starts_at, placement.ends_at as run_ends_at,
    placement.booking_number
from app.workload_placements as placement
where placement.chunks = 1 and placement.power_profile_kw is null
union all
select
    placement.placement_id, placement.operator_id, placement.venue, placement.placed_at, placement.released_at,
    step.starts_at, step.ends_at, step.power_kw, placement.starts_at, placement.ends_at, placement.booking_number
from app.workload_placements as placement
inner join app.placement_chunks as chunk using (placement_id)
cross join lateral (
    select chunk.starts_at, chunk.ends_at, chunk.power_kw where chunk.profile_kw is null
    union all
    select
        chunk.starts_at + (profile.number - 1) * interval '30 minutes',
        least(chunk.ends_at, chunk.starts_at + profile.number * interval '30 minutes'), profile.kw
    from unnest(chunk.profile_kw) with ordinality as profile (kw, number)
    where chunk.starts_at + (profile.number - 1) * interval '30 minutes' < chunk.ends_at
) as step
where placement.chunks > 1 or placement.power_profile_kw is not null;
comment on column app.workload_placements.booking_number is
    'Bookings are made one transaction after another: whoever holds app.lock_capacity() and has seen one number has seen all below.';
"""

# Before the first row: so the numbers and `placed_at` of a statement are drawn while nobody else can book.
LOCKED = """
create function app.lock_bookings() returns trigger language plpgsql security definer set search_path = '' as $$
begin
    perform app.lock_capacity();
    return null;
end
$$;
create trigger placements_take_turns before insert on app.workload_placements
    for each statement execute function app.lock_bookings();
create trigger chunks_take_turns before insert on app.placement_chunks
    for each statement execute function app.lock_bookings();
"""

ROW_BY_ROW = """
drop trigger placement_keeps_rules on app.workload_placements;
drop trigger placement_is_kept on app.workload_placements;
drop function app.keep_rules_of_venue();
drop trigger placement_makes_chunk on app.workload_placements;
drop trigger chunk_keeps_capacity on app.placement_chunks;
drop function app.make_chunk(), app.keep_capacity();

create or replace function app.keep_booking() returns trigger language plpgsql set search_path = '' as $$
begin
    if old.released_at is not null or new.released_at is null
        or to_jsonb(new) - 'released_at' is distinct from to_jsonb(old) - 'released_at' then
        raise exception 'a placement does not change: it is released, and another one is made'
            using errcode = 'check_violation', constraint = 'placement_is_kept';
    end if;
    return new;
end
$$;
create trigger placement_is_kept before update on app.workload_placements
    for each row execute function app.keep_booking();

create function app.rate_asset() returns trigger language plpgsql security definer set search_path = '' as $$
declare
    speaks_for constant text := current_setting('energy.operator_id', true);
    rated numeric;
begin
    perform set_config('energy.operator_id', 'all', true);
    select rated_power_kw into rated from app.compute_assets where asset_id = new.asset_id;
    perform set_config('energy.operator_id', coalesce(speaks_for, ''), true);
    new.capacity_kw := coalesce(rated, new.capacity_kw);
    return new;
end
$$;
create trigger placement_capacity_of_asset before insert on app.workload_placements
    for each row when (new.asset_id is not null) execute function app.rate_asset();
"""

BY_STATEMENT = """
create function app.keep_rules_of_bookings() returns trigger language plpgsql security definer set search_path = '' as $$
declare
    speaks_for constant text := current_setting('energy.operator_id', true);
    broken record;
begin
    perform set_config('energy.operator_id', 'all', true);
    select rule.* into broken
    from added
    inner join app.compute_workloads as workload on workload.workload_id = added.workload_id
    left join app.compute_assets as asset on asset.asset_id = added.asset_id
    cross join lateral (
        values
            -- except for the last digit: both were rounded from a binary fraction
            (
                'placement_power', 'a placement takes the power and the energy of its workload',
                abs(added.power_kw - workload.power_kw) > 0.000001 * greatest(1, workload.power_kw)
                or added.energy_kwh < workload.energy_kwh - 0.000001 * greatest(1, workload.energy_kwh)
                -- a resumption takes power too
                or added.energy_kwh > workload.energy_kwh + 0.000001 * greatest(1, workload.energy_kwh)
                    + (added.chunks - 1) * workload.resume_overhead_minutes / 60.0
                    * coalesce((select max(kw) from unnest(workload.power_profile_kw) as kw), workload.power_kw)
            ),
            (
                'placement_chunks', 'a placement has the power profile of its workload, and no more chunks than it allows',
                added.chunks = 1 and added.power_profile_kw is distinct from workload.power_profile_kw
                or added.chunks > workload.max_chunks
            ),
            (
                'placement_window', 'a placement in a window takes the capacity of that window',
                added.venue <> 'window:' || added.window_id
            ),
            (
                'placement_deadline', 'a placement lies between the earliest start and the deadline of its workload',
                added.starts_at < workload.earliest_start or added.ends_at > workload.deadline
            ),
            ('placement_asset', 'the asset is not active', not asset.is_active),
            (
                'placement_deferral', 'the asset does not wait that long',
                added.starts_at > workload.earliest_start + make_interval(mins => asset.max_deferral_minutes)
            )
    ) as rule (name, sentence, is_broken)
    where rule.is_broken and (added.released_at is null or rule.name in ('placement_power', 'placement_chunks', 'placement_window'))
    limit 1;
    if found then
        raise exception '%', broken.sentence using errcode = 'check_violation', constraint = broken.name;
    end if;

    if exists (select from added where window_id is not null)
        and to_regclass('public.grid_snapshots') is not null and has_table_privilege('public.grid_snapshots', 'select') then
        execute 'select added.venue from added where added.window_id is not null and added.capacity_kw > ('
            'select max(available_capacity_mw) * 1000 from public.grid_snapshots as known '
            'where known.window_id = added.window_id) limit 1' into broken;
        if broken.venue is not null then
            raise exception 'the window never had that capacity'
                using errcode = 'check_violation', constraint = 'placement_capacity';
        end if;
    end if;

    with spans as materialized (
        select venue, min(starts_at) as begins, max(ends_at) as ends, min(capacity_kw) as least_kw
        from added where released_at is null and chunks = 1 and power_profile_kw is null  -- of any other, its chunks are looked at
        group by venue
    ),
    booked as materialized (  -- the rows of this statement are among them
        select spans.venue, greatest(other.starts_at, spans.begins) as starts_at, other.ends_at, other.power_kw, spans.least_kw
        from spans
        inner join app.placement_steps as other
            on other.venue = spans.venue and other.released_at is null
                and other.run_ends_at > spans.begins and other.run_starts_at < spans.ends
                and other.ends_at > spans.begins and other.starts_at < spans.ends
    ),
    -- most venues have room for all of their bookings at once: there no instant is looked at
    full_of as materialized (
        select venue from booked group by venue having sum(power_kw) > min(least_kw)
    ),
    loads as materialized (
        select venue, instant, sum(sum(kw)) over (partition by venue order by instant) as kw
        from (
            select venue, starts_at as instant, power_kw as kw from booked where venue in (select venue from full_of)
            union all
            select venue, ends_at, - power_kw from booked where venue in (select venue from full_of)
        ) as change
        group by venue, instant
    )
    select added.venue into broken
    from added
    inner join loads on loads.venue = added.venue and loads.instant >= added.starts_at and loads.instant < added.ends_at
    where added.released_at is null and added.chunks = 1 and added.power_profile_kw is null and loads.kw > added.capacity_kw
    limit 1;
    if found then
        raise exception 'the venue has no such capacity left' using errcode = 'check_violation', constraint = 'placement_capacity';
    end if;

    -- a run in one piece needs no second statement: its chunk is made with it
    insert into app.placement_chunks (placement_id, number, operator_id, starts_at, ends_at, power_kw, profile_kw)
    select
        placement_id, 1, operator_id, starts_at, ends_at,
        coalesce((select max(kw) from unnest(power_profile_kw) as kw), power_kw), power_profile_kw
    from added where chunks = 1;
    perform set_config('energy.operator_id', coalesce(speaks_for, ''), true);
    return null;
end
$$;
create trigger placements_keep_rules after insert on app.workload_placements
    referencing new table as added for each statement execute function app.keep_rules_of_bookings();

create function app.keep_chunk() returns trigger language plpgsql set search_path = '' as $$
begin
    raise exception 'a chunk does not change: its placement is released, and another one is made'
        using errcode = 'check_violation', constraint = 'placement_is_kept';
end
$$;
create trigger chunk_is_kept before update on app.placement_chunks for each row execute function app.keep_chunk();

create function app.keep_capacity_of_chunks() returns trigger language plpgsql security definer set search_path = '' as $$
declare
    speaks_for constant text := current_setting('energy.operator_id', true);
    looked_at record;
begin
    perform set_config('energy.operator_id', 'all', true);
    if exists (
        select from added inner join app.workload_placements as placement using (placement_id)
        where placement.operator_id <> added.operator_id
    ) then
        raise exception 'a chunk belongs to the operator of its placement'
            using errcode = 'check_violation', constraint = 'placement_chunks_operator';
    end if;
    -- what is released takes nothing; what is in one piece of constant power was looked at with its placement
    for looked_at in
        select added.starts_at, added.ends_at, placement.venue, placement.capacity_kw
        from added inner join app.workload_placements as placement using (placement_id)
        where placement.released_at is null and (placement.chunks > 1 or placement.power_profile_kw is not null)
    loop
        if looked_at.capacity_kw < (
            select max(load) from (
                select sum(sum(change.kw)) over (order by change.instant) as load
                from app.placement_steps as step  -- the new chunks are among them
                cross join lateral (
                    values (greatest(step.starts_at, looked_at.starts_at), step.power_kw),
                        (least(step.ends_at, looked_at.ends_at), - step.power_kw)
                ) as change (instant, kw)
                where step.venue = looked_at.venue and step.released_at is null
                    and step.run_starts_at < looked_at.ends_at and step.run_ends_at > looked_at.starts_at
                    and step.starts_at < looked_at.ends_at and step.ends_at > looked_at.starts_at
                group by change.instant
            ) as loads
        ) then
            raise exception 'the venue has no such capacity left'
                using errcode = 'check_violation', constraint = 'placement_capacity';
        end if;
    end loop;
    perform set_config('energy.operator_id', coalesce(speaks_for, ''), true);
    return null;
end
$$;
create trigger chunks_keep_capacity after insert on app.placement_chunks
    referencing new table as added for each statement execute function app.keep_capacity_of_chunks();
revoke execute on function app.lock_bookings(), app.rate_asset(), app.keep_rules_of_bookings(), app.keep_chunk(),
    app.keep_capacity_of_chunks() from public;
"""


def upgrade() -> None:
    """The same rules and the same words; one look at each venue for all rows of a statement."""
    op.execute(NUMBERED)
    op.execute(LOCKED)
    op.execute(ROW_BY_ROW)
    op.execute(BY_STATEMENT)


def downgrade() -> None:
    """Not offered: without these rules a capacity could be given twice."""
    raise RuntimeError("the rules of bookings are not undone")
