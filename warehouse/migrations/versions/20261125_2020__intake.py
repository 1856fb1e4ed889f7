"""Intake: an answer is kept as it was sent; a domain belongs to one operator; a user is its operator's."""

from alembic import op

revision = "20261125_2020"
down_revision = "20261123_2200"

ANSWERS = """
-- jsonb would put the fields of an answer into an order of its own: what is answered again is answered alike
alter table app.compute_workloads alter column answer type json using answer::text::json;
alter table app.compute_workloads add check (json_typeof(answer) = 'object');
"""


def upgrade() -> None:
    """Change what the service of this version needs."""
    op.execute(ANSWERS)


def downgrade() -> None:
    """The answers as they were kept before."""
    op.execute("alter table app.compute_workloads drop constraint compute_workloads_answer_check")
    op.execute("alter table app.compute_workloads alter column answer type jsonb using answer::text::jsonb")
