"""An owner without superuser rights is enough for everything, and nothing but migrations, logins and tokens needs an owner."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from fastapi.testclient import TestClient

from flows import dbt_docs
from flows.discover import discover_neso
from flows.dispatch import dispatch
from flows.export import export
from flows.replan import replan
from flows.replay import replay_decisions
from flows.settle import settle
from flows.transform import transform
from service import tokens
from service.app import create
from service.mcp.__main__ import caller_of
from service.settings import ServiceSettings
from tests.commands import run
from tests.emulator import Emulator
from tests.energy import CARBON_TABLES, FAST, Energy
from tests.flows.settling import Past
from tests.flows.test_clocks import ahead
from tests.flows.test_hand_over import prefect
from tests.flows.test_maintenance import age, maintain
from tests.flows.test_replay import capture_a_day
from tests.service.conftest import TOKEN, Api
from warehouse import logins as login_store
from warehouse.database import Database, Role, existing_roles, logins
from warehouse.periods import floor

NATIONAL = "carbon_intensity__national"


def is_superuser(connection: psycopg.Connection) -> bool:
    row = connection.execute("select rolsuper from pg_roles where rolname = current_user").fetchone()
    return bool(row and row[0])


@pytest.fixture
def plain(server: Database) -> Iterator[Database]:
    """An empty database whose owner may make roles and databases, and is no superuser."""
    name, password = f"energy_plain_{os.getpid()}", "plain"
    owner = replace(server, user=name, password=password, name=name)
    with server.connect() as connection:
        if not is_superuser(connection):
            pytest.skip("only a superuser can lend the roles of this server to another owner")
        connection.execute(f"create role {name} login createrole createdb nosuperuser password '{password}'")
        for role in Role:
            if connection.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone():
                connection.execute(f"grant {role} to {name} with admin option")
        connection.execute(f"create database {name} owner {name} template template0")
    existing_roles.cache_clear()
    yield owner
    login_store.remove(owner)
    with server.connect() as connection:
        connection.execute(f"drop database {name} with (force)")
        connection.execute(f"drop owned by {name}")
        connection.execute(f"drop role {name}")
    existing_roles.cache_clear()


GUARD = """
create function public.only_the_writer() returns trigger language plpgsql as $$
begin
    if current_user <> (case when tg_table_schema in ('staging', 'ops') then 'energy_loader' else 'energy_transformer' end) then
        raise 'ops, staging, intermediate and public have one writer each: % wrote %', current_user, tg_table_name;
    end if;
    return null;
