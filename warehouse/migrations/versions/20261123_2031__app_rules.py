"""What `app` never allows: an impossible step of a workload's status, capacity given twice, a rule of an asset broken."""

from alembic import op

revision = "20261123_2031"
down_revision = "20261123_2030"

STATUS = """
create function app.step_of_status() returns trigger language plpgsql set search_path = '' as $$
declare
    allowed constant jsonb := '{
        "pending": ["scheduled", "cancelled"],
        "scheduled": ["pending", "running", "cancelled"],
        "running": ["completed", "failed", "cancelled"]
    }';
begin
    if tg_op = 'INSERT' then
        if new.status not in ('pending', 'scheduled') then
            raise exception 'a workload begins as pending or scheduled, not as %', new.status
                using errcode = 'check_violation', constraint = 'workload_status_step';
        end if;
        return new;
    end if;
    if new.status <> old.status and not coalesce(allowed -> old.status ? new.status, false) then
        raise exception 'a workload that is % cannot become %', old.status, new.status
            using errcode = 'check_violation', constraint = 'workload_status_step',
            hint = 'from here: ' || coalesce((select string_agg(step, ', ') from jsonb_array_elements_text(allowed -> old.status) as step), 'nothing');
    end if;
    if new.status in ('pending', 'completed', 'failed', 'cancelled') and old.placement_id is not null then
        update app.workload_placements set released_at = clock_timestamp()
        where placement_id = old.placement_id and released_at is null;
    end if;
    if new.status = 'pending' then
        new.placement_id := null;
    end if;
    new.updated_at := clock_timestamp();
    return new;
end
$$;
create trigger workload_status_step before insert or update on app.compute_workloads
    for each row execute function app.step_of_status();
"""

# A security definer sees the bookings of every operator and tells nothing of them but how much power they take.
CAPACITY = """
create function app.lock_capacity() returns void language sql set search_path = '' as $$
    select pg_advisory_xact_lock(hashtextextended('app capacity', 0))
$$;
comment on function app.lock_capacity() is 'Placements are decided one after another: whoever holds this sees all that were.';

create function app.capacity_taken(venues text[], from_instant timestamptz, to_instant timestamptz, known_at timestamptz default 'infinity')
returns table (venue text, instant timestamptz, change_kw numeric)
language plpgsql security definer set search_path = '' as $$
declare
    speaks_for constant text := current_setting('energy.operator_id', true);
begin
    perform set_config('energy.operator_id', 'all', true);
    return query
        with booked as materialized (
            select placement.venue, greatest(placement.starts_at, from_instant) as starts_at, placement.ends_at, placement.power_kw
            from app.workload_placements as placement
            where placement.venue = any(venues) and placement.ends_at > from_instant and placement.starts_at < to_instant
                and placement.placed_at < capacity_taken.known_at
                and (placement.released_at is null or placement.released_at > capacity_taken.known_at)
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
comment on function app.capacity_taken(text[], timestamptz, timestamptz, timestamptz) is
    'When and by how much the power that is taken of these venues changes between two instants, as it was known at an instant.';

create function app.keep_rules_of_venue() returns trigger language plpgsql security definer
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
    select max(load) into peak from (
        select sum(sum(change.kw)) over (order by change.instant) as load
        from app.workload_placements as other
        cross join lateral (
            values (greatest(other.starts_at, new.starts_at), other.power_kw), (least(other.ends_at, new.ends_at), - other.power_kw)
        ) as change (instant, kw)
        where other.venue = new.venue and other.released_at is null and other.placement_id <> new.placement_id
            and other.starts_at < new.ends_at and other.ends_at > new.starts_at
        group by change.instant
    ) as loads;
    if coalesce(peak, 0) + new.power_kw > new.capacity_kw then
        raise exception 'the venue has no such capacity left' using errcode = 'check_violation', constraint = 'placement_capacity';
    end if;
    perform set_config('energy.operator_id', speaks_for, true);
    return new;
end
$$;
create trigger placement_keeps_rules before insert or update on app.workload_placements
    for each row execute function app.keep_rules_of_venue();
"""


def upgrade() -> None:
    """The database enforces these, whoever writes."""
    op.execute(STATUS)
    op.execute(CAPACITY)


def downgrade() -> None:
    """The tables stay; nothing keeps these rules then."""
    op.execute("drop trigger placement_keeps_rules on app.workload_placements")
    op.execute("drop trigger workload_status_step on app.compute_workloads")
    op.execute("drop function app.keep_rules_of_venue, app.capacity_taken, app.lock_capacity, app.step_of_status")
