"""`make export`: files that hold what the tables hold, not written again without need, never seen half-written."""

import signal
import subprocess
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from tests.commands import run, start
from tests.energy import CLEAN_TABLES, Energy
from warehouse import exports
from warehouse.exports import Manifest
from warehouse.settings import PROJECT_ROOT

REGIONAL = "carbon_intensity_regional"


@pytest.fixture
def exported(energy: Energy, tmp_path: Path) -> Energy:
    """A folder of its own to export to."""
    energy.set(DATA_DIR=str(tmp_path))
    energy.data_dir = tmp_path
    return energy


def export(energy: Energy, *tables: str, first: date | None = None, last: date | None = None) -> dict[str, Any]:
    from flows.export import export as flow

    outcome = flow.fn(first, last, list(tables) or None)
    energy.output = "".join(energy.capsys.readouterr())
    assert outcome["failures"] == []
    return dict(outcome)


def manifest(energy: Energy) -> Manifest:
    found = exports.read(exports.folder(energy.data_dir))
    assert found
    return found


def versions(energy: Energy) -> dict[str, tuple[int, int]]:
    """Which file stands under each name."""
    folder = exports.folder(energy.data_dir)
    return {
        str(path.relative_to(folder)): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in folder.glob("*/*.parquet")
    }


def comparable(value: Any) -> Any:
    """A value of the database as Parquet can hold it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return float(value) if isinstance(value, Decimal) else value


@pytest.mark.slow
def test_every_table_reads_back_as_the_database_has_it(exported: Energy) -> None:
    exported.refresh()
    exported.backfill("2024-03-30", "2024-04-02", "carbon_intensity", "elexon__market_index")
    exported.query("update wholesale_prices set price_gbp_mwh = 61.1234567890123 where ctid = '(0,1)'")
    export(exported)
    folder, found = exports.folder(exported.data_dir), manifest(exported)
    assert {table.table for table in found.tables} >= {*CLEAN_TABLES, "regions", "carbon_intensity_captures"}
    revision = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=PROJECT_ROOT, capture_output=True, text=True, check=False
    )
    assert found.git_revision == (revision.stdout.strip() or None)
    for table in found.tables:
        kinds = {column.name: column.type for column in table.columns}
        spelled = [name if kind not in ("jsonb", "uuid") else f"{name}::text" for name, kind in kinds.items()]
        order = ", ".join(table.key)
        rows = exported.query(f"select {', '.join(spelled)} from {table.table} order by {order}")
        entries = [entry for entry in found.files if entry.table == table.table]
        read = []
        for entry in entries:
            path = folder / entry.path
            assert (path.stat().st_size, exports.digest(path)) == (entry.bytes, entry.sha256)
            assert entry.schema_version == table.schema_version and table.schema_version
            of_file = [tuple(row.values()) for row in pq.ParquetFile(path).read().to_pylist()]
            assert len(of_file) == entry.rows
            read += of_file
            if entry.month:
                at = list(kinds).index(table.month_column or "")
                instants = [row[at] for row in of_file]
                assert (entry.first, entry.last) == (min(instants), max(instants))
                assert {f"{instant.astimezone(UTC):%Y-%m}" for instant in instants} == {entry.month}
        kept, back = (sorted(repr([comparable(value) for value in row]) for row in each) for each in (rows, read))
        differ = [pair for pair in zip(kept, back, strict=False) if pair[0] != pair[1]]
        assert len(kept) == len(back) and not differ, (table.table, differ[:1])
        assert table.licences and all(column.description for column in table.columns), table.table
    assert {entry.real_share for entry in found.files} == {1.0}


@pytest.mark.slow
def test_one_line_of_duckdb_reads_the_folder(exported: Energy) -> None:
    exported.refresh("carbon_intensity")
    export(exported)
    readme = (Path(__file__).parents[2] / "docs" / "exports.md").read_text()
    line = next(line for line in readme.splitlines() if "read_parquet" in line)
    statement = line.replace(".data/exports", str(exports.folder(exported.data_dir)))
    rows = duckdb.sql(statement).fetchall()
    assert rows and len(rows) == exported.value("select count(distinct region_id) from carbon_intensity_regional")


@pytest.mark.slow
def test_an_unchanged_month_is_not_written_again_and_a_correction_is(exported: Energy) -> None:
    exported.backfill("2024-03-30", "2024-04-02", "carbon_intensity__regional")
    assert export(exported)["written"] > 4
    before, files = versions(exported), manifest(exported).files
    assert {entry.month: entry.is_sealed for entry in files if entry.table == REGIONAL} == dict.fromkeys(
        ("2024-03", "2024-04"), True
    )
    assert export(exported)["written"] == 0
    assert versions(exported) == before and manifest(exported).files == files

    exported.query(
        f"update {REGIONAL} set is_synthetic = true where period_start = '2024-03-31 12:00Z' and region_id = 13"
    )
    assert export(exported)["written"] == 1
    changed = {path for path, version in versions(exported).items() if before[path] != version}
    assert changed == {f"{REGIONAL}/2024-03.parquet"}
    entry = manifest(exported).file(REGIONAL, "2024-03.parquet")
    assert entry and entry.rows_synthetic == 1 and entry.real_share == 1 - 1 / entry.rows

    (exports.folder(exported.data_dir) / REGIONAL / "2024-04.parquet").unlink()
    assert export(exported)["written"] == 1, "a file that is gone is written again"

    known = {table.table: table.schema_version for table in manifest(exported).tables}
    exported.query("alter table regions add column note text")
    export(exported)
    now = {table.table: table.schema_version for table in manifest(exported).tables}
    assert {name for name in now if now[name] != known[name]} == {"regions"}


@pytest.mark.slow
def test_months_and_tables_can_be_chosen_and_the_others_stay(exported: Energy) -> None:
    exported.backfill("2024-03-30", "2024-04-02", "carbon_intensity")
    export(exported, REGIONAL, first=date(2024, 4, 1), last=date(2024, 4, 30))
    assert set(versions(exported)) == {f"{REGIONAL}/2024-04.parquet"}
    done = run("flows.export", "--from", "2024-03", "--to", "2024-03", "--tables", f"{REGIONAL},regions")
    assert done.returncode == 0, done.stderr
    names = {f"{REGIONAL}/2024-04.parquet", f"{REGIONAL}/2024-03.parquet", "regions/all.parquet"}
    assert set(versions(exported)) == {entry.path for entry in manifest(exported).files} == names
    for arguments, words in (
        (("--tables", "nonsense"), "no table 'nonsense'"),
        (("--tables", "operators"), "no table 'operators'"),
        (("--from", "yesterday"), "is not a month"),
        (("--from", "2024-05", "--to", "2024-04"), "is before the first"),
    ):
        refused = run("flows.export", *arguments)
        assert refused.returncode == 2 and words in refused.stderr and len(refused.stderr.splitlines()) == 1


def test_captures_that_maintenance_removed_stay_in_their_file(exported: Energy) -> None:
    exported.refresh("carbon_intensity__national")
    export(exported, "carbon_intensity_captures")
    before = versions(exported)
    assert before
    exported.query("delete from intermediate.int_carbon_intensity__captures")
    assert export(exported, "carbon_intensity_captures")["written"] == 0
    assert versions(exported) == before and len(manifest(exported).files) == len(before)


@pytest.mark.slow
def test_killed_at_any_moment_it_leaves_no_half_file_and_the_next_one_ends_the_work(exported: Energy) -> None:
    exported.backfill("2024-01-30", "2024-03-02", "carbon_intensity")
    folder = exports.folder(exported.data_dir)
    ended: list[int | None] = []
    for killed_after in (0.3, 0.6, 0.9, 1.2, 1.5, 1.8):
        process = start("flows.export", **{"DATA_DIR": str(exported.data_dir)})
        time.sleep(killed_after)
        process.kill()  # one that has ended by then is no fault: the moments before it were in the middle
        process.join()
        ended.append(process.exitcode)
        for path in folder.glob("[!.]*/*.parquet"):  # a file has its name once it is complete
            pq.ParquetFile(path).read()
        if found := exports.read(folder):
            for entry in found.files:
                assert (folder / entry.path).stat().st_size > 0
        exported.query(f"update {REGIONAL} set updated_at = clock_timestamp()")
    assert -signal.SIGKILL in ended
    export(exported)
    for entry in manifest(exported).files:
        assert exports.digest(folder / entry.path) == entry.sha256
        assert entry.written_at <= datetime.now(UTC)
    assert not list(folder.glob(".*"))
    assert export(exported)["written"] == 0
