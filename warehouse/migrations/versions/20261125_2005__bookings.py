"""Bookings that hold, whatever the service writes."""

from alembic import op

revision = "20261125_2005"
down_revision = "20261125_2000"

# A booking is what was decided: it is released once, and never changed. A window carries no more than its catalogue ever said.
KEPT = """
create function app.keep_booking() returns trigger language plpgsql security definer set search_path = '' as $$
declare
    speaks_for constant text := current_setting('energy.operator_id', true);
    workload app.compute_workloads;
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
    -- but for the last digit: both were rounded from a binary fraction
    if abs(new.power_kw - workload.power_kw) > 0.000001 * greatest(1, workload.power_kw)
        or abs(new.energy_kwh - workload.energy_kwh) > 0.000001 * greatest(1, workload.energy_kwh) then
        raise exception 'a placement takes the power and the energy of its workload'
            using errcode = 'check_violation', constraint = 'placement_power';
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
create trigger placement_is_kept before insert or update on app.workload_placements
    for each row execute function app.keep_booking();

create function app.keep_demand() returns trigger language plpgsql set search_path = '' as $$
begin
    if old.status <> 'pending' and (new.power_kw, new.energy_kwh, new.duration_minutes, new.operator_id, new.workload_id)
        is distinct from (old.power_kw, old.energy_kwh, old.duration_minutes, old.operator_id, old.workload_id) then
        raise exception 'what a workload needs does not change once it is placed'
            using errcode = 'check_violation', constraint = 'workload_demand';
    end if;
    return new;
end
$$;
create trigger workload_demand before update on app.compute_workloads for each row execute function app.keep_demand();
"""

# Both tables change in one transaction, in either order: what must hold between them is looked at as it ends.
HOLDS = """
create function app.booking_holds() returns trigger language plpgsql security definer set search_path = '' as $$
declare
    speaks_for constant text := current_setting('energy.operator_id', true);
    workload app.compute_workloads;
    booked uuid;
begin
    perform set_config('energy.operator_id', 'all', true);
    select * into workload from app.compute_workloads where workload_id = new.workload_id;
    select placement_id into booked from app.workload_placements
    where workload_id = new.workload_id and released_at is null;
    perform set_config('energy.operator_id', coalesce(speaks_for, ''), true);
    if workload.workload_id is null then  -- it was deleted, and its placements with it
        return null;
    end if;
    if workload.status in ('scheduled', 'running') and booked is distinct from workload.placement_id then
        raise exception 'a workload that is % holds the placement that it names, and that one is its own', workload.status
            using errcode = 'check_violation', constraint = 'workload_booking';
    end if;
    if workload.status in ('scheduled', 'running') and booked is null then
        raise exception 'a workload that is % has a placement', workload.status
            using errcode = 'check_violation', constraint = 'workload_booking';
    end if;
    if workload.status not in ('scheduled', 'running') and booked is not null then
        raise exception 'a workload that is % holds no placement', workload.status
            using errcode = 'check_violation', constraint = 'workload_booking';
    end if;
    return null;
end
$$;
create constraint trigger workload_booking after insert or update on app.compute_workloads
    deferrable initially deferred for each row execute function app.booking_holds();
create constraint trigger placement_booking after insert or update on app.workload_placements
    deferrable initially deferred for each row execute function app.booking_holds();
revoke execute on function app.keep_booking(), app.keep_demand(), app.booking_holds() from public;
"""

# What leaked before there was a rule: capacity that a workload holds which is over, or never began.
LEAKED = """
update app.workload_placements as placement set released_at = clock_timestamp()
from app.compute_workloads as workload
where workload.workload_id = placement.workload_id and placement.released_at is null
    and workload.status not in ('scheduled', 'running')
"""


def upgrade() -> None:
    """The rules, after what breaks them is mended."""
    op.execute(LEAKED)
    op.execute(KEPT)
    op.execute(HOLDS)


def downgrade() -> None:
    """Bookings are the service's word again."""
    op.execute("drop trigger placement_booking on app.workload_placements")
    op.execute("drop trigger placement_is_kept on app.workload_placements")
    op.execute("drop trigger workload_booking on app.compute_workloads")
    op.execute("drop trigger workload_demand on app.compute_workloads")
    op.execute("drop function app.keep_booking, app.keep_demand, app.booking_holds")
