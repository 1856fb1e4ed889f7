"""A placement has chunks, and knows which one it replaced and why; workloads that may be interrupted; receipts.

Capacity is counted by chunk, each half-hour of it with the power that it draws then.
"""

from alembic import op
from sqlalchemy import text

revision = "20261126_1500"
down_revision = "20261126_1110"

SERVICE, TRANSFORMER = "energy_service", "energy_transformer"

WORKLOADS = """
alter table app.compute_workloads
    add column is_interruptible boolean not null default false,
    add column min_chunk_minutes integer not null default 30 check (min_chunk_minutes between 1 and 10080),
    add column max_chunks smallint not null default 1 check (max_chunks between 1 and 48),
    add column resume_overhead_minutes integer not null default 0 check (resume_overhead_minutes between 0 and 1440),
    add column power_profile_kw numeric(14, 6)[]
        check (cardinality(power_profile_kw) between 1 and 336 and 0 <= all (power_profile_kw)),
    add column is_pinned boolean not null default false,
    add column freeze_minutes integer not null default 0 check (freeze_minutes between 0 and 10080),
    add column risk text not null default 'expected' check (risk in ('expected', 'cautious')),
    add check (is_interruptible or max_chunks = 1);
comment on column app.compute_workloads.max_chunks is 'In how many pieces it may run; 1 unless it is interruptible.';
comment on column app.compute_workloads.min_chunk_minutes is 'Each piece does at least so much of the work (all of it, if that is less).';
comment on column app.compute_workloads.resume_overhead_minutes is 'Each piece but the first begins with so many minutes that do none of the work.';
comment on column app.compute_workloads.power_profile_kw is 'Power in each half-hour of the run, kW; power_kw is its mean. Null: power_kw throughout.';
comment on column app.compute_workloads.is_pinned is 'Its placement is not moved by a new plan.';
comment on column app.compute_workloads.freeze_minutes is 'Its placement is not moved within so many minutes before it starts.';
comment on column app.compute_workloads.risk is 'expected decides by the middle of the forecast band, cautious by its upper end.';
"""

PLACEMENTS = """
alter table app.workload_placements
    add column chunks smallint not null default 1 check (chunks between 1 and 48),
    add column power_profile_kw numeric(14, 6)[] check (chunks = 1 or power_profile_kw is null),
    add column reason text not null default 'submitted'
        check (reason in ('submitted', 'asked', 'replanned', 'tried again', 'returned')),
    add column replaces uuid references app.workload_placements,
    add column gain_gbp numeric(14, 6),
    add column gain_carbon_kg numeric(14, 4),
    add column gain_cost_gbp numeric(14, 4),
    add check (replaces <> placement_id);
create unique index on app.workload_placements (replaces);
comment on column app.workload_placements.chunks is 'In how many pieces it runs; app.placement_chunks has them.';
comment on column app.workload_placements.power_profile_kw is
    'Power in each half-hour from its start, kW, of a run in one piece whose power varies; null otherwise.';
comment on column app.workload_placements.reason is 'Why it was made: submitted; asked (placed again on request); replanned (a new '
    'forecast); tried again (there was no place before); returned (its runner gave it up).';
comment on column app.workload_placements.replaces is 'The placement that it superseded: that one is released, and stays.';
comment on column app.workload_placements.gain_gbp is 'What the move promised, in pounds of the score; known_at is the vintage that caused it.';
comment on column app.workload_placements.gain_carbon_kg is 'What the move promised, kg.';
comment on column app.workload_placements.gain_cost_gbp is 'What the move promised, GBP; null without a price of both.';

create table app.placement_chunks (
    placement_id uuid not null references app.workload_placements on delete cascade,
    number smallint not null check (number > 0),
    operator_id uuid not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null check (ends_at > starts_at),
    power_kw numeric(14, 6) not null check (power_kw > 0),
    profile_kw numeric(14, 6)[] check (cardinality(profile_kw) > 0 and 0 <= all (profile_kw)),
    primary key (placement_id, number)
);
comment on table app.placement_chunks is 'One row is a piece of a placement, in the order of time: from when until when it runs.';
comment on column app.placement_chunks.power_kw is 'The most that it draws.';
comment on column app.placement_chunks.profile_kw is 'What it draws in each half-hour from its start, kW; null: power_kw throughout.';
"""

