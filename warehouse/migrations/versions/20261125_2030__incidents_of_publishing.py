"""Two more kinds of incident: answers that are not published, and a table that falls behind."""

from alembic import op

revision = "20261125_2030"
down_revision = "20261125_2020"


def upgrade() -> None:
    """Allow the kinds `unpublished` and `behind`."""
    op.execute(
        """
        alter table ops.incidents drop constraint incidents_kind_check;
        alter table ops.incidents add constraint incidents_kind_check
            check (kind in ('stopped', 'upstream', 'held', 'unpublished', 'behind'));
        comment on table ops.incidents is 'One row is something that went wrong for a while: stopped (nobody asks), upstream (no '
            'answer), held (quality gate), unpublished (answers wait), behind (the newest real half-hour is old).';
        """
    )


def downgrade() -> None:
    """Forget incidents of these kinds."""
    op.execute("delete from ops.incidents where kind in ('unpublished', 'behind')")
    op.execute("alter table ops.incidents drop constraint incidents_kind_check")
    op.execute(
        "alter table ops.incidents add constraint incidents_kind_check check (kind in ('stopped', 'upstream', 'held'))"
    )
