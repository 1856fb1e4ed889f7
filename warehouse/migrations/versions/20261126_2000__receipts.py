"""Receipts say what they rest on, compare like with like, and keep every version."""

from alembic import op
from sqlalchemy import text

revision = "20261126_2000"
down_revision = "20261126_1910"

SERVICE, TRANSFORMER = "energy_service", "energy_transformer"

# Nothing has written to the table of 20261126_1500 yet, so it is made anew.
TABLE = """
drop table app.receipts;
create table app.receipts (
    workload_id uuid not null,
    version smallint not null check (version > 0),
    is_newest boolean not null default true,
    operator_id uuid not null,
    status text not null check (status in ('completed', 'failed', 'cancelled')),
    placement_id uuid not null references app.workload_placements on delete cascade,
    first_placement_id uuid not null references app.workload_placements on delete cascade,
    region_id smallint not null check (region_id between 1 and 14),
    first_region_id smallint not null check (first_region_id between 1 and 14),
    began_at timestamptz,
    ended_at timestamptz check (ended_at >= began_at),
    energy_kwh numeric(18, 6) check (energy_kwh >= 0),
    work_kwh numeric(18, 6) check (work_kwh >= 0),
    duration_minutes integer not null,
    slack_minutes integer not null check (slack_minutes >= 0),
    chunks smallint not null default 1 check (chunks > 0),
    moves smallint not null default 0 check (moves >= 0),
    attempts smallint not null default 0,
    carbon_to_cost_weight numeric(4, 3) not null,
    carbon_value_gbp_tonne numeric(12, 3) not null,
    promised_carbon_kg numeric(16, 6),
    promised_cost_gbp numeric(16, 6),
    first_promised_carbon_kg numeric(16, 6),
    first_promised_cost_gbp numeric(16, 6),
    at_once_promised_carbon_kg numeric(16, 6),
    at_once_promised_cost_gbp numeric(16, 6),
    realised_carbon_kg numeric(16, 6),
    realised_cost_gbp numeric(16, 6),
    at_once_carbon_kg numeric(16, 6),
    at_once_cost_gbp numeric(16, 6),
    at_once_here_carbon_kg numeric(16, 6),
    at_once_here_cost_gbp numeric(16, 6),
    at_once_elsewhere_carbon_kg numeric(16, 6),
    at_once_elsewhere_cost_gbp numeric(16, 6),
    first_plan_carbon_kg numeric(16, 6),
    first_plan_cost_gbp numeric(16, 6),
    foresight_carbon_kg numeric(16, 6),
    foresight_cost_gbp numeric(16, 6),
    foresight_region_id smallint check (foresight_region_id between 1 and 14),
    foresight_starts_at timestamptz,
    half_hours integer not null check (half_hours >= 0),
    half_hours_without_intensity integer not null check (half_hours_without_intensity between 0 and half_hours),
    half_hours_without_price integer not null check (half_hours_without_price between 0 and half_hours),
    half_hours_synthetic integer not null default 0 check (half_hours_synthetic between 0 and half_hours_without_intensity),
    coverage numeric(5, 4) check (coverage between 0 and 1),
    notes text[] not null default '{}',
    method text not null default 'average, attributional' check (method = 'average, attributional'),
    based_on jsonb not null default '{}' check (jsonb_typeof(based_on) = 'object'),
    is_final boolean not null,
    final_at timestamptz,
    known_at timestamptz not null,
    settled_at timestamptz not null default clock_timestamp(),
    spans_from timestamptz,
    spans_to timestamptz check (spans_to > spans_from),
    again_at timestamptz,
    checked_at timestamptz not null,
    primary key (workload_id, version),
    foreign key (workload_id, operator_id) references app.compute_workloads (workload_id, operator_id) on delete cascade,
    check ((began_at is null) = (ended_at is null)),
    check (half_hours_without_intensity = 0 or realised_carbon_kg is null),
    check (energy_kwh is not null or num_nonnulls(realised_carbon_kg, realised_cost_gbp) = 0),
    check (half_hours_without_price = 0 or realised_cost_gbp is null or based_on ? 'own_price'),
    check (not is_final or half_hours_without_intensity = 0),
    check ((spans_from is null) = (began_at is null))
);
comment on table app.receipts is 'One row is a settlement of a finished workload: what it was promised, what came, and what else '
    'could have been. Settled again, as the next version, if what is known of its half-hours changes. All by average intensity.';
comment on column app.receipts.is_newest is 'Whether no later version of it exists.';
comment on column app.receipts.region_id is 'Where it ran; of one that never ran, where it was placed.';
comment on column app.receipts.first_region_id is 'Where it was placed first; starting at once is counted there.';
comment on column app.receipts.began_at is 'When it began; null if it was cancelled before.';
comment on column app.receipts.energy_kwh is 'Of the run as it was, with what its resumptions drew; of the last attempt alone. Null if it ran when its pieces were not due.';
comment on column app.receipts.work_kwh is 'The same without resumptions: what a run in one piece draws.';
comment on column app.receipts.promised_carbon_kg is 'By the placement that it ran by, from the forecasts of that moment, for the length that was planned.';
comment on column app.receipts.first_promised_carbon_kg is 'By the placement that it was given first.';
comment on column app.receipts.at_once_promised_carbon_kg is 'What starting at once would have emitted by the forecasts of the first placement.';
comment on column app.receipts.realised_carbon_kg is 'As it ran, by the actuals of its half-hours; null if one of them has none.';
comment on column app.receipts.realised_cost_gbp is 'As it ran, by the day-ahead price, or the price of its compute window; null if a half-hour has none.';
comment on column app.receipts.at_once_carbon_kg is 'Had the same work started at its earliest start, in one piece, in the place of the first placement.';
comment on column app.receipts.at_once_here_carbon_kg is 'The same in the place where it ran: against the realised figure, what its time saved.';
comment on column app.receipts.at_once_elsewhere_carbon_kg is 'The same in the median of the places in which it might have run: against here, what its place saved.';
comment on column app.receipts.first_plan_carbon_kg is 'Had the same work run as it was placed first.';
comment on column app.receipts.foresight_carbon_kg is 'The best start and place by what came, within its own constraints, until its deadline or 48 hours after it began; others'' bookings are not looked at.';
comment on column app.receipts.half_hours is 'Half-hours in which it drew power.';
comment on column app.receipts.half_hours_synthetic is 'Half-hours of which a synthetic value alone is known: no actual.';
comment on column app.receipts.coverage is 'Share of its half-hours with a real actual of the intensity; null if it never ran.';
comment on column app.receipts.notes is 'What is missing, and what else a reader should know, in sentences.';
comment on column app.receipts.based_on is 'Tables and payloads of the actuals, the method''s page, and own_price if its window has one.';
comment on column app.receipts.is_final is 'Whether every actual of its half-hours was fetched when the upstream no longer revises it.';
comment on column app.receipts.final_at is 'When the upstreams no longer revise the half-hours that it is compared over.';
comment on column app.receipts.known_at is 'The actuals are as known at this instant.';
comment on column app.receipts.spans_from is 'The half-hours that it rests on begin here; null if it never ran.';
comment on column app.receipts.again_at is 'When it is settled again, whatever changes; null: if an actual changes.';
comment on column app.receipts.checked_at is 'Changes before this instant have been looked at.';
create unique index on app.receipts (workload_id) where is_newest;
create index on app.receipts (operator_id, ended_at desc) where is_newest;
create index on app.receipts (again_at) where is_newest and again_at is not null;
create index on app.compute_workloads (operator_id, workload_id) where status in ('completed', 'failed', 'cancelled');
"""

