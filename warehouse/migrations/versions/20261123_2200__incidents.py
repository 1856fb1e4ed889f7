"""`ops.incidents`: what was late, since when, and whether the alert was sent; and the Prefect run behind a run."""

from alembic import op
from sqlalchemy import text

revision = "20261123_2200"
down_revision = "20261123_2032"


def upgrade() -> None:
    """One row per incident, so that one alert and one all-clear are sent."""
    op.execute("alter table ops.runs add column prefect_flow_run_id uuid")
    op.execute(
        """
        create table ops.incidents (
            incident_id bigint generated always as identity primary key,
            kind text not null check (kind in ('stopped', 'upstream', 'held')),
            subject text not null,
            message text not null,
            opened_at timestamptz not null default clock_timestamp(),
            closed_at timestamptz,
            opening_told_at timestamptz,
            closing_told_at timestamptz
        );
        comment on table ops.incidents is
            'One row is something that went wrong for a while: stopped (nobody asks), upstream (no answer), held (quality gate).';
        create unique index on ops.incidents (kind, subject) where closed_at is null;
        """
    )
    if op.get_bind().scalar(
        text("select 1 from pg_roles where rolname = 'energy_loader' and pg_has_role(current_user, oid, 'MEMBER')")
    ):
        op.execute("alter table ops.incidents owner to energy_loader")


def downgrade() -> None:
    """Forget the incidents."""
    op.execute("drop table ops.incidents")
    op.execute("alter table ops.runs drop column prefect_flow_run_id")
