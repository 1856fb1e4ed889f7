"""Schema `app` is prepared again without a change, and its examples come once."""

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData

from tests.warehouse.app_rows import (
    TABLES,
    made,
    operator,
)
from warehouse.database import Database, existing_roles
from warehouse.examples import add_examples
from warehouse.prepare import MIGRATIONS, prepare, set_up

CATALOGUE = """
select 'table', oid::regclass::text, concat(relacl, relrowsecurity, relforcerowsecurity, relkind) from pg_class
where relnamespace::regnamespace::text in ('app', 'ops', 'public', 'staging', 'staging_incoming', 'intermediate')
union all select 'column', attrelid::regclass::text, concat(attname, attnum, atttypid, attnotnull) from pg_attribute
where attrelid in (select oid from pg_class where relnamespace::regnamespace::text in ('app', 'ops'))
union all select 'function', oid::regprocedure::text, concat(proacl, md5(prosrc)) from pg_proc
where pronamespace::regnamespace::text in ('app', 'public')
union all select 'policy', policyname, concat(tablename, roles, qual, with_check) from pg_policies
union all select 'constraint', conname, pg_get_constraintdef(oid) from pg_constraint
union all select 'trigger', tgname, pg_get_triggerdef(oid) from pg_trigger
union all select 'schema', nspname, nspacl::text from pg_namespace where nspname not like 'pg\\_%'
union all select 'setting', setrole::text, setconfig::text from pg_db_role_setting
union all select 'database', datname, datacl::text from pg_database where datname = current_database()
union all select 'version', version_num, '' from ops.alembic_version
union all select 'operator', name, metadata::text from app.operators
order by 1, 2, 3
"""


def test_preparing_again_changes_nothing_of_what_there_is(app: Database) -> None:
    with app.connect() as connection:
        before = connection.execute(CATALOGUE).fetchall()
        prepare(app)
        set_up(app)
        assert connection.execute(CATALOGUE).fetchall() == before
    assert {kind for kind, _, _ in before} >= {"table", "column", "function", "policy", "trigger", "setting", "version"}


def test_autogenerate_looks_at_schemas_app_and_ops_alone(app: Database) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["database"] = app
    script = ScriptDirectory.from_config(config)
    found: list[Any] = []

    def look(_revision: Any, context: Any) -> list[Any]:
        found.extend(compare_metadata(context, MetaData()))
        return []

    with app.connect() as connection:
        connection.execute("create schema theirs create table one (n int) create index on one (n)")
        connection.execute("create table public.of_dbt (n int); create table staging.of_dlt (n int)")
        with EnvironmentContext(config, script, fn=look):
            script.run_env()
        connection.execute("drop schema theirs cascade; drop table public.of_dbt, staging.of_dlt")
    tables = {(thing.schema, thing.name) for kind, thing in found if kind == "remove_table"}
    assert {schema for schema, _ in tables} == {"app", "ops"}
    assert {name for schema, name in tables if schema == "app"} == {*TABLES, "operator_tokens", "region_limit"}
    assert ("ops", "alembic_version") not in tables


def test_examples_come_once_and_into_an_embedded_database_alone(server: Database, app: Database) -> None:
    def operators(database: Database) -> list[tuple[Any, ...]]:
        with database.connect() as connection:
            return connection.execute("select name, metadata from app.operators").fetchall()

    assert operators(app) == [], "a database that was given is nobody's playground"
    if existing_roles(app) == frozenset():
        return
    with made(server, "with roles", is_embedded=True) as embedded:
        assert len(operators(embedded)) == 3 and all(
            metadata == {"example": True} for _, metadata in operators(embedded)
        )
        with embedded.connect() as connection:
            users = connection.execute("select email from users order by 1")
            assert [email for (email,) in users] == ["ada@example.net", "grace@example.org"]
            connection.execute("truncate app.operators cascade")
        prepare(embedded)
        assert operators(embedded) == []
        with embedded.connect() as connection:
            operator(connection, name="a real one")
        add_examples(embedded)
        assert operators(embedded) == [("a real one", {})]