# What `decision_quality` adds up, made once with the row: it reads an index, however many receipts there are.
PER_KWH = """
alter table app.receipts add column {name}_per_kwh float8 generated always as (
    (case
        when carbon_to_cost_weight = 1 then {name}_carbon_kg
        when carbon_to_cost_weight = 0 then {name}_cost_gbp
        else carbon_to_cost_weight * carbon_value_gbp_tonne / 1000 * {name}_carbon_kg + (1 - carbon_to_cost_weight) * {name}_cost_gbp
    end)::float8 / nullif(work_kwh, 0)::float8
) stored;
comment on column app.receipts.{name}_per_kwh is 'What it was decided by (kg, GBP, or pounds of the score), per kWh of its work.';
"""
COUNTED = ("at_once", "first_plan", "realised", "foresight", "at_once_promised", "first_promised")
CLASSES = f"""
alter table app.receipts
    add column job_hours smallint generated always as (
        (array[1, 2, 4, 8, 24, 168])[1 + width_bucket(duration_minutes - 1, array[60, 120, 240, 480, 1440])]
    ) stored,
    add column slack_hours smallint generated always as (
        (array[0, 6, 12, 24, 48, 168, 8760])[1 + width_bucket(slack_minutes - 1, array[0, 360, 720, 1440, 2880, 10080])]
    ) stored;
comment on column app.receipts.job_hours is 'Class of its planned length: up to so many hours.';
comment on column app.receipts.slack_hours is 'Class of its slack: up to so many hours.';
create index receipts_quality on app.receipts (carbon_to_cost_weight, chunks, job_hours, slack_hours)
    include (operator_id, is_final, {", ".join(f"{name}_per_kwh" for name in COUNTED)})
    where is_newest and status = 'completed' and at_once_per_kwh is not null and first_plan_per_kwh is not null
        and realised_per_kwh is not null and foresight_per_kwh is not null;
"""