# The one form of "what is taken, and when". Most runs are in one piece of constant power: these are read without their chunk.
STEPS = """
create index on app.workload_placements (venue, ends_at) where chunks > 1 or power_profile_kw is not null;
create view app.placement_steps with (security_invoker = true) as
select
    placement.placement_id, placement.operator_id, placement.venue, placement.placed_at, placement.released_at,
    placement.starts_at, placement.ends_at, placement.power_kw, placement.starts_at as run_starts_at, placement.ends_at as run_ends_at
from app.workload_placements as placement
where placement.chunks = 1 and placement.power_profile_kw is null
union all
select
    placement.placement_id, placement.operator_id, placement.venue, placement.placed_at, placement.released_at,
    step.starts_at, step.ends_at, step.power_kw, placement.starts_at, placement.ends_at
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
comment on view app.placement_steps is 'One row is a stretch of constant power of a placement.';
"""

# A run in one piece needs no second statement: its chunk is made with it.
CHUNKS = """
insert into app.placement_chunks (placement_id, number, operator_id, starts_at, ends_at, power_kw)
select placement_id, 1, operator_id, starts_at, ends_at, power_kw from app.workload_placements;

create function app.make_chunk() returns trigger language plpgsql security definer set search_path = '' as $$
declare
    speaks_for constant text := current_setting('energy.operator_id', true);
begin
    perform set_config('energy.operator_id', 'all', true);
    insert into app.placement_chunks (placement_id, number, operator_id, starts_at, ends_at, power_kw, profile_kw)
    select
        new.placement_id, 1, new.operator_id, new.starts_at, new.ends_at,
        coalesce((select max(kw) from unnest(new.power_profile_kw) as kw), new.power_kw), new.power_profile_kw;
    perform set_config('energy.operator_id', coalesce(speaks_for, ''), true);
    return null;
end
$$;
create trigger placement_makes_chunk after insert on app.workload_placements
    for each row when (new.chunks = 1) execute function app.make_chunk();

create function app.keep_capacity() returns trigger language plpgsql security definer set search_path = '' as $$
declare
    speaks_for constant text := current_setting('energy.operator_id', true);
    placement app.workload_placements;
    peak numeric;
begin
    if tg_op = 'UPDATE' then
        raise exception 'a chunk does not change: its placement is released, and another one is made'
            using errcode = 'check_violation', constraint = 'placement_is_kept';
    end if;
    perform app.lock_capacity();
    perform set_config('energy.operator_id', 'all', true);
    select * into placement from app.workload_placements where placement_id = new.placement_id;
    if placement.operator_id <> new.operator_id then
        raise exception 'a chunk belongs to the operator of its placement'
            using errcode = 'check_violation', constraint = 'placement_chunks_operator';
    end if;
    -- what is released takes nothing; what is in one piece of constant power was looked at with its placement
    if placement.released_at is not null or (placement.chunks = 1 and placement.power_profile_kw is null) then
        perform set_config('energy.operator_id', coalesce(speaks_for, ''), true);
        return new;
    end if;
    with mine as (
        select new.starts_at, new.ends_at, new.power_kw where new.profile_kw is null
        union all
        select
            new.starts_at + (profile.number - 1) * interval '30 minutes',
            least(new.ends_at, new.starts_at + profile.number * interval '30 minutes'), profile.kw
        from unnest(new.profile_kw) with ordinality as profile (kw, number)
        where new.starts_at + (profile.number - 1) * interval '30 minutes' < new.ends_at
    ),

    change as (
        select mine.starts_at as instant, mine.power_kw as kw from mine
        union all
        select mine.ends_at, - mine.power_kw from mine
        union all
        select bound.instant, bound.kw
        from app.placement_steps as other
        cross join lateral (
            values (greatest(other.starts_at, new.starts_at), other.power_kw), (least(other.ends_at, new.ends_at), - other.power_kw)
        ) as bound (instant, kw)
        where other.venue = placement.venue and other.released_at is null and other.placement_id <> new.placement_id
            and other.run_starts_at < new.ends_at and other.run_ends_at > new.starts_at
            and other.starts_at < new.ends_at and other.ends_at > new.starts_at
    )

    select max(load) into peak from (
        select sum(sum(change.kw)) over (order by change.instant) as load from change group by change.instant
    ) as loads;
    perform set_config('energy.operator_id', coalesce(speaks_for, ''), true);
    if peak > placement.capacity_kw then
        raise exception 'the venue has no such capacity left' using errcode = 'check_violation', constraint = 'placement_capacity';
    end if;
    return new;
end
$$;
create trigger chunk_keeps_capacity before insert or update on app.placement_chunks
    for each row execute function app.keep_capacity();

-- as a transaction ends, a placement has the chunks that it says, and they do the work of the workload
create function app.chunks_hold() returns trigger language plpgsql security definer set search_path = '' as $$
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
    if said is not null then
        raise exception 'a placement %', said using errcode = 'check_violation', constraint = 'placement_chunks';
    end if;
    return null;
end
$$;
create constraint trigger placement_chunks_hold after insert on app.workload_placements
    deferrable initially deferred for each row when (new.chunks > 1) execute function app.chunks_hold();
create constraint trigger chunks_hold after insert on app.placement_chunks
    deferrable initially deferred for each row when (new.number > 1) execute function app.chunks_hold();
revoke execute on function app.make_chunk(), app.keep_capacity(), app.chunks_hold() from public;
"""

