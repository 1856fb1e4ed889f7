"""`ops.replay_decisions`: what decisions would have captured of the possible saving."""

from alembic import op
from sqlalchemy import text

revision = "20261126_2020"
down_revision = "20261126_2010"

DECISIONS = """
create table ops.replay_decisions (
    forecasts text not null check (forecasts in ('live', 'archive', 'simulated')),
    region_id smallint not null check (region_id between 1 and 18),
    month date not null check (month = date_trunc('month', month)),
    job_hours smallint not null check (job_hours > 0),
    slack_hours smallint not null check (slack_hours >= job_hours),
    is_split boolean not null,
    carbon_to_cost_weight numeric not null check (carbon_to_cost_weight between 0 and 1),
    policy text not null,
    decisions integer not null check (decisions > 0),
    first_known_at timestamptz not null,
    last_known_at timestamptz not null,
    now_score double precision not null,
    realised_score double precision not null,
    oracle_score double precision not null,
    promises integer not null check (promises between 0 and decisions),
    promised_score double precision not null,
    promised_now_score double precision not null,
    kept_score double precision not null,
    kept_now_score double precision not null,
    now_gco2_kwh double precision not null,
    realised_gco2_kwh double precision not null,
    oracle_gco2_kwh double precision not null,
    carbon_value_gbp_tonne double precision not null,
    run_id uuid not null references ops.runs (run_id),
    primary key (forecasts, region_id, month, job_hours, slack_hours, is_split, carbon_to_cost_weight, policy)
);
comment on table ops.replay_decisions is 'One row is the decisions of a policy for a class of jobs in a region and month, decided again by what was known and scored by what came. Figures are sums over decisions: add them up within one kind of forecasts, never across kinds.';
comment on column ops.replay_decisions.forecasts is 'live: fetched here. archive: captured by others. simulated: what came plus errors that follow the measured ones; no real forecast.';
comment on column ops.replay_decisions.month is 'First day of the month (UTC) of the moments of decision.';
comment on column ops.replay_decisions.is_split is 'Whether the job may stop and go on at any half-hour.';
comment on column ops.replay_decisions.policy is 'start now, 02:00, yesterday''s best, plan once (published, P50 or P90), re-plan by each forecast, oracle; re-plan (hindsight) reads simulated forecasts as well as can be.';
comment on column ops.replay_decisions.realised_score is 'What came of it, GBP/MWh: weight x carbon x value + (1 - weight) x price. now_score: of starting at once. oracle_score: of the best start.';
comment on column ops.replay_decisions.promises is 'Decisions that promised something: promised_score and promised_now_score are by the forecast, kept_score and kept_now_score what came of these.';
comment on column ops.replay_decisions.realised_gco2_kwh is 'Its carbon, gCO2/kWh; so of starting now and of the oracle.';
"""
# The bands are learned from the tables: no payload is unpacked again for them.
BANDS = """
do $$ begin
    if to_regclass('intermediate.published_payloads') is not null then
        insert into intermediate.published_payloads (model_name, payload_id)
        select distinct 'int_carbon_intensity__bands', payload_id from intermediate.published_payloads
        on conflict do nothing;
    end if;
end $$
"""
READERS = ("energy_transformer", "energy_service")


def _is_ours(role: str) -> bool:
    return bool(
        op.get_bind().scalar(
            text("select 1 from pg_roles where rolname = :role and pg_has_role(current_user, oid, 'MEMBER')"),
            {"role": role},
        )
    )


def upgrade() -> None:
    """A table that flows write; what is published is so to the bands too."""
    op.execute(DECISIONS)
    for role in filter(_is_ours, READERS):
        op.execute(f"grant select on ops.replay_decisions to {role}")
    if _is_ours("energy_loader"):
        op.execute("alter table ops.replay_decisions owner to energy_loader")
    op.execute(BANDS)


def downgrade() -> None:
    """Forget the sums."""
    op.execute("drop table ops.replay_decisions")
