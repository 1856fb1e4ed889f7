"""The first window of each dataset that was landed while it was new is read from an index, however many years were fetched."""

from alembic import op

revision = "20261126_2303"
down_revision = "20261126_2302"

UP = """
create index fetches_landed_new on ops.fetches (dataset, window_start)
    where outcome = 'landed' and fetched_at - window_end < interval '1 day';
"""
DOWN = """
drop index ops.fetches_landed_new;
"""


def upgrade() -> None:
    """An index that data_coverage reads one entry per dataset of."""
    op.execute(UP)


def downgrade() -> None:
    """data_coverage reads all fetches again."""
    op.execute(DOWN)