# As before, with what chunks take in place of what whole placements took.
CAPACITY = """
create or replace function app.capacity_taken(venues text[], from_instant timestamptz, to_instant timestamptz, known_at timestamptz default 'infinity')
returns table (venue text, instant timestamptz, change_kw numeric)
language plpgsql security definer set search_path = '' as $$
declare
    speaks_for constant text := current_setting('energy.operator_id', true);
begin
    perform set_config('energy.operator_id', 'all', true);
    return query
        with booked as materialized (
            select step.venue, greatest(step.starts_at, from_instant) as starts_at, step.ends_at, step.power_kw
            from app.placement_steps as step
            where step.venue = any(venues) and step.run_ends_at > from_instant and step.run_starts_at < to_instant
                and step.ends_at > from_instant and step.starts_at < to_instant
                and step.placed_at < capacity_taken.known_at
                and (step.released_at is null or step.released_at > capacity_taken.known_at)
        )
        select change.venue, change.instant, sum(change.change_kw)
        from (
            select booked.venue, booked.starts_at as instant, booked.power_kw as change_kw from booked
            union all
            select booked.venue, booked.ends_at, - booked.power_kw from booked
        ) as change
        group by change.venue, change.instant
        order by change.venue, change.instant;
    perform set_config('energy.operator_id', speaks_for, true);
end
$$;

create or replace function app.keep_rules_of_venue() returns trigger language plpgsql security definer
set search_path = '' as $$
declare
    speaks_for constant text := current_setting('energy.operator_id', true);
    asset app.compute_assets;
    workload app.compute_workloads;
    peak numeric;
begin
    if new.released_at is not null then  -- it takes nothing any more
        return new;
    end if;
    perform app.lock_capacity();
    perform set_config('energy.operator_id', 'all', true);
    select * into workload from app.compute_workloads where workload_id = new.workload_id;
    if new.starts_at < workload.earliest_start or new.ends_at > workload.deadline then
        raise exception 'a placement lies between the earliest start and the deadline of its workload'
            using errcode = 'check_violation', constraint = 'placement_deadline';
    end if;
    if new.asset_id is not null then
        select * into asset from app.compute_assets where asset_id = new.asset_id;
        if not asset.is_active then
            raise exception 'the asset is not active' using errcode = 'check_violation', constraint = 'placement_asset';
        end if;
        if new.starts_at > workload.earliest_start + make_interval(mins => asset.max_deferral_minutes) then
            raise exception 'the asset does not wait that long'
                using errcode = 'check_violation', constraint = 'placement_deferral';
        end if;
        new.capacity_kw := asset.rated_power_kw;
    end if;
    if new.chunks = 1 and new.power_profile_kw is null then  -- of any other, its chunks are looked at
        select max(load) into peak from (
            select sum(sum(change.kw)) over (order by change.instant) as load
            from app.placement_steps as other
            cross join lateral (
                values (greatest(other.starts_at, new.starts_at), other.power_kw), (least(other.ends_at, new.ends_at), - other.power_kw)
            ) as change (instant, kw)
            where other.venue = new.venue and other.released_at is null and other.placement_id <> new.placement_id
                and other.run_starts_at < new.ends_at and other.run_ends_at > new.starts_at
                and other.starts_at < new.ends_at and other.ends_at > new.starts_at
            group by change.instant
        ) as loads;
        if coalesce(peak, 0) + new.power_kw > new.capacity_kw then
            raise exception 'the venue has no such capacity left' using errcode = 'check_violation', constraint = 'placement_capacity';
        end if;
    end if;
    perform set_config('energy.operator_id', speaks_for, true);
    return new;
end
$$;
"""

