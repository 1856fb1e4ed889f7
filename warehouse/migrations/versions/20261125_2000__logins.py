"""`ops.logins`: what each role logs in with."""

from alembic import op

revision = "20261125_2000"
down_revision = "20261123_2200"

LOGINS = """
create table ops.logins (
    role text primary key check (role in ('energy_loader', 'energy_transformer', 'energy_service', 'energy_reader')),
    login text,
    password text,
    refused_because text,
    created_at timestamptz not null default clock_timestamp(),
    check ((login is not null and password is not null) = (refused_because is null))
);
comment on table ops.logins is 'One row per role: the login that connects under it. Only the owner of the database reads this.';
comment on column ops.logins.refused_because is 'Why there is no login: the server does not let this user make one, or does not accept it.';
revoke all on ops.logins from public;
"""


def upgrade() -> None:
    """The table; `warehouse.logins` fills it."""
    op.execute(LOGINS)


def downgrade() -> None:
    """Every room works under the owner's login again."""
    op.execute("drop table ops.logins")