KEEP = """
create function app.keep_receipt() returns trigger language plpgsql set search_path = '' as $$
begin
    if tg_op = 'UPDATE' then
        if to_jsonb(new) - '{is_newest, again_at, checked_at}'::text[] is distinct from
            to_jsonb(old) - '{is_newest, again_at, checked_at}'::text[] or (new.is_newest and not old.is_newest) then
            raise exception 'a receipt does not change: the next version is made'
                using errcode = 'check_violation', constraint = 'receipt_is_kept';
        end if;
        return new;
    end if;
    update app.receipts set is_newest = false
    where workload_id = new.workload_id and version = new.version - 1 and is_newest;
    if not found and new.version > 1 then
        raise exception 'version % of a receipt follows version %', new.version, new.version - 1
            using errcode = 'check_violation', constraint = 'receipt_version';
    end if;
    return new;
end
$$;
create trigger receipt_follows before insert on app.receipts for each row execute function app.keep_receipt();
-- after: only then the columns that are made with the row are there
create trigger receipt_is_kept after update on app.receipts for each row execute function app.keep_receipt();
revoke execute on function app.keep_receipt() from public;
"""
ROLES = "select rolname from pg_roles where rolname like 'energy\\_%' and pg_has_role(current_user, oid, 'MEMBER')"


def upgrade() -> None:
    """Receipts are made by the next run of `settle`."""
    op.execute(TABLE)
    for name in COUNTED:
        op.execute(PER_KWH.format(name=name))
    op.execute(CLASSES)
    op.execute(KEEP)
    roles = set(op.get_bind().scalars(text(ROLES)))
    op.execute("alter table app.receipts enable row level security")
    if SERVICE in roles:
        op.execute(
            f"create policy one_operator on app.receipts to {SERVICE} "
            "using (app.sees(operator_id)) with check (app.sees(operator_id))"
        )
        op.execute(f"grant select, insert, update (is_newest, again_at, checked_at) on app.receipts to {SERVICE}")
    else:  # then the service is the owner, for whom only a forced policy holds
        op.execute("alter table app.receipts force row level security")
        op.execute(
            "create policy one_operator on app.receipts using (current_setting('energy.operator_id', true) is null "
            "or current_setting('energy.operator_id', true) = '' or app.sees(operator_id))"
        )
    if TRANSFORMER in roles:
        op.execute(f"create policy shaping on app.receipts for select to {TRANSFORMER} using (true)")
        op.execute(f"grant select on app.receipts to {TRANSFORMER}")


def downgrade() -> None:
    """Not offered: what was settled cannot be settled again once its forecasts are gone."""
    raise RuntimeError("receipts are not undone")