# A resumption takes power too: so much more than its workload needs, and no more.
BOOKING = """
create or replace function app.keep_booking() returns trigger language plpgsql security definer set search_path = '' as $$
declare
    speaks_for constant text := current_setting('energy.operator_id', true);
    workload app.compute_workloads;
    overhead_kwh numeric;
    most_kw numeric;
begin
    if tg_op = 'UPDATE' then
        if old.released_at is not null or new.released_at is null
            or to_jsonb(new) - 'released_at' is distinct from to_jsonb(old) - 'released_at' then
            raise exception 'a placement does not change: it is released, and another one is made'
                using errcode = 'check_violation', constraint = 'placement_is_kept';
        end if;
        return new;
    end if;
    perform set_config('energy.operator_id', 'all', true);
    select * into workload from app.compute_workloads where workload_id = new.workload_id;
    perform set_config('energy.operator_id', speaks_for, true);
    overhead_kwh := (new.chunks - 1) * workload.resume_overhead_minutes / 60.0
        * coalesce((select max(kw) from unnest(workload.power_profile_kw) as kw), workload.power_kw);
    -- except for the last digit: both were rounded from a binary fraction
    if abs(new.power_kw - workload.power_kw) > 0.000001 * greatest(1, workload.power_kw)
        or new.energy_kwh < workload.energy_kwh - 0.000001 * greatest(1, workload.energy_kwh)
        or new.energy_kwh > workload.energy_kwh + overhead_kwh + 0.000001 * greatest(1, workload.energy_kwh) then
        raise exception 'a placement takes the power and the energy of its workload'
            using errcode = 'check_violation', constraint = 'placement_power';
    end if;
    if new.chunks = 1 and new.power_profile_kw is distinct from workload.power_profile_kw
        or new.chunks > workload.max_chunks then
        raise exception 'a placement has the power profile of its workload, and no more chunks than it allows'
            using errcode = 'check_violation', constraint = 'placement_chunks';
    end if;
    if new.window_id is not null then
        if new.venue <> 'window:' || new.window_id then
            raise exception 'a placement in a window takes the capacity of that window'
                using errcode = 'check_violation', constraint = 'placement_window';
        end if;
        if to_regclass('public.grid_snapshots') is not null and has_table_privilege('public.grid_snapshots', 'select') then
            execute 'select max(available_capacity_mw) * 1000 from public.grid_snapshots where window_id = $1'
                into most_kw using new.window_id;
            if new.capacity_kw > most_kw then
                raise exception 'the window never had that capacity'
                    using errcode = 'check_violation', constraint = 'placement_capacity';
            end if;
        end if;
    end if;
    return new;
end
$$;
create or replace function app.keep_demand() returns trigger language plpgsql set search_path = '' as $$
begin
    if old.status <> 'pending' and (
        new.power_kw, new.energy_kwh, new.duration_minutes, new.operator_id, new.workload_id, new.is_interruptible,
        new.max_chunks, new.min_chunk_minutes, new.resume_overhead_minutes, new.power_profile_kw
    ) is distinct from (
        old.power_kw, old.energy_kwh, old.duration_minutes, old.operator_id, old.workload_id, old.is_interruptible,
        old.max_chunks, old.min_chunk_minutes, old.resume_overhead_minutes, old.power_profile_kw
    ) then
        raise exception 'what a workload needs does not change once it is placed'
            using errcode = 'check_violation', constraint = 'workload_demand';
    end if;
    return new;
end
$$;
"""

