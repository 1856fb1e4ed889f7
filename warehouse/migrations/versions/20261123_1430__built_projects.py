"""`ops.built_projects`: which state of the dbt project has been built in full."""

from alembic import op
from sqlalchemy import text

revision = "20261123_1430"
down_revision = "20261123_1300"


def upgrade() -> None:
    """One row, so that a refresh need not ask PostgreSQL about views that cannot have changed."""
    op.execute(
        """
        create table ops.built_projects (
            fingerprint text primary key,
            relations integer not null,
            built_at timestamptz not null default clock_timestamp()
        );
        comment on table ops.built_projects is
            'One row is a state of the dbt project of which every view, function and seed was built.';
        """
    )
    if op.get_bind().scalar(
        text("select 1 from pg_roles where rolname = 'energy_loader' and pg_has_role(current_user, oid, 'MEMBER')")
    ):
        op.execute("alter table ops.built_projects owner to energy_loader")


def downgrade() -> None:
    """Nothing depends on it but the time a refresh takes."""
    op.execute("drop table ops.built_projects")
