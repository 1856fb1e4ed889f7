"""What a venue carries is never the word of whoever books: a region's capacity is the owner's, its name its operator's and its own."""

from alembic import op

revision = "20261126_1900"
down_revision = "20261126_1620"

# `prepare` keeps REGION_CAPACITY_KW here: it runs as the owner, and no room has a right on this table.
REGIONS = """
create table app.region_limit (
    is_the_one boolean primary key default true check (is_the_one),
    capacity_kw numeric(14, 3) not null check (capacity_kw > 0)
);
comment on table app.region_limit is 'The one row is what an operator may place in a region at one time: REGION_CAPACITY_KW.';
insert into app.region_limit (capacity_kw) values (1000);

create function app.rate_venue() returns trigger language plpgsql security definer set search_path = '' as $$
declare
    speaks_for constant text := current_setting('energy.operator_id', true);
    rated numeric;
begin
    if new.asset_id is not null then
        perform set_config('energy.operator_id', 'all', true);
        select rated_power_kw into rated from app.compute_assets where asset_id = new.asset_id;
        perform set_config('energy.operator_id', coalesce(speaks_for, ''), true);
        new.capacity_kw := coalesce(rated, new.capacity_kw);
        return new;
    end if;
    if new.venue <> format('region:%s/%s', new.operator_id, new.region_id) then
        raise exception 'a placement in a region takes the capacity of its operator there'
            using errcode = 'check_violation', constraint = 'placement_venue';
    end if;
    -- a booking may keep to less, and never has more
    select least(new.capacity_kw, region_limit.capacity_kw) into new.capacity_kw from app.region_limit;
    if new.power_kw > new.capacity_kw then
        raise exception 'the venue has no such capacity' using errcode = 'check_violation', constraint = 'placement_capacity';
    end if;
    return new;
end
$$;
drop trigger placement_capacity_of_asset on app.workload_placements;
drop function app.rate_asset();
create trigger placement_capacity_of_venue before insert on app.workload_placements
    for each row when (new.window_id is null) execute function app.rate_venue();
revoke execute on function app.rate_venue() from public;
"""

# As before, and: a run in one piece takes its venue for as long as its workload runs; a window that no catalogue has named has nothing.
RULES = """
create or replace function app.keep_rules_of_bookings() returns trigger language plpgsql security definer set search_path = '' as $$
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
                'placement_length', 'a placement in one piece lasts as long as its workload',
                added.chunks = 1
                and abs(extract(epoch from added.ends_at - added.starts_at) - 60 * workload.duration_minutes) > 0.001
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
        execute 'select added.venue from added where added.window_id is not null and added.capacity_kw > coalesce(('
            'select max(available_capacity_mw) * 1000 from public.grid_snapshots as known '
            'where known.window_id = added.window_id), 0) limit 1' into broken;
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
"""

# In whatever order one transaction writes: what is booked is what will run.
DEMAND = """
create or replace function app.keep_demand() returns trigger language plpgsql set search_path = '' as $$
begin
    if (
        new.power_kw, new.energy_kwh, new.duration_minutes, new.operator_id, new.workload_id, new.is_interruptible,
        new.max_chunks, new.min_chunk_minutes, new.resume_overhead_minutes, new.power_profile_kw
    ) is distinct from (
        old.power_kw, old.energy_kwh, old.duration_minutes, old.operator_id, old.workload_id, old.is_interruptible,
        old.max_chunks, old.min_chunk_minutes, old.resume_overhead_minutes, old.power_profile_kw
    ) and (
        old.status <> 'pending'
        or exists (
            select from app.workload_placements as placement
            where placement.workload_id = old.workload_id and placement.released_at is null
        )
    ) then
        raise exception 'what a workload needs does not change once it is placed'
            using errcode = 'check_violation', constraint = 'workload_demand';
    end if;
    return new;
end
$$;
"""


def upgrade() -> None:
    """What is booked stays as it is; a new booking is held to this."""
    for part in (REGIONS, RULES, DEMAND):
        op.execute(part)


def downgrade() -> None:
    """Not offered: without these rules a capacity could be given twice."""
    raise RuntimeError("the rules of bookings are not undone")
