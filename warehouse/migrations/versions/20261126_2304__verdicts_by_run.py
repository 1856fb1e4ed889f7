"""Maintenance removes runs that no verdict names; an index finds the verdicts of each."""

from alembic import op

revision = "20261126_2304"
down_revision = "20261126_2303"


def upgrade() -> None:
    """Otherwise each run that goes costs a read of all verdicts."""
    op.execute("create index payload_verdicts_run_id on ops.payload_verdicts (run_id)")


def downgrade() -> None:
    """The read is slow again."""
    op.execute("drop index ops.payload_verdicts_run_id")
