"""Schemas, roles, and the tables of `ops`."""

from contextlib import suppress

from alembic import op
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

revision = "20261123_1300"
down_revision = None

LOADER, TRANSFORMER, SERVICE, READER = "energy_loader", "energy_transformer", "energy_service", "energy_reader"

LEDGER = """
create table ops.runs (
    run_id uuid primary key,
    flow text not null,
    parameters jsonb not null default '{}',
    status text not null default 'running' check (status in ('running', 'completed', 'failed', 'crashed')),
    started_at timestamptz not null default clock_timestamp(),
    ended_at timestamptz,
    summary jsonb,
    check ((status = 'running') = (ended_at is null))
);
comment on table ops.runs is 'One row is a run of a flow.';
create index on ops.runs (started_at);

create table ops.fetches (
    fetch_id bigint generated always as identity primary key,
    run_id uuid not null references ops.runs on delete cascade,
    dataset text not null,
    request_url text not null,
    window_start timestamptz not null,
    window_end timestamptz not null,
    outcome text not null check (outcome in ('landed', 'known', 'rejected', 'failed')),
    http_status smallint,
    attempts smallint not null,
    seconds real not null,
    half_hours_synthetic integer not null default 0,
    detail text,
    fetched_at timestamptz not null
);
comment on table ops.fetches is 'One row is a request to an upstream and what became of its answer.';
create index on ops.fetches (run_id);

create table ops.payload_verdicts (
    payload_id uuid primary key,
    dataset text not null,
    verdict text not null check (verdict in ('passed', 'held')),
    reason text,
    run_id uuid not null references ops.runs on delete cascade,
    judged_at timestamptz not null default clock_timestamp()
);
comment on table ops.payload_verdicts is 'One row is a payload that the staging checkpoint has validated; dbt publishes what passed.';
create index on ops.payload_verdicts (dataset) where verdict = 'held';

create table ops.quality_results (
    result_id bigint generated always as identity primary key,
    run_id uuid not null references ops.runs on delete cascade,
    checkpoint text not null check (checkpoint in ('staging', 'clean')),
    dataset text not null,
    expectation text not null,
    column_name text,
    severity text not null check (severity in ('critical', 'warning', 'info')),
    success boolean not null,
    raised text,
    checked_count bigint,
    unexpected_count bigint,
    description text not null,
    checked_at timestamptz not null default clock_timestamp()
);
comment on table ops.quality_results is 'One row is an expectation of a checkpoint and how it went.';
create index on ops.quality_results (run_id);
"""

# (schema, owner, readers)
SCHEMAS = [
    ("staging", LOADER, [TRANSFORMER]),
    ("staging_incoming", LOADER, []),
    ("ops", LOADER, [TRANSFORMER]),
    ("intermediate", TRANSFORMER, [LOADER]),
    ("public", TRANSFORMER, [LOADER, SERVICE, READER]),
    ("app", SERVICE, [TRANSFORMER]),
]


def upgrade() -> None:
    """Create what is missing; roles only where the user may."""
    connection = op.get_bind()
    may_create_roles = connection.scalar(
        text("select rolsuper or rolcreaterole from pg_roles where rolname = current_user")
    )
    if may_create_roles:
        for role in (LOADER, TRANSFORMER, SERVICE, READER):
            if not connection.scalar(text("select 1 from pg_roles where rolname = :role"), {"role": role}):
                op.execute(f"create role {role} nologin")
            with (
                suppress(ProgrammingError),
                connection.begin_nested(),
            ):  # another owner on this server made it: not ours
                op.execute(f"grant {role} to current_user")
    roles = set(
        connection.scalars(
            text(
                "select rolname from pg_roles where rolname like 'energy\\_%' and pg_has_role(current_user, oid, 'MEMBER')"
            )
        )
    )
    for schema, _owner, _readers in SCHEMAS:
        op.execute(f"create schema if not exists {schema}")
    op.execute(LEDGER)
    for schema, owner, readers in SCHEMAS:
        if owner not in roles:
            continue
        op.execute(f"grant usage, create on schema {schema} to {owner}")
        for reader in roles.intersection(readers):
            op.execute(f"grant usage on schema {schema} to {reader}")
            op.execute(
                f"alter default privileges for role {owner} in schema {schema} grant select on tables to {reader}"
            )
    if LOADER in roles:
        for table in ("runs", "fetches", "payload_verdicts", "quality_results"):
            op.execute(f"alter table ops.{table} owner to {LOADER}")
    if TRANSFORMER in roles:
        op.execute(f"grant select on all tables in schema ops to {TRANSFORMER}")
    if LOADER in roles:
        op.execute("grant usage on schema ops to energy_loader")


def downgrade() -> None:
    """Not offered: dropping these schemas would drop the raw payloads."""
    raise RuntimeError("the first migration cannot be undone: it would drop the raw payloads")
