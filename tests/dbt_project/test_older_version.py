"""A database that an older version made: the next run brings it up to date, and nothing of what it holds is lost.

`older_version.sql.gz` is `pg_dump --inserts` of what commit 0760275 made of the emulator: the version before staging models became
one per dataset (`payload_rows`). A response of each dataset, those of whole years cut down to days.
"""

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.catalogue import DATASETS
from tests.conftest import _create, _drop
from tests.emulator import Emulator
from tests.energy import FAST, Energy
from warehouse import logins
from warehouse.database import Database, existing_roles
from warehouse.prepare import newest_revision

DUMP = Path(__file__).parent / "older_version.sql.gz"
TABLES = "select tablename from pg_tables where schemaname = 'public' order by 1"


@pytest.fixture
def older(
    server: Database,
    template: Database,  # with it the roles are there that the dump names
    emulator: Emulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Energy]:
    database = _create(server, f"{template.name}_older")
    existing_roles.cache_clear()
    with database.connect() as connection:
        connection.execute(gzip.decompress(DUMP.read_bytes()))
    energy = Energy(database, tmp_path, monkeypatch, capsys)
    energy.set(DATABASE_URL=database.address(), DATA_DIR=str(tmp_path), **FAST, **emulator.settings)
    yield energy
    logins.remove(database)
    with server.connect() as connection:
        _drop(connection, database.name)


def rows(energy: Energy) -> dict[str, list[dict[str, Any]]]:
    """Every row of the clean tables."""
    return {
        table: [row for (row,) in energy.query(f"select to_jsonb(one) from public.{table} as one")]
        for (table,) in energy.query(TABLES)
    }


def _but_for_the_time(row: dict[str, Any], columns: Iterable[str]) -> tuple[str, ...]:
    """A row's values in these columns, without when it was last changed."""
    return tuple(str(row[name]) for name in sorted(columns) if name != "updated_at")


@pytest.mark.slow
def test_the_next_run_brings_it_up_to_date_and_loses_nothing(older: Energy) -> None:
    before = rows(older)
    payloads = {slug: older.value(f"select count(*) from staging.{slug}_payloads") for slug in DATASETS}
    assert all(payloads.values()) and all(before.values()), "something of every dataset, in every table"
    assert older.value("select version_num from ops.alembic_version") < newest_revision()

    assert older.refresh("elexon__market_index")["failures"] == []

    assert older.value("select version_num from ops.alembic_version") == newest_revision()
    after = rows(older)
    for table, kept in before.items():
        # a column that is new since then may be filled, at a time that `updated_at` says; what was there stays as it was
        now = {_but_for_the_time(row, kept[0]): str(row.get("updated_at")) for row in after[table]}
        lost = [row for row in kept if now.get(_but_for_the_time(row, row), "") < str(row.get("updated_at"))]
        assert lost == [], table
    for slug, count in payloads.items():
        assert older.value(f"select count(*) from staging.{slug}_payloads") >= count
    assert older.value("select count(*) from data_coverage") > 0
