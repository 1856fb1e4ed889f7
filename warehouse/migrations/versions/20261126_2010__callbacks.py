"""An operator may be called back: what happens to its workloads goes to an outbox, in the transaction in which it happens."""

from alembic import op
from sqlalchemy import text

revision = "20261126_2010"
down_revision = "20261126_2000"

SERVICE = "energy_service"

TABLES = """
create table app.operator_callbacks (
    operator_id uuid primary key references app.operators on delete cascade,
    url text check (length(url) <= 2000 and url ~ '^https?://'),
    secret text not null check (secret ~ '^whsec_[A-Za-z0-9+/]{32,88}={0,2}$'),
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp()
);
comment on table app.operator_callbacks is 'One row is an operator that is called back, where, and the secret that its callbacks are signed with.';
comment on column app.operator_callbacks.url is 'For workloads that name no callback_url of their own; null: only those that name one.';

alter table app.compute_workloads add column callback_url text check (length(callback_url) <= 2000 and callback_url ~ '^https?://');
comment on column app.compute_workloads.callback_url is 'Where its events are sent, in place of the operator''s URL.';

create table app.callback_events (
    event_id uuid primary key default gen_random_uuid(),
    workload_id uuid not null,
    operator_id uuid not null references app.operator_callbacks on delete cascade,
    number integer not null check (number > 0),
    event text not null check (event in ('placed', 'moved', 'due', 'finished')),
    placement_id uuid references app.workload_placements on delete cascade,
    facts jsonb not null default '{}' check (jsonb_typeof(facts) = 'object'),
    happened_at timestamptz not null,
    next_attempt_at timestamptz not null,
    attempts integer not null default 0 check (attempts >= 0),
    delivered_at timestamptz,
    given_up_at timestamptz,
    last_failure text,
    unique (workload_id, number),
    foreign key (workload_id, operator_id) references app.compute_workloads (workload_id, operator_id) on delete cascade,
    check (num_nonnulls(delivered_at, given_up_at) <= 1)
);
comment on table app.callback_events is 'One row is an event of a workload that its operator is sent. The numbers of a workload are the order of its events.';
comment on column app.callback_events.happened_at is 'For due: when its start comes, which may be ahead.';
comment on column app.callback_events.next_attempt_at is 'Not before; while it is being sent: when it is sent again if nobody says how that ended.';
comment on column app.callback_events.facts is 'How it ended, for finished.';
create index on app.callback_events (operator_id, next_attempt_at) where delivered_at is null and given_up_at is null;
create index on app.callback_events (happened_at);
create index on app.callback_events (placement_id);
"""

