"""A runner says when each chunk of its workload started and stopped."""

from alembic import op
from sqlalchemy import text

revision = "20261127_1145"
down_revision = "20261127_0850"

SERVICE, TRANSFORMER = "energy_service", "energy_transformer"

TABLE = """
alter table app.workload_claims add unique (token, workload_id, operator_id);
create table app.workload_chunk_runs (
    placement_id uuid not null,
    number smallint not null,
    token bigint not null,
    workload_id uuid not null,
    operator_id uuid not null,
    started_at timestamptz not null,
    stopped_at timestamptz check (stopped_at >= started_at),
    primary key (placement_id, number),
    foreign key (placement_id, number) references app.placement_chunks (placement_id, number) on delete cascade,
    foreign key (token, workload_id, operator_id)
        references app.workload_claims (token, workload_id, operator_id) on delete cascade
);
comment on table app.workload_chunk_runs is 'One row is a chunk of a placement that a runner said it started: when it really ran. '
    'A chunk without a row was not reported.';
comment on column app.workload_chunk_runs.token is 'The claim under which it ran.';
comment on column app.workload_chunk_runs.stopped_at is 'When it stopped, or its workload ended. Null: it runs; or its lease was lost or '
    'returned, and nobody said.';
create index on app.workload_chunk_runs (token);
create index on app.workload_chunk_runs (operator_id);
"""

RULES = """
create function app.keep_chunk_run() returns trigger language plpgsql security definer set search_path = '' as $$
declare
    speaks_for constant text := current_setting('energy.operator_id', true);
    said text;
begin
    if tg_op = 'UPDATE' then
        if old.stopped_at is not null or (new.placement_id, new.number, new.token, new.workload_id, new.operator_id, new.started_at)
            is distinct from (old.placement_id, old.number, old.token, old.workload_id, old.operator_id, old.started_at) then
            raise exception 'a chunk stops once, and when it started does not change'
                using errcode = 'check_violation', constraint = 'workload_chunk_runs_stop';
        end if;
        return new;
    end if;
    perform set_config('energy.operator_id', 'all', true);
    said := case
        when not exists (
            select from app.workload_claims as claim where claim.token = new.token and claim.ended_at is null
        ) then 'under the claim that holds its workload'
        when not exists (
            select from app.compute_workloads as workload
            inner join app.workload_placements as placement on workload.placement_id = placement.placement_id
            where workload.workload_id = new.workload_id and workload.placement_id = new.placement_id and placement.chunks > 1
        ) then 'in the placement that its workload runs by, if that has several'
        when exists (
            select from app.workload_chunk_runs as other
            where other.placement_id = new.placement_id and other.number <> new.number
                and (other.number > new.number or other.stopped_at is null or other.stopped_at > new.started_at)
        ) then 'after those before it have stopped, and before those after it'
    end;
    perform set_config('energy.operator_id', coalesce(speaks_for, ''), true);
    if said is not null then
        raise exception 'a chunk starts %', said
            using errcode = 'check_violation', constraint = 'workload_chunk_runs_start';
    end if;
    return new;
end
$$;
create trigger workload_chunk_runs_keep before insert or update on app.workload_chunk_runs
    for each row execute function app.keep_chunk_run();

-- The end of a workload is the end of its last chunk. Of a lease that was lost nobody knows what its runner did.
create function app.stop_chunks() returns trigger language plpgsql security definer set search_path = '' as $$
declare
    speaks_for constant text := current_setting('energy.operator_id', true);
begin
    perform set_config('energy.operator_id', 'all', true);
    update app.workload_chunk_runs set stopped_at = greatest(started_at, new.ended_at)
    where token = new.token and stopped_at is null;
    perform set_config('energy.operator_id', coalesce(speaks_for, ''), true);
    return null;
end
$$;
create trigger workload_claims_stop_chunks after update on app.workload_claims for each row
    when (old.ended_at is null and new.outcome in ('completed', 'failed', 'cancelled'))
    execute function app.stop_chunks();
revoke execute on function app.keep_chunk_run(), app.stop_chunks() from public;
"""
ROLES = "select rolname from pg_roles where rolname like 'energy\\_%' and pg_has_role(current_user, oid, 'MEMBER')"


def upgrade() -> None:
    """Of what ran before nothing was reported."""
    for part in (TABLE, RULES):
        op.execute(part)
    roles = set(op.get_bind().scalars(text(ROLES)))
    op.execute("alter table app.workload_chunk_runs enable row level security")
    if SERVICE in roles:
        op.execute(
            f"create policy one_operator on app.workload_chunk_runs to {SERVICE} "
            "using (app.sees(operator_id)) with check (app.sees(operator_id))"
        )
        op.execute(f"grant select, insert, update (stopped_at) on app.workload_chunk_runs to {SERVICE}")
    else:  # then the service is the owner, for whom only a forced policy holds
        op.execute("alter table app.workload_chunk_runs force row level security")
        op.execute(
            "create policy one_operator on app.workload_chunk_runs using (current_setting('energy.operator_id', true) is null "
            "or current_setting('energy.operator_id', true) = '' or app.sees(operator_id))"
        )
    if TRANSFORMER in roles:
        op.execute(f"create policy shaping on app.workload_chunk_runs for select to {TRANSFORMER} using (true)")
        op.execute(f"grant select on app.workload_chunk_runs to {TRANSFORMER}")


def downgrade() -> None:
    """Not offered: receipts were made from these times."""
    raise RuntimeError("when chunks ran is not forgotten")
