"""An operator's name may have 300 characters."""

from alembic import op

revision = "20261127_0700"
down_revision = "20261127_0600"


def upgrade() -> None:
    """Names of before are valid as they are."""
    _bound(300)


def downgrade() -> None:
    """Fails if a name is longer by now."""
    _bound(200)


def _bound(characters: int) -> None:
    op.execute("alter table app.operators drop constraint operators_name_check")
    op.execute(
        "alter table app.operators add constraint operators_name_check "
        f"check (name = btrim(name) and length(name) between 1 and {characters})"
    )