# Under the lock of the workload's row, so its numbers are the order in which its transactions end. A due that is still ahead has
# not happened: what moves or ends the workload takes it back, and its number with it.
EVENTS = """
create function app.add_callback_event(
    workload app.compute_workloads, kind text, happened_at timestamptz, facts jsonb default '{}'
) returns void language plpgsql security definer set search_path = '' as $$
begin
    insert into app.callback_events (workload_id, operator_id, number, event, placement_id, facts, happened_at, next_attempt_at)
    select
        workload.workload_id, workload.operator_id, coalesce(max(known.number), 0) + 1, kind, workload.placement_id,
        add_callback_event.facts, add_callback_event.happened_at, add_callback_event.happened_at
    from app.callback_events as known where known.workload_id = workload.workload_id;
end
$$;

create function app.is_called_back(workload app.compute_workloads) returns boolean language sql stable security definer
set search_path = '' as $$
    select exists (
        select from app.operator_callbacks as callback
        where callback.operator_id = workload.operator_id and coalesce(workload.callback_url, callback.url) is not null
    )
$$;

create function app.call_back_of_step() returns trigger language plpgsql security definer set search_path = '' as $$
declare
    speaks_for constant text := current_setting('energy.operator_id', true);
    placement app.workload_placements;
begin
    perform set_config('energy.operator_id', 'all', true);
    if app.is_called_back(new) then
        delete from app.callback_events as ahead
        where ahead.workload_id = new.workload_id and ahead.event = 'due' and ahead.attempts = 0
            and ahead.happened_at > clock_timestamp();
        if new.status = 'scheduled' then
            select * into placement from app.workload_placements where placement_id = new.placement_id;
            if found then  -- else it follows in this transaction
                perform app.add_callback_event(
                    new, case when placement.replaces is null then 'placed' else 'moved' end, clock_timestamp()
                );
                perform app.add_callback_event(new, 'due', placement.starts_at);
            end if;
        elsif new.status in ('completed', 'failed', 'cancelled') then
            perform app.add_callback_event(new, 'finished', clock_timestamp(), jsonb_build_object(
                'status', new.status, 'actual_start', new.actual_start, 'actual_end', new.actual_end,
                'actual_carbon_kg', new.actual_carbon_kg, 'actual_cost_gbp', new.actual_cost_gbp,
                'failed_because', new.failed_because
            ));
        end if;
    end if;
    perform set_config('energy.operator_id', coalesce(speaks_for, ''), true);
    return null;
end
$$;
create trigger workload_calls_back after update on app.compute_workloads for each row
    when (old.status is distinct from new.status or old.placement_id is distinct from new.placement_id)
    execute function app.call_back_of_step();

-- A workload that is placed as it is submitted is there before its placement.
create function app.call_back_of_bookings() returns trigger language plpgsql security definer set search_path = '' as $$
declare
    speaks_for constant text := current_setting('energy.operator_id', true);
    booked record;
begin
    perform set_config('energy.operator_id', 'all', true);
    if exists (select from app.operator_callbacks) then
        for booked in
            select submitted as workload, added.starts_at
            from added
            inner join app.compute_workloads as submitted on added.placement_id = submitted.placement_id
            inner join app.operator_callbacks as callback on submitted.operator_id = callback.operator_id
            where submitted.status = 'scheduled' and coalesce(submitted.callback_url, callback.url) is not null
        loop
            perform app.add_callback_event(booked.workload, 'placed', clock_timestamp());
            perform app.add_callback_event(booked.workload, 'due', booked.starts_at);
        end loop;
    end if;
    perform set_config('energy.operator_id', coalesce(speaks_for, ''), true);
    return null;
end
$$;
create trigger bookings_call_back after insert on app.workload_placements
    referencing new table as added for each statement execute function app.call_back_of_bookings();
revoke execute on function app.add_callback_event(app.compute_workloads, text, timestamptz, jsonb),
    app.is_called_back(app.compute_workloads), app.call_back_of_step(), app.call_back_of_bookings() from public;
"""
RIGHTS = {"operator_callbacks": "select, insert, update, delete", "callback_events": "select, update, delete"}
ROLES = "select rolname from pg_roles where rolname = :role and pg_has_role(current_user, oid, 'MEMBER')"


def upgrade() -> None:
    """Nobody is called back yet."""
    for part in (TABLES, EVENTS):
        op.execute(part)
    has_role = op.get_bind().scalar(text(ROLES), {"role": SERVICE})
    for table, rights in RIGHTS.items():
        op.execute(f"alter table app.{table} enable row level security")
        if has_role:
            op.execute(
                f"create policy one_operator on app.{table} to {SERVICE} "
                "using (app.sees(operator_id)) with check (app.sees(operator_id))"
            )
            op.execute(f"grant {rights} on app.{table} to {SERVICE}")
        else:  # then the service is the owner, for whom only a forced policy holds
            op.execute(f"alter table app.{table} force row level security")
            op.execute(
                f"create policy one_operator on app.{table} using (current_setting('energy.operator_id', true) is null "
                "or current_setting('energy.operator_id', true) = '' or app.sees(operator_id))"
            )


def downgrade() -> None:
    """Who is called back is forgotten, and what waits to be sent."""
    op.execute("drop trigger bookings_call_back on app.workload_placements")
    op.execute("drop trigger workload_calls_back on app.compute_workloads")
    op.execute(
        "drop function app.call_back_of_bookings, app.call_back_of_step, app.is_called_back, app.add_callback_event"
    )
    op.execute("drop table app.callback_events, app.operator_callbacks")
    op.execute("alter table app.compute_workloads drop column callback_url")
