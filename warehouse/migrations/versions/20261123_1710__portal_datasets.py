"""`ops.portal_datasets`: which datasets an open-data portal was seen to have."""

from alembic import op
from sqlalchemy import text

revision = "20261123_1710"
down_revision = "20261123_1430"


def upgrade() -> None:
    """One row per dataset, so that a look can name what is new since the last one."""
    op.execute(
        """
        create table ops.portal_datasets (
            portal text not null,
            name text not null,
            title text not null,
            first_seen_at timestamptz not null default clock_timestamp(),
            run_id uuid not null references ops.runs on delete cascade,
            primary key (portal, name)
        );
        comment on table ops.portal_datasets is 'One row is a dataset that a portal was seen to have.';
        """
    )
    if op.get_bind().scalar(
        text("select 1 from pg_roles where rolname = 'energy_loader' and pg_has_role(current_user, oid, 'MEMBER')")
    ):
        op.execute("alter table ops.portal_datasets owner to energy_loader")


def downgrade() -> None:
    """Forget what was seen."""
    op.execute("drop table ops.portal_datasets")
