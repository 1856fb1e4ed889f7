"""What a reader can hold up is bounded, and a change that waits for it ends soon, in a sentence that names it."""

import time
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config

from flows.dbt_runner import Dbt
from tests.warehouse.test_logins import own  # noqa: F401
from warehouse.database import Database, Role, logins
from warehouse.errors import LockTimeoutError, UsageError
from warehouse.prepare import MIGRATIONS, prepare
from warehouse.table_locks import READER_CONNECTIONS, gave_up

LIMIT = "select rolconnlimit from pg_roles where rolname = %s"


def test_a_reader_cannot_take_the_connections_of_the_others(own: Database) -> None:  # noqa: F811
    with ExitStack() as open_ones:
        for _ in range(READER_CONNECTIONS):
            open_ones.enter_context(own.connect(role=Role.READER))
        with pytest.raises(UsageError, match="too many connections for role"):
            own.connect(role=Role.READER)
        for role in (None, Role.LOADER, Role.TRANSFORMER, Role.SERVICE):
            own.connect(role=role).close()


def test_an_idle_transaction_of_a_reader_ends(own: Database) -> None:  # noqa: F811
    setting = "select current_setting('idle_in_transaction_session_timeout')"
    with own.connect(role=Role.READER) as connection:
        assert connection.execute(setting).fetchone() == ("5min",)
        connection.execute("set idle_in_transaction_session_timeout = '100ms'")
        connection.execute("begin")
        time.sleep(1)
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            connection.execute("select 1")
    with own.connect(role=Role.LOADER) as connection:
        assert connection.execute(setting).fetchone() == ("0",)


def test_a_login_of_before_is_bounded_and_a_limit_of_the_owner_stays(own: Database) -> None:  # noqa: F811
    login = logins(own)[Role.READER].user
    with own.connect() as owner:
        for given, kept in ((-1, READER_CONNECTIONS), (50, 50)):
            owner.execute(f"alter role {login} connection limit {given}")
            prepare(own)
            assert owner.execute(LIMIT, [login]).fetchone() == (kept,)


def test_a_change_of_a_table_waits_no_longer_than_is_set_and_names_the_reader(
    own: Database,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TABLE_WAIT_SECONDS", "0.5")
    with own.connect(role=Role.TRANSFORMER) as transformer, own.connect(role=Role.READER, name="BI") as reader:
        transformer.execute("create table public.of_dbt (n int)")
        reader.execute("begin")
        reader.execute("select * from public.of_dbt")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            transformer.execute("drop table public.of_dbt")
        said = str(gave_up(own, "dbt"))
        who = f"process {reader.info.backend_pid}, user {logins(own)[Role.READER].user}, application BI"
        assert (
            f"0.5 s (TABLE_WAIT_SECONDS): dbt waited for a table that is in use by {who} (idle in transaction" in said
        )
        assert "holds of_dbt" in said
        reader.execute("rollback")
        transformer.execute("drop table public.of_dbt")


def test_a_migration_that_cannot_have_a_table_ends_in_a_sentence(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TABLE_WAIT_SECONDS", "0.5")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["database"] = empty_database
    command.upgrade(config, "20261126_2302")
    with empty_database.connect(autocommit=False, name="a stranger") as stranger:
        stranger.execute("lock table ops.fetches in row exclusive mode")
        with pytest.raises(LockTimeoutError, match=r"a migration waited .* application a stranger .*holds fetches"):
            prepare(empty_database)
    prepare(empty_database)


@pytest.mark.slow
def test_a_build_that_cannot_have_a_view_ends_in_a_sentence_and_holds_no_payload(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TABLE_WAIT_SECONDS", "1")
    with database.connect() as owner:
        owner.execute("delete from ops.built_projects")
        row = owner.execute("select pg_get_viewdef('public.regional_opportunities'::regclass)").fetchone()
        assert row  # a view that is what it should be takes no lock
        before = row[0].rstrip("; ")
        owner.execute(f"create or replace view public.regional_opportunities as select * from ({before}) as other")
    dbt = Dbt(database, tmp_path)
    try:
        with database.connect(role=Role.READER, autocommit=False, name="BI") as reader:
            reader.execute("select * from public.regional_opportunities limit 1")
            with pytest.raises(LockTimeoutError, match=r"dbt .* application BI "):
                dbt.publish(())
        assert not dbt.publish(()).failures
    finally:
        dbt.close()
