"""Fixtures: a real PostgreSQL, the emulator, and the flows run against both.

The server is TEST_DATABASE_URL if that is set (its user must be able to create databases), else an embedded one in a
folder of the session. Each test that requests `database` gets a fresh copy of a template that was prepared once.
"""

import atexit
import gc
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql

from flows.settings import quieten_libraries
from pipelines.catalogue import SOURCES
from tests.emulator import Emulator
from tests.energy import FAST, Energy
from warehouse import logins
from warehouse import prepare as warehouse_prepare
from warehouse.database import Database, existing_roles, parse

quieten_libraries()
# dbt, dlt, Prefect and Great Expectations are half a million objects, and going through them was a seventh of the tests' time
gc.set_threshold(50_000, 20, 100)
# A shell has its jobs in the background ignore these two, and so would every process that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
settings.register_profile("no_deadline", settings(), deadline=None)  # machines are noisy
settings.load_profile("no_deadline")
TEST_DATABASE_URL = os.environ.pop("TEST_DATABASE_URL", None)
RECORDED_DIR = Path(os.environ["RECORDED_DIR"]) if os.environ.get("RECORDED_DIR") else None
for _name in (
    "DATABASE_URL",
    "PREFECT_API_URL",
    "SYNTHETIC_FALLBACK",
    "PGOPTIONS",
    *(f"{s.upper()}_URL" for s in SOURCES),
):
    os.environ.pop(_name, None)

if not {"PYTEST_DEBUG_TEMPROOT", "PYTEST_XDIST_WORKER"} & set(os.environ):
    # Another session of this user sets the folder that they all share to 0700, in which our servers' user then finds nothing.
    os.environ["PYTEST_DEBUG_TEMPROOT"] = tempfile.mkdtemp(prefix="energy-pytest-")
    atexit.register(shutil.rmtree, os.environ["PYTEST_DEBUG_TEMPROOT"], ignore_errors=True)

WITH_A_STACK = (
    "test_stack.py",
    "test_schedules.py",
    "test_dispatch.py",
    "test_stack_security.py",
    "test_kills.py",
    "test_users.py",
    "test_browser.py",
    "test_docs_in_browser.py",
    "test_pages_in_browser.py",
    "test_demo.py",
    "test_hosts.py",
    "test_elsewhere.py",
    "test_great_attack.py",
)