end $$
"""


@contextmanager
def one_writer_per_schema(energy: Energy) -> Iterator[None]:
    """Within it, a statement that writes a table of ours fails unless the role that writes its schema runs it."""
    tables = [
        table
        for (table,) in energy.query(
            "select format('%I.%I', table_schema, table_name) from information_schema.tables where table_type = 'BASE TABLE' "
            "and table_schema in ('staging', 'intermediate', 'ops', 'public') and table_name not like '%\\_\\_pending' "
            "and table_name not in ('logins', 'alembic_version')"
        )
    ]
    energy.query(GUARD)
    for table in tables:
        energy.query(
            f"create trigger guard after insert or update or delete on {table} execute function public.only_the_writer()"
        )
    with pytest.raises(psycopg.errors.RaiseException, match="one writer each"):
        energy.query("delete from ops.fetches where false")
    yield
    energy.query("drop function public.only_the_writer cascade")


@pytest.fixture
def energy_of_plain(
    plain: Database,
    emulator: Emulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Energy:
    """The flows against it and the emulator."""
    energy = Energy(plain, tmp_path, monkeypatch, capsys)
    energy.set(DATABASE_URL=plain.address(), DATA_DIR=str(tmp_path), **FAST, **emulator.settings)
    return energy


def work(energy: Energy) -> None:
    """Something for each flow to do: a run to settle, a task without a place and one that Prefect is to run, captures."""
    database, ago = energy.database, timedelta(hours=6)
    tokens.register(database, TOKEN, label="tests")
    with TestClient(create(database, ServiceSettings()), headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        api = Api(client, database)
        api.asset(api.operator("House", is_default=True), kw=10)
        size = {"power_kw": 10, "duration_minutes": 240, "run": {"deployment": "job/job"}}
        assert api.submit("Train first", **size)["status"] == "scheduled"
        ((begins, ends),) = energy.query("select starts_at, ends_at from app.workload_placements")
        within = {"earliest_start": begins.isoformat(), "deadline": ends.isoformat()}
        assert api.submit("Train second", **size, **within)["status"] == "pending"
    with database.connect() as connection:
        past = Past(database, connection)
        begins = floor(datetime.now(UTC)) - ago
        ended = past.workload(begins)
        past.place(ended, (begins, begins + timedelta(hours=2)))
        past.run(ended, begins, begins + timedelta(hours=2))
    capture_a_day(energy)


@pytest.mark.slow
def test_every_flow_writes_each_schema_under_the_role_whose_it_is(
    energy_of_plain: Energy, emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    energy = energy_of_plain
    assert energy.refresh("carbon_intensity", "wholesale_prices")["failures"] == []
    assert energy.backfill("2024-03-01", "2024-03-01", NATIONAL)["failures"] == []
    work(energy)
    emulator.fault("revised", "/carbon_intensity/intensity/")
    with one_writer_per_schema(energy), prefect(monkeypatch) as created:
        assert energy.backfill("2024-03-01", "2024-03-02", NATIONAL, force=True)["failures"] == []
        assert transform.fn()["failures"] == []
        assert energy.refresh()["failures"] == []
        assert replan.fn()["failures"] == [] and dispatch.fn()["done"] and created
        assert settle.fn()["failures"] == []
        assert replay_decisions.fn(forecasts="archive")["rows"] > 0
        assert export.fn(tables=["carbon_intensity_national"])["written"] > 0
        assert discover_neso.fn()["failures"] == []
        assert dbt_docs.generate(energy.database, tmp_path).is_file()
        maintain()
    flows = {flow for (flow,) in energy.query("select distinct flow from ops.runs")}
    assert flows >= {"refresh", "backfill", "transform", "replan", "settle", "replay", "export", "maintenance"}


@pytest.mark.slow
def test_everything_runs_without_superuser_rights(energy_of_plain: Energy, plain: Database, emulator: Emulator) -> None:
    energy = energy_of_plain
    assert energy.refresh("carbon_intensity")["failures"] == []
    with plain.connect() as connection:
        assert not is_superuser(connection)
    assert set(logins(plain)) == set(Role), "each room has a login of its own"
    emulator.fault("revised", "/carbon_intensity/intensity/")
    assert energy.backfill("2024-03-01", "2024-03-01", NATIONAL)["failures"] == []
    assert all(energy.value(f"select count(*) from {table}") for table in CARBON_TABLES)

    token = tokens.make(plain, operator=None, label="plain")
    assert token.startswith(tokens.PREFIX) and caller_of(plain, None).operator_id is None
    with plain.connect() as connection:
        connection.execute("insert into app.operators (name) values ('Plain') on conflict do nothing")
    assert caller_of(plain, "Plain").operator_id is not None

    ahead(energy, 3)
    with one_writer_per_schema(energy):
        assert energy.refresh(NATIONAL)["failures"] == []
    assert "a clock was ahead" in energy.output
    age(energy, 500)
    emulator.reset()
    assert energy.refresh(NATIONAL)["failures"] == []
    with one_writer_per_schema(energy):
        assert maintain()[NATIONAL] > 0
    for command in (
        ("flows.transform",),
        ("flows.export", "--tables", "carbon_intensity_national"),
        ("warehouse.__main__", "rotate"),
    ):
        done = run(*command)
        assert done.returncode == 0, (command, done.stderr)
