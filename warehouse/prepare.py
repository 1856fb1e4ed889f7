"""Brings a database up to date: schemas, roles, `ops` tables (Alembic), and its search_path."""

from pathlib import Path

import psycopg
from psycopg import sql

from warehouse.database import Database, existing_roles
from warehouse.errors import UsageError
from warehouse.locks import exclusive

MIGRATIONS = Path(__file__).parent / "migrations"
MINIMUM_SERVER_VERSION = 150000


def prepare(database: Database) -> None:
    """Apply the migrations that are missing; does nothing, in milliseconds, when none is."""
    if _version(database) == newest_revision():
        return
    with exclusive(database, "migrations"):
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["database"] = database
        command.upgrade(config, "head")
        existing_roles.cache_clear()
        _set_search_path(database)


def newest_revision() -> str:
    """The id of the last migration: files are named by time, so the last name is the newest."""
    return max(path.stem.split("__")[0] for path in (MIGRATIONS / "versions").glob("2*.py"))


def _version(database: Database) -> str | None:
    with database.connect() as connection:
        if connection.info.server_version < MINIMUM_SERVER_VERSION:
            raise UsageError(
                f"The server at {database.host}:{database.port} is PostgreSQL {connection.info.server_version // 10000}; "
                "15 or newer is needed."
            )
        try:
            row = connection.execute("select version_num from ops.alembic_version").fetchone()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege):
            return None
        return row[0] if row else None


def _set_search_path(database: Database) -> None:
    with database.connect() as connection:
        statement = sql.SQL("alter database {} set search_path = public, app").format(sql.Identifier(database.name))
        try:
            connection.execute(statement)
        except psycopg.errors.InsufficientPrivilege:
            # The owner of an external database may not be us; `app.` then has to be written out.
            connection.execute(
                sql.SQL("alter role current_user in database {} set search_path = public, app").format(
                    sql.Identifier(database.name)
                )
            )
