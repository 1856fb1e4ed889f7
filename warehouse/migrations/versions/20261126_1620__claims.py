"""A workload names what runs it; runners hold it by a lease with a fencing token; a lease that ends gives it back."""

from alembic import op
from sqlalchemy import text

revision = "20261126_1620"
down_revision = "20261126_1610"

SERVICE, TRANSFORMER = "energy_service", "energy_transformer"

WORKLOADS = """
alter table app.compute_workloads
    add column run jsonb check (
        jsonb_typeof(run) = 'object' and (run ? 'deployment') <> (run ? 'runner') and run - 'deployment' - 'parameters' - 'runner' = '{}'
    ),
    add column attempts smallint not null default 0 check (attempts >= 0),
    add column max_attempts smallint not null default 3 check (max_attempts between 1 and 100),
    add column failed_because text,
    add column flow_run_id uuid;
comment on column app.compute_workloads.run is 'What runs it: {"deployment", "parameters"} a deployment of Prefect; {"runner"} the runner of '
    'that name alone; null: whoever claims it.';
comment on column app.compute_workloads.attempts is 'How often it was begun by a runner that holds a lease, or by Prefect.';
comment on column app.compute_workloads.failed_because is 'Why it failed, if its runner or the end of its last lease says so.';
comment on column app.compute_workloads.flow_run_id is 'The flow run in Prefect of the newest attempt.';
create index on app.compute_workloads (status) where run ? 'deployment';
"""

CLAIMS = """
create table app.workload_claims (
    token bigint generated always as identity primary key,
    workload_id uuid not null,
    operator_id uuid not null,
    attempt smallint not null check (attempt > 0),
    runner text not null check (length(runner) between 1 and 200),
    lease_seconds integer not null check (lease_seconds between 1 and 86400),
    claimed_at timestamptz not null default clock_timestamp(),
    leased_until timestamptz not null,
    ended_at timestamptz,
    outcome text check (outcome in ('completed', 'failed', 'cancelled', 'returned', 'lost')),
    check ((ended_at is null) = (outcome is null)),
    unique (workload_id, attempt),
    foreign key (workload_id, operator_id) references app.compute_workloads (workload_id, operator_id) on delete cascade
);
comment on table app.workload_claims is 'One row is a lease of a workload by a runner. Its token is greater than that of every claim before it.';
comment on column app.workload_claims.outcome is 'How the lease ended: with the workload; returned by its runner; lost, because no heartbeat came in time.';
create unique index on app.workload_claims (workload_id) where ended_at is null;
create index on app.workload_claims (leased_until) where ended_at is null;
create index on app.workload_claims (operator_id);
"""

# Two steps more than before: a workload whose lease has ended goes back to pending, or fails after its last attempt.
STATUS = """
create or replace function app.step_of_status() returns trigger language plpgsql set search_path = '' as $$
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
    if new.status <> old.status and not coalesce(allowed -> old.status ? new.status, false) and not (
        old.status = 'running' and new.status = 'pending' and new.attempts < new.max_attempts and exists (
            select from app.workload_claims as claim
            where claim.workload_id = new.workload_id and claim.attempt = new.attempts and claim.outcome in ('returned', 'lost')
        )
    ) then
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
        new.actual_start := null;
    end if;
    if old.status = 'running' and new.status in ('completed', 'failed', 'cancelled') then
        update app.workload_claims set ended_at = clock_timestamp(), outcome = new.status
        where workload_id = new.workload_id and ended_at is null;
    end if;
    new.updated_at := clock_timestamp();
    return new;
end
$$;

create function app.keep_claim() returns trigger language plpgsql set search_path = '' as $$
begin
    if old.ended_at is not null or (new.token, new.workload_id, new.operator_id, new.attempt, new.runner, new.claimed_at)
        is distinct from (old.token, old.workload_id, old.operator_id, old.attempt, old.runner, old.claimed_at) then
        raise exception 'a claim ends once, and only its lease changes before that'
            using errcode = 'check_violation', constraint = 'workload_claims_end';
    end if;
    return new;
end
$$;
create trigger workload_claims_end before update on app.workload_claims for each row execute function app.keep_claim();

-- Both tables change in one transaction: what must hold between them is looked at as it ends.
create function app.claim_holds() returns trigger language plpgsql security definer set search_path = '' as $$
declare
    speaks_for constant text := current_setting('energy.operator_id', true);
    workload app.compute_workloads;
    is_open boolean;
begin
    perform set_config('energy.operator_id', 'all', true);
    select * into workload from app.compute_workloads where workload_id = new.workload_id;
    select exists (
        select from app.workload_claims as claim where claim.workload_id = new.workload_id and claim.ended_at is null
    ) into is_open;
    perform set_config('energy.operator_id', coalesce(speaks_for, ''), true);
    if is_open and workload.status is distinct from 'running' then
        raise exception 'a workload that is held by a lease is running, not %', workload.status
            using errcode = 'check_violation', constraint = 'workload_claims_running';
    end if;
    return null;
end
$$;
create constraint trigger workload_claims_running after insert or update on app.workload_claims
    deferrable initially deferred for each row execute function app.claim_holds();
revoke execute on function app.keep_claim(), app.claim_holds() from public;
"""
ROLES = "select rolname from pg_roles where rolname like 'energy\\_%' and pg_has_role(current_user, oid, 'MEMBER')"


def upgrade() -> None:
    """Nothing is held by a lease yet."""
    for part in (WORKLOADS, CLAIMS, STATUS):
        op.execute(part)
    roles = set(op.get_bind().scalars(text(ROLES)))
    op.execute("alter table app.workload_claims enable row level security")
    if SERVICE in roles:
        op.execute(
            f"create policy one_operator on app.workload_claims to {SERVICE} "
            "using (app.sees(operator_id)) with check (app.sees(operator_id))"
        )
        op.execute(f"grant select, insert, update on app.workload_claims to {SERVICE}")
    else:  # then the service is the owner, for whom only a forced policy holds
        op.execute("alter table app.workload_claims force row level security")
        op.execute(
            "create policy one_operator on app.workload_claims using (current_setting('energy.operator_id', true) is null "
            "or current_setting('energy.operator_id', true) = '' or app.sees(operator_id))"
        )
    if TRANSFORMER in roles:
        op.execute(f"create policy shaping on app.workload_claims for select to {TRANSFORMER} using (true)")
        op.execute(f"grant select on app.workload_claims to {TRANSFORMER}")


def downgrade() -> None:
    """Not offered: what a runner holds would be given to another one."""
    raise RuntimeError("leases are not forgotten")
