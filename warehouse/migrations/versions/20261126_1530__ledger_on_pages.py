"""The service reads what the page on trust shows of `ops`: runs, fetches, verdicts and incidents; never logins."""

from alembic import op
from sqlalchemy import text

revision = "20261126_1530"
down_revision = "20261126_1500"

SERVICE = "energy_service"
TABLES = ("runs", "fetches", "payload_verdicts", "incidents")


def _has_service() -> bool:
    return bool(
        op.get_bind().scalar(
            text("select 1 from pg_roles where rolname = :role and pg_has_role(current_user, oid, 'MEMBER')"),
            {"role": SERVICE},
        )
    )


def upgrade() -> None:
    """Let the service read them."""
    op.execute("create index fetches_fetched_at on ops.fetches (fetched_at)")
    if _has_service():
        op.execute(f"grant usage on schema ops to {SERVICE}")
        for table in TABLES:
            op.execute(f"grant select on ops.{table} to {SERVICE}")


def downgrade() -> None:
    """Keep them to flows."""
    op.execute("drop index ops.fetches_fetched_at")
    if _has_service():
        for table in TABLES:
            op.execute(f"revoke select on ops.{table} from {SERVICE}")
        op.execute(f"revoke usage on schema ops from {SERVICE}")
