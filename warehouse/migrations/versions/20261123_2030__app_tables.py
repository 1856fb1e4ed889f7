"""Schema `app`: operators, users, assets, workloads, where they were placed, and how that was agreed."""

from alembic import op

revision = "20261123_2030"
down_revision = "20261123_1710"

TABLES = """
create table app.operators (
    operator_id uuid primary key default gen_random_uuid(),
    name text not null unique check (name = btrim(name) and length(name) between 1 and 200),
    operator_type text not null default 'other'
        check (operator_type in ('cloud', 'hpc', 'edge', 'enterprise', 'research', 'other')),
    contact text check (length(contact) <= 320),
    region_id smallint check (region_id between 1 and 18),
    email_domains text[] not null default '{}' check (array_to_string(email_domains, ',') = lower(array_to_string(email_domains, ','))),
    is_default boolean not null default false,
    metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp()
);
comment on table app.operators is 'One row is an operator of compute: whose users submit workloads and whose assets run them.';
comment on column app.operators.email_domains is 'A new user of one of these domains comes under this operator, where no token says otherwise.';
create unique index operators_one_default on app.operators (is_default) where is_default;

create table app.operator_tokens (
    token_sha256 bytea primary key check (length(token_sha256) = 32),
    operator_id uuid references app.operators on delete cascade,
    label text not null check (length(label) between 1 and 200),
    created_at timestamptz not null default clock_timestamp(),
    revoked_at timestamptz
);
comment on table app.operator_tokens is 'One row is a bearer token, as its hash. Without an operator it is the platform''s own and sees every operator.';
create unique index on app.operator_tokens (label) where revoked_at is null;

create table app.users (
    user_id uuid primary key default gen_random_uuid(),
    email text not null unique check (email = lower(email) and length(email) <= 320 and email ~ '^[^@[:space:]]+@[^@[:space:]]+$'),
    name text check (length(name) between 1 and 200),
    operator_id uuid not null references app.operators,
    role text not null default 'researcher' check (role in ('researcher', 'engineer', 'operator', 'admin', 'service')),
    preferences jsonb not null default '{}' check (jsonb_typeof(preferences) = 'object'),
    metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp(),
    unique (user_id, operator_id)
);
comment on table app.users is 'One row is a person or program that submits workloads, by e-mail address.';
create index on app.users (operator_id);

create table app.compute_assets (
    asset_id uuid primary key default gen_random_uuid(),
    operator_id uuid not null references app.operators,
    name text not null check (length(name) between 1 and 200),
    region_id smallint check (region_id between 1 and 14),
    zone_id text,
    rated_power_kw numeric(12, 3) not null check (rated_power_kw > 0),
    max_deferral_minutes integer check (max_deferral_minutes >= 0),
    carbon_cap_gco2_kwh numeric(8, 3) check (carbon_cap_gco2_kwh >= 0),
    is_active boolean not null default true,
    metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp(),
    unique (operator_id, name),
    unique (asset_id, operator_id),
    check (num_nonnulls(region_id, zone_id) = 1)
);
comment on table app.compute_assets is 'One row is a machine or site that runs workloads, in a region or in a Beckn grid zone.';
comment on column app.compute_assets.max_deferral_minutes is 'The longest that a workload may wait for this asset; null is without a limit.';

create table app.compute_workloads (
    workload_id uuid primary key default gen_random_uuid(),
    operator_id uuid not null references app.operators,
    user_id uuid,
    asset_id uuid,
    request text not null check (length(request) between 1 and 10000),
    workload_type text not null check (workload_type in (
        'training', 'fine_tuning', 'inference', 'simulation', 'rendering', 'data_processing', 'build', 'other')),
    priority text not null default 'normal' check (priority in ('low', 'normal', 'high', 'urgent')),
    energy_kwh numeric(18, 6) not null check (energy_kwh > 0),
    power_kw numeric(14, 6) not null check (power_kw > 0),
    duration_minutes integer not null check (duration_minutes between 1 and 10080),
    earliest_start timestamptz not null,
    deadline timestamptz not null,
    carbon_cap_gco2_kwh numeric(8, 3) check (carbon_cap_gco2_kwh >= 0),
    price_cap_gbp_mwh numeric(10, 3),
    carbon_to_cost_weight numeric(4, 3) not null default 1 check (carbon_to_cost_weight between 0 and 1),
    region_ids smallint[] check (region_ids <@ array[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]::smallint[]),
    is_deferrable boolean not null default true,
    status text not null default 'pending'
        check (status in ('pending', 'scheduled', 'running', 'completed', 'failed', 'cancelled')),
    estimated jsonb not null default '[]' check (jsonb_typeof(estimated) = 'array'),
    unplaced_because text,
    placement_id uuid,
    actual_start timestamptz,
    actual_end timestamptz,
    actual_cost_gbp numeric(14, 4),
    actual_carbon_kg numeric(14, 4) check (actual_carbon_kg >= 0),
    idempotency_key text check (length(idempotency_key) between 1 and 200),
    request_sha256 bytea,
    answer jsonb,
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp(),
    unique (operator_id, idempotency_key),
    unique (workload_id, operator_id),
    foreign key (user_id, operator_id) references app.users (user_id, operator_id),
    foreign key (asset_id, operator_id) references app.compute_assets (asset_id, operator_id),
    check (deadline >= earliest_start + make_interval(mins => duration_minutes)),
    check (abs(energy_kwh - power_kw * duration_minutes / 60) <= 0.001 + energy_kwh * 0.001),
    check (status <> 'scheduled' or placement_id is not null),
    check ((actual_start is not null) or status not in ('running', 'completed', 'failed')),
    check ((actual_end is not null) = (status in ('completed', 'failed'))
        or (status = 'cancelled' and (actual_end is null or actual_start is not null))),
    check (actual_end >= actual_start)
);
comment on table app.compute_workloads is 'One row is a workload that somebody submitted.';
comment on column app.compute_workloads.estimated is 'Names of the columns that were estimated from the request''s text.';
comment on column app.compute_workloads.answer is 'What was answered when it was submitted: said again to the same Idempotency-Key.';
comment on column app.compute_workloads.carbon_to_cost_weight is '1 decides by carbon alone, 0 by cost alone.';
create index on app.compute_workloads (operator_id, created_at desc);
create index on app.compute_workloads (user_id, created_at desc);
create index on app.compute_workloads (idempotency_key) where idempotency_key is not null;
create index on app.compute_workloads (status) where status in ('pending', 'scheduled', 'running');

create table app.workload_placements (
    placement_id uuid primary key default gen_random_uuid(),
    workload_id uuid not null,
    operator_id uuid not null,
    venue text not null check (venue ~ '^(asset|region|window):.+'),
    asset_id uuid,
    region_id smallint not null check (region_id between 1 and 14),
    window_id text,
    starts_at timestamptz not null,
    ends_at timestamptz not null check (ends_at > starts_at),
    power_kw numeric(14, 6) not null check (power_kw > 0),
    capacity_kw numeric(14, 3) not null check (capacity_kw >= power_kw),
    energy_kwh numeric(18, 6) not null check (energy_kwh > 0),
    mean_intensity_gco2_kwh numeric(8, 3) not null,
    mean_price_gbp_mwh numeric(10, 3),
    carbon_kg numeric(14, 4) not null,
    cost_gbp numeric(14, 4),
    synthetic_share numeric(5, 4) not null check (synthetic_share between 0 and 1),
    known_at timestamptz not null,
    placed_at timestamptz not null default clock_timestamp(),
    released_at timestamptz,
    foreign key (workload_id, operator_id) references app.compute_workloads (workload_id, operator_id) on delete cascade,
    foreign key (asset_id, operator_id) references app.compute_assets (asset_id, operator_id),
    check ((venue like 'asset:%') = (asset_id is not null) and (asset_id is null or venue = 'asset:' || asset_id)),
    check ((venue like 'window:%') = (window_id is not null))
);
comment on table app.workload_placements is 'One row is a time and place that was given to a workload, and its capacity with it until `released_at`.';
comment on column app.workload_placements.venue is 'Whose capacity it takes: asset:<id>, region:<operator>/<region>, window:<id>.';
comment on column app.workload_placements.known_at is 'The instant of the forecasts that decided: carbon_intensity_as_of(known_at, ...) gives them again.';
create unique index on app.workload_placements (workload_id) where released_at is null;
create index on app.workload_placements (venue, ends_at);
create index on app.workload_placements (operator_id, placed_at desc);
alter table app.compute_workloads add foreign key (placement_id) references app.workload_placements deferrable initially deferred;

create table app.agent_negotiations (
    negotiation_id bigint generated always as identity primary key,
    workload_id uuid not null,
    operator_id uuid not null,
    attempt smallint not null default 1 check (attempt > 0),
    round smallint not null check (round > 0),
    agent text not null check (agent in ('energy', 'compute', 'head')),
    stance text not null check (stance in ('proposed', 'accepted', 'countered', 'refused', 'decided')),
    proposals jsonb not null default '[]' check (jsonb_typeof(proposals) = 'array'),
    reasons text[] not null default '{}',
    known_at timestamptz not null,
    created_at timestamptz not null default clock_timestamp(),
    unique (workload_id, attempt, round),
    foreign key (workload_id, operator_id) references app.compute_workloads (workload_id, operator_id) on delete cascade
);
comment on table app.agent_negotiations is 'One row is what an agent said in a round: energy proposes by carbon, compute by capacity, head decides.';
create index on app.agent_negotiations (operator_id, created_at desc);
"""


def upgrade() -> None:
    """Create the tables; who may see what follows in the next migration."""
    op.execute(TABLES)


def downgrade() -> None:
    """Drop them, and what they hold."""
    op.execute(
        "drop table app.agent_negotiations, app.workload_placements, app.compute_workloads, app.compute_assets, "
        "app.users, app.operator_tokens, app.operators cascade"
    )
