"""Alembic's entry point. Schemas `app` and `ops` are migrated here; `staging` is dlt's and `public` is dbt's."""

import sqlalchemy
from alembic import context

from warehouse.database import Database
from warehouse.settings import WarehouseSettings

OWN_SCHEMAS = frozenset({"app", "ops"})


def include_name(name: str | None, kind: str, _parents: object) -> bool:
    """Keep autogenerate away from the schemas of other writers."""
    return kind != "schema" or name in OWN_SCHEMAS


def migrate() -> None:
    """Run the migrations over one connection and in one transaction."""
    database: Database = context.config.attributes["database"]
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://",
        creator=lambda: database.connect(autocommit=False, name="energy-migrations"),
        poolclass=sqlalchemy.NullPool,
    )
    with engine.begin() as connection:
        connection.execute(
            sqlalchemy.text("select set_config('lock_timeout', :bound, true)"),
            {"bound": f"{WarehouseSettings().table_wait_seconds:g}s"},
        )
        connection.execute(sqlalchemy.text("create schema if not exists ops"))
        context.configure(
            connection=connection,
            version_table_schema="ops",
            include_schemas=True,
            include_name=include_name,
            transaction_per_migration=False,
        )
        with context.begin_transaction():
            context.run_migrations()


migrate()