BEGUN_AT = time.monotonic()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--within SECONDS`: for a machine that has no time for all of them."""
    parser.addoption(
        "--within",
        type=float,
        metavar="SECONDS",
        help="begin no test after so many seconds: those left are skipped, and said",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what would begin too late."""
    within = item.config.getoption("--within")
    if within is not None and time.monotonic() - BEGUN_AT > within:
        pytest.skip(f"not reached within {within:.0f} seconds")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes long unless `-m` or a test's own name asks for it: tests of several seconds (`slow`), what starts
    Prefect servers, workers or hosts of its own (`stack`), every day around a seam of the upstreams' files (`seams`).
    """
    for item in items:
        if "server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.database)
        if item.path.name in WITH_A_STACK:
            item.add_marker(pytest.mark.stack)
            item.add_marker(pytest.mark.timeout(0))  # hundreds of kills take more than an hour
    if any("::" in argument for argument in config.args):
        return
    asked = config.getoption("markexpr")
    named = [item for item in items if (kind := kind_of(item)) and kind not in asked]
    if named:
        config.hook.pytest_deselected(items=named)
        left_out = set(named)
        items[:] = [item for item in items if item not in left_out]


def kind_of(item: pytest.Item) -> str | None:
    """Which of the kinds that are left out it is of."""
    return next((name for name in ("stack", "seams", "slow") if item.get_closest_marker(name)), None)


needs_recorded = pytest.mark.skipif(RECORDED_DIR is None, reason="RECORDED_DIR is not set")


@pytest.fixture(scope="session")
def session_dir() -> Iterator[Path]:
    """DATA_DIR of the session. Not one of pytest's own folders: it clears away old ones, servers in them or not."""
    with tempfile.TemporaryDirectory(prefix="energy-tests-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="session")
def server(session_dir: Path) -> Iterator[Database]:
    """A database of the server, from which others can be made."""
    if TEST_DATABASE_URL:
        yield parse(TEST_DATABASE_URL)
        return
    from warehouse import embedded

    database = embedded.ensure_running(session_dir)
    with database.connect() as connection:
        for setting in (
            "fsync",
            "synchronous_commit",
            "full_page_writes",
        ):  # what a test leaves need not outlive the machine
            connection.execute(f"alter system set {setting} = off")
        # the hash of its password is half of a connection's time, and a test opens dozens
        connection.execute("alter system set scram_iterations = 1")
        connection.execute("select pg_reload_conf()")
        connection.execute("set scram_iterations = 1")
        connection.execute(
            sql.SQL("alter role {} password {}").format(sql.Identifier(database.user), database.password)
        )
    yield database
    embedded.stop(session_dir)


@pytest.fixture(scope="session")
def template(server: Database, session_dir: Path) -> Iterator[Database]:
    """A database that is prepared, with every table and view of the project and not a row of data."""
    from flows.dbt_runner import Dbt
    from pipelines.catalogue import DATASETS
    from pipelines.landing import Landing

    database = _create(server, f"energy_test_{os.getpid()}")
    warehouse_prepare.prepare(database)
    import uuid

    with Landing(database, run_id=uuid.uuid4(), work_dir=session_dir / "dlt") as landing:
        landing.prepare(DATASETS.values())
    dbt = Dbt(database, session_dir)
    for built in (dbt.unpack(()), dbt.publish(())):
        assert not built.failures
    dbt.close()
    name = f"{database.name}_template"
    with server.connect() as connection:
        _drop(connection, name)
        connection.execute(f'create database "{name}" template "{database.name}"')
    yield replace(database, name=name)
    logins.remove(replace(database, name=name))  # those of all its copies
    with server.connect() as connection:
        _drop(connection, name)
        _drop(connection, database.name)


@pytest.fixture
def database(server: Database, template: Database) -> Database:
    """A fresh database. It has the same name in each test, so that dbt reads its project once a session."""
    name = template.name.removesuffix("_template")
    with server.connect() as connection:
        _drop(connection, name)
        connection.execute(f'create database "{name}" template "{template.name}"')
    fresh = replace(template, name=name)
    existing_roles.cache_clear()
    warehouse_prepare.set_up(fresh)
    return fresh


@pytest.fixture
def empty_database(server: Database) -> Iterator[Database]:
    """A database with nothing in it."""
    fresh = _create(server, f"energy_empty_{os.getpid()}")
    existing_roles.cache_clear()
    yield fresh
    logins.remove(fresh)
    with server.connect() as connection:
        _drop(connection, fresh.name)


def _create(server: Database, name: str) -> Database:
    with server.connect() as connection:
        _drop(connection, name)
        connection.execute(f'create database "{name}" template template0')
    return replace(server, name=name)


def _drop(connection: psycopg.Connection, name: str) -> None:
    connection.execute(f'drop database if exists "{name}" with (force)')


@pytest.fixture(scope="session")
def _emulator(server: Database) -> Iterator[Emulator]:
    with Emulator(datastore=lambda: server) as emulator:
        yield emulator


@pytest.fixture
def emulator(_emulator: Emulator) -> Emulator:
    """The upstreams with generated data: no faults, an empty log."""
    _emulator.reset()
    return _emulator


@pytest.fixture(scope="session")
def _recorded_emulator(server: Database) -> Iterator[Emulator]:
    with Emulator(recorded=RECORDED_DIR, datastore=lambda: server) as emulator:
        yield emulator


@pytest.fixture
def recorded_emulator(_recorded_emulator: Emulator) -> Emulator:
    """The upstreams with what was recorded of them."""
    _recorded_emulator.reset()
    return _recorded_emulator


@pytest.fixture
def energy(
    database: Database,
    session_dir: Path,
    emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Energy]:
    """The flows against a fresh database and the emulator."""
    this = Energy(database, session_dir, monkeypatch, capsys)
    this.set(DATABASE_URL=database.address(), DATA_DIR=str(session_dir), **FAST, **emulator.settings)
    yield this
    with suppress(KeyError):
        del os.environ["PGOPTIONS"]


@pytest.fixture(scope="session")
def grid_template(server: Database, template: Database, session_dir: Path, _emulator: Emulator) -> Iterator[Database]:
    """A database with the newest of what placements are decided by; all of it real, from the emulator."""
    from flows.refresh import refresh

    grid = replace(template, name=f"energy_grid_{os.getpid()}")
    copy_database(server, template, grid)
    _emulator.reset()
    with pytest.MonkeyPatch.context() as patch:
        settings = {"DATABASE_URL": grid.address(), "DATA_DIR": str(session_dir), **FAST, **_emulator.settings}
        for name, value in settings.items():
            patch.setenv(name, value)
        outcome = refresh.fn(datasets=["carbon_intensity", "neso__n2ex_day_ahead", "beckn"])
        patch.delenv("PGOPTIONS", raising=False)
    assert outcome["failures"] == []
    with grid.connect() as connection:  # the examples of an embedded database
        connection.execute("truncate app.operators cascade")
        # the auction's file ends with the day: without this, what cost does would depend on the hour of the test
        connection.execute(
            "insert into wholesale_prices select (jsonb_populate_record(price, to_jsonb(price) || jsonb_build_object("
            "'period_start', price.period_start + interval '3 days', 'period_end', price.period_end + interval '3 days', "
            "'settlement_date', price.settlement_date + 3))).* from wholesale_prices as price "
            "where market = 'n2ex_day_ahead' on conflict do nothing"
        )
    yield grid
    with server.connect() as connection:
        connection.execute(f'drop database if exists "{grid.name}" with (force)')


@pytest.fixture
def grid(server: Database, grid_template: Database) -> Iterator[Database]:
    """A copy of it for one test."""
    fresh = replace(grid_template, name=f"{grid_template.name}_test")
    copy_database(server, grid_template, fresh)
    yield fresh
    with server.connect() as connection:
        connection.execute(f'drop database if exists "{fresh.name}" with (force)')


def copy_database(server: Database, source: Database, target: Database) -> None:
    """Make a database anew as a copy of another one."""
    with server.connect() as connection:
        connection.execute(f'drop database if exists "{target.name}" with (force)')
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [source.name])
        connection.execute(f'create database "{target.name}" template "{source.name}"')
    existing_roles.cache_clear()
    warehouse_prepare.set_up(target)
