"""Brings a database up to date: schemas, roles, `ops` tables (Alembic), its search_path, what a region carries."""

from pathlib import Path

import psycopg
from psycopg import sql

from warehouse import logins
from warehouse.database import Database, Role, existing_roles
from warehouse.errors import UsageError
from warehouse.examples import add_examples
from warehouse.locks import exclusive
from warehouse.settings import DecisionSettings
from warehouse.table_locks import gave_up

MIGRATIONS = Path(__file__).parent / "migrations"
MINIMUM_SERVER_VERSION = 150000


def prepare(database: Database) -> None:
    """Apply the migrations and make the logins that are missing; does nothing, in milliseconds, when none is."""
    with database.connect() as connection:
        is_up_to_date = _version(database, connection) == newest_revision()
        if is_up_to_date:
            restore_public(database, connection)
    if not is_up_to_date:
        with exclusive(database, "migrations", role=None):
            _migrate(database)
            existing_roles.cache_clear()
            set_up(database)
            if database.is_embedded:
                add_examples(database)
    with database.connect() as connection:
        limit_regions(connection, DecisionSettings().region_capacity_kw)
    logins.ensure(database)


def _migrate(database: Database) -> None:
    from alembic import command
    from alembic.config import Config
    from sqlalchemy.exc import OperationalError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["database"] = database
    try:
        command.upgrade(config, "head")
    except OperationalError as error:
        if isinstance(error.orig, psycopg.errors.LockNotAvailable):
            raise gave_up(database, "a migration") from None
        raise


def newest_revision(versions: Path = MIGRATIONS / "versions") -> str:
    """The id of the last migration: files are named by time, so the last name is the newest."""
    return max(path.stem.split("__")[0] for path in versions.glob("2*.py"))


def _version(database: Database, connection: psycopg.Connection) -> str | None:
    if connection.info.server_version < MINIMUM_SERVER_VERSION:
        raise UsageError(
            f"The server at {database.host}:{database.port} is PostgreSQL {connection.info.server_version // 10000}; "
            "15 or newer is needed."
        )
    role = connection.execute("select current_user").fetchone()
    if role and role[0] in set(Role):
        raise UsageError(
            f"DATABASE_URL names a login of {role[0]}, which can only work under that role. Commands of this project need "
            "the owner of the database."
        )
    try:
        row = connection.execute("select version_num from ops.alembic_version").fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege):
        return None
    return row[0] if row else None


def restore_public(database: Database, connection: psycopg.Connection) -> None:
    """Make schema `public` again after it was dropped, with the rights that went with it; dbt fills it from the payloads."""
    roles = existing_roles(database)
    row = connection.execute(
        "select to_regnamespace('public') is not null, "
        "exists (select from pg_default_acl where defaclnamespace = to_regnamespace('public'))"
    ).fetchone()
    if row and row[0] and (row[1] or not roles):
        return
    connection.execute("create schema if not exists public")
    if Role.TRANSFORMER not in roles:
        return
    connection.execute(f"grant usage, create on schema public to {Role.TRANSFORMER}")
    for role in roles & {Role.LOADER, Role.SERVICE, Role.READER}:
        connection.execute(f"grant usage on schema public to {role}")
        connection.execute(
            f"alter default privileges for role {Role.TRANSFORMER} in schema public grant select on tables to {role}"
        )


def limit_regions(connection: psycopg.Connection, capacity_kw: float) -> None:
    """Keep what an operator may place in a region at one time, kW, where bookings are held to it; what is booked stays."""
    connection.execute(
        "update app.region_limit set capacity_kw = %(kw)s::numeric(14, 3) where capacity_kw <> %(kw)s::numeric(14, 3)",
        {"kw": capacity_kw},
    )


def set_up(database: Database) -> None:
    """What belongs to the database and not to what is in it: its search_path, and dbt's right to make schemas."""
    name = sql.Identifier(database.name)
    with database.connect() as connection:
        try:
            connection.execute(sql.SQL("alter database {} set search_path = public, app").format(name))
        except psycopg.errors.InsufficientPrivilege:
            # The owner of an external database may not be us: then it holds for our user alone.
            connection.execute(
                sql.SQL("alter role current_user in database {} set search_path = public, app").format(name)
            )
        if Role.TRANSFORMER in existing_roles(database):
            # dbt makes the schemas of a personal target itself
            connection.execute(
                sql.SQL("grant create on database {} to {}").format(name, sql.Identifier(Role.TRANSFORMER.value))
            )
