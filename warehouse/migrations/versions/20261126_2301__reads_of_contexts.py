"""Indexes for what agents read: the newest negotiations of everyone, and an operator's workloads that are not over."""

from alembic import op

revision = "20261126_2301"
down_revision = "20261126_2300"

UP = """
create index agent_negotiations_newest on app.agent_negotiations (created_at desc, negotiation_id desc);
create index compute_workloads_not_over on app.compute_workloads (operator_id, status)
    where status in ('pending', 'scheduled', 'running');
"""
DOWN = """
drop index app.agent_negotiations_newest, app.compute_workloads_not_over;
"""


def upgrade() -> None:
    """Both are made over what is there."""
    op.execute(UP)


def downgrade() -> None:
    """The reads cost more again."""
    op.execute(DOWN)