RECEIPTS = """
create table app.receipts (
    workload_id uuid not null,
    version smallint not null check (version > 0),
    operator_id uuid not null,
    status text not null check (status in ('completed', 'failed', 'cancelled')),
    placement_id uuid not null references app.workload_placements on delete cascade,
    first_placement_id uuid not null references app.workload_placements on delete cascade,
    region_id smallint not null check (region_id between 1 and 14),
    began_at timestamptz not null,
    ended_at timestamptz not null check (ended_at >= began_at),
    energy_kwh numeric(18, 6) not null check (energy_kwh >= 0),
    duration_minutes integer not null,
    slack_minutes integer not null check (slack_minutes >= 0),
    moves smallint not null default 0,
    promised_carbon_kg numeric(14, 4),
    promised_cost_gbp numeric(14, 4),
    realised_carbon_kg numeric(14, 4),
    realised_cost_gbp numeric(14, 4),
    at_once_carbon_kg numeric(14, 4),
    at_once_cost_gbp numeric(14, 4),
    at_once_elsewhere_carbon_kg numeric(14, 4),
    first_plan_carbon_kg numeric(14, 4),
    first_plan_cost_gbp numeric(14, 4),
    foresight_carbon_kg numeric(14, 4),
    foresight_cost_gbp numeric(14, 4),
    half_hours_missing smallint not null default 0,
    synthetic_share numeric(5, 4) not null check (synthetic_share between 0 and 1),
    is_final boolean not null,
    known_at timestamptz not null,
    settled_at timestamptz not null default clock_timestamp(),
    primary key (workload_id, version),
    foreign key (workload_id, operator_id) references app.compute_workloads (workload_id, operator_id) on delete cascade
);
comment on table app.receipts is 'One row is a settlement of a finished workload: what it was promised, what came, and what else '
    'could have been. Settled again, as the next version, if what is known of its half-hours changes.';
comment on column app.receipts.promised_carbon_kg is 'By the placement that it ran by, from the forecasts of that moment.';
comment on column app.receipts.realised_carbon_kg is 'As it ran, by the last known intensity of its half-hours; null if one of them is unknown.';
comment on column app.receipts.at_once_carbon_kg is 'Had it started at its earliest start, in the same place.';
comment on column app.receipts.at_once_elsewhere_carbon_kg is 'Had it started then in the median of the regions in which it might have run.';
comment on column app.receipts.first_plan_carbon_kg is 'Had it run as it was placed first.';
comment on column app.receipts.foresight_carbon_kg is 'In the same place and within the same limits, chosen by what came.';
comment on column app.receipts.is_final is 'Whether the half-hours are no longer revised.';
create index on app.receipts (operator_id, ended_at desc);
"""
ROLES = "select rolname from pg_roles where rolname like 'energy\\_%' and pg_has_role(current_user, oid, 'MEMBER')"


def upgrade() -> None:
    """What exists is in one piece."""
    for part in (WORKLOADS, PLACEMENTS, STEPS, CAPACITY, BOOKING, CHUNKS, RECEIPTS):
        op.execute(part)
    roles = set(op.get_bind().scalars(text(ROLES)))
    for table in ("placement_chunks", "receipts"):
        op.execute(f"alter table app.{table} enable row level security")
        if SERVICE in roles:
            op.execute(
                f"create policy one_operator on app.{table} to {SERVICE} "
                "using (app.sees(operator_id)) with check (app.sees(operator_id))"
            )
            op.execute(f"grant select, insert on app.{table} to {SERVICE}")
        else:  # then the service is the owner, for whom only a forced policy holds
            op.execute(f"alter table app.{table} force row level security")
            op.execute(
                f"create policy one_operator on app.{table} using (current_setting('energy.operator_id', true) is null "
                "or current_setting('energy.operator_id', true) = '' or app.sees(operator_id))"
            )
        if TRANSFORMER in roles:
            op.execute(f"create policy shaping on app.{table} for select to {TRANSFORMER} using (true)")
            op.execute(f"grant select on app.{table} to {TRANSFORMER}")
    if SERVICE in roles:
        op.execute(f"grant select on app.placement_steps to {SERVICE}")


def downgrade() -> None:
    """Not offered: a placement in several pieces cannot be written as one."""
    raise RuntimeError("placements in several pieces are not made whole again")
