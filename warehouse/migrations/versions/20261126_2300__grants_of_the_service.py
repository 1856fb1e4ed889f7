"""The service registers no operator, asset or role of a user: those are the owner's to write."""

from alembic import op
from sqlalchemy import text

revision = "20261126_2300"
down_revision = "20261126_2020"

# An asset that the service made up would carry whatever is booked on it, and an operator would take a domain.
# Users are added by app.link_user(), which runs with the rights of the service.
UP = """
revoke insert on app.operators, app.compute_assets from energy_service;
revoke insert, update on app.users from energy_service;
grant insert (email, name, operator_id) on app.users to energy_service;
"""
DOWN = """
revoke insert (email, name, operator_id) on app.users from energy_service;
grant insert, update on app.users to energy_service;
grant insert on app.operators, app.compute_assets to energy_service;
"""


def _has_service() -> bool:
    return bool(
        op.get_bind().scalar(
            text("select 1 from pg_roles where rolname = 'energy_service' and pg_has_role(current_user, oid, 'MEMBER')")
        )
    )


def upgrade() -> None:
    """Without roles the service works under the owner's rights, and there is nothing to take away."""
    if _has_service():
        op.execute(UP)


def downgrade() -> None:
    """The rights of before."""
    if _has_service():
        op.execute(DOWN)
