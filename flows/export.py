"""`export`: one Parquet file per clean table and month, with a manifest. A month whose rows have not changed is not written again.

A file is complete before it has its name, and has its name before the manifest speaks of it. Kill it at any moment and run it
again: what was entered stays, what was not is written anew.
"""

import argparse
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from flows.dbt_runner import Dbt
from flows.export_tables import Exportable, Month, exportable
from flows.outcome import flow, outcome, went_well
from flows.parquet import write
from flows.run_log import say
from flows.steps import step
from warehouse import command, exports, ledger
from warehouse.counts import count
from warehouse.database import Database, Role
from warehouse.errors import UsageError
from warehouse.exports import ExportedFile, ExportedTable, Manifest
from warehouse.locks import exclusive
from warehouse.prepare import prepare
from warehouse.server import resolve
from warehouse.settings import PROJECT_ROOT, WarehouseSettings

LONGEST_MONTH = timedelta(days=31)
SEALED_AFTER = timedelta(days=31)
MAKING = ".making"
"""Folder of files that are being written; no reader looks into it"""


@flow(name="export")
def export(first: date | None = None, last: date | None = None, tables: list[str] | None = None) -> dict[str, Any]:
    """Write the months of the clean tables that have changed since they were last written, as Parquet files with a manifest.

    Args:
        first: a day of the first month (UTC); the earliest that a table has if left out.
        last: a day of the last month; the latest if left out.
        tables: clean tables; all of them by default.
    """
    if first and last and last < first:
        raise UsageError(f"The last month ({last:%Y-%m}) is before the first ({first:%Y-%m}).")
    settings = WarehouseSettings()
    database = resolve(settings)
    prepare(database)
    into = exports.folder(settings.data_dir)
    parameters = {"first": first, "last": last, "tables": tables}
    with ledger.run(database, "export", parameters) as run, exclusive(database, "export"):
        chosen = _chosen(database, settings.data_dir, tables or [])
        written = unchanged = 0
        with _making(into) as work:
            for table in chosen:
                months = _months(database, table, first and first.replace(day=1), last and last.replace(day=1))
                entries = write_table(database, table, months, into, work)
                written, unchanged = written + len(entries), unchanged + len(months) - len(entries)
        run.summary |= {"written": written, "unchanged": unchanged, "folder": str(into)}
    say(f"{count(written, 'file')} written, {unchanged} unchanged: {into}")
    return outcome([], written=written, unchanged=unchanged)


def _chosen(database: Database, data_dir: Path, tables: list[str]) -> list[Exportable]:
    dbt = Dbt(database, data_dir)
    try:
        with database.connect(role=Role.READER) as connection:
            return exportable(connection, dbt, tables)
    finally:
        dbt.close()


def _months(database: Database, table: Exportable, first: date | None, last: date | None) -> list[Month]:
    with database.connect(role=Role.READER) as connection:
        return table.months(connection, first, last)


@step("write the months of a table that have changed")
def write_table(
    database: Database, table: Exportable, months: list[Month], into: Path, work: Path
) -> list[ExportedFile]:
    """Write what differs from the manifest, then give the files their names, then enter them. Returns the entries."""
    manifest = exports.read(into)
    fresh = []
    for month in months:
        name = exports.file_name(month.first)
        entry = manifest.file(table.name, name) if manifest else None
        if entry and _is_kept(entry, month, table, into):
            continue
        # The fingerprint is older than the rows of the file: what changed in between makes the next export write it again.
        path = work / f"{table.name}-{name}"
        made = write(database, table.described, table.query(month.first), path)
        of = f"{month.first:%Y-%m}" if month.first else None
        fresh.append(
            ExportedFile(
                table=table.name,
                month=of,
                path=f"{table.name}/{name}",
                bytes=path.stat().st_size,
                sha256=exports.digest(path),
                rows=made.rows,
                rows_synthetic=made.rows_synthetic,
                real_share=1 - made.rows_synthetic / made.rows if made.rows else 1.0,
                first=made.first,
                last=made.last,
                is_sealed=_is_sealed(of),
                schema_version=table.described.schema_version,
                fingerprint=month.fingerprint,
                written_at=datetime.now(UTC),
            )
        )
    (into / table.name).mkdir(exist_ok=True)
    for entry in fresh:
        (work / entry.path.replace("/", "-")).replace(into / entry.path)
    _enter(into, work, manifest, table.described, fresh)
    return fresh


def _is_kept(entry: ExportedFile, month: Month, table: Exportable, into: Path) -> bool:
    path = into / entry.path
    if not path.is_file() or path.stat().st_size != entry.bytes:
        return False
    if table.loses_rows and month.rows < entry.rows and entry.schema_version == table.described.schema_version:
        return True
    return entry.fingerprint == month.fingerprint


def _is_sealed(month: str | None) -> bool:
    if month is None:
        return False
    return datetime.fromisoformat(f"{month}-01T00:00Z") + LONGEST_MONTH + SEALED_AFTER <= datetime.now(UTC)


def _enter(into: Path, work: Path, before: Manifest | None, table: ExportedTable, fresh: list[ExportedFile]) -> None:
    """Replace the manifest; a table without files is not in it."""
    files = {entry.path: entry for entry in (*(before.files if before else ()), *fresh)}
    tables = {one.table: one for one in (*(before.tables if before else ()), table)}
    manifest = Manifest(
        written_at=datetime.now(UTC),
        git_revision=_git_revision(),
        tables=[tables[name] for name in sorted(tables) if any(entry.table == name for entry in files.values())],
        files=[files[path].model_copy(update={"is_sealed": _is_sealed(files[path].month)}) for path in sorted(files)],
    )
    path = work / exports.MANIFEST
    with path.open("w", encoding="utf-8") as file:
        file.write(manifest.model_dump_json(indent=1))
        file.flush()
        os.fsync(file.fileno())
    path.replace(into / exports.MANIFEST)


@contextmanager
def _making(into: Path) -> Iterator[Path]:
    """A folder for files that are not complete; what a killed export left there goes."""
    work = into / MAKING
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _git_revision() -> str | None:
    git = shutil.which("git")
    if git is None:
        return None
    done = subprocess.run(
        [git, "-C", str(PROJECT_ROOT), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or None if done.returncode == 0 else None


def _month(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(f"{text}-01" if re.fullmatch(r"\d{4}-\d{2}", text) else text)
    except ValueError:
        raise UsageError(f"{text!r} is not a month; write it as YYYY-MM, such as 2024-01.") from None


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m flows.export", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--from", dest="first", default="", metavar="MONTH", help="first month, YYYY-MM (UTC)")
    parser.add_argument("--to", dest="last", default="", metavar="MONTH", help="last month, YYYY-MM")
    parser.add_argument("--tables", nargs="*", metavar="NAME", help="clean tables; all by default")
    arguments = parser.parse_args()

    def run() -> bool:
        return went_well(export, first=_month(arguments.first), last=_month(arguments.last), tables=arguments.tables)

    command.run(run)


if __name__ == "__main__":
    main()
