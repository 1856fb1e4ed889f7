"""Columns of the ledger are named with the field's words: a payload is validated, a message is sent."""

from alembic import op

revision = "20261127_0600"
down_revision = "20261126_2304"

RENAMED = (
    ("payload_verdicts", "judged_at", "validated_at"),
    ("incidents", "opening_told_at", "opening_sent_at"),
    ("incidents", "closing_told_at", "closing_sent_at"),
)


def upgrade() -> None:
    """Rename them; no row is written."""
    for table, before, after in RENAMED:
        op.execute(f"alter table ops.{table} rename column {before} to {after}")


def downgrade() -> None:
    """Rename them back."""
    for table, before, after in RENAMED:
        op.execute(f"alter table ops.{table} rename column {after} to {before}")
