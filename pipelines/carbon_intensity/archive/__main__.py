"""Land captured forecasts of a folder as vintages: what was forecast at the time of each capture.

They never count as fresher than what was fetched live, and never reach the tables of what was measured. A capture that has landed
already is skipped, so the command may be run again.
"""

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pipelines.carbon_intensity.archive.files import DATASETS, Found
from pipelines.collect import CHUNK_BYTES
from pipelines.landing import Landing
from pipelines.payload import Payload
from warehouse import command, ledger
from warehouse.counts import count
from warehouse.database import Database
from warehouse.errors import UsageError
from warehouse.periods import day_start
from warehouse.prepare import prepare
from warehouse.printed import out
from warehouse.server import resolve
from warehouse.settings import WarehouseSettings

SAID = 20
"""So many files that cannot be read are named one by one"""


def land(database: Database, found: Found, work_dir: Path) -> bool:
    """Land the captures of a folder, in chunks. False if a file could not be read; the others have landed.

    Raises UsageError for a folder that does not exist or has no file of a capture.
    """
    if not found.folder.is_dir():
        raise UsageError(f"{found.folder} is no folder; name one with captures, files such as 2023-03-14T0331Z.csv")
    if not found.paths():
        raise UsageError(f"{found.folder} has no .json, .csv or .csv.gz file")
    added = known = 0
    with (
        ledger.run(database, "pipelines.carbon_intensity.archive", {"folder": str(found.folder)}) as run,
        Landing(database, run_id=run.run_id, work_dir=work_dir) as landing,
    ):
        landing.prepare(dataset for dataset in DATASETS.values())
        for chunk in _chunks(found.payloads()):
            landed = landing.load(chunk, [])
            added, known = added + len(landed.added), known + len(landed.known)
            run.failures += [f"{reason}" for reason in landed.refused.values()]
        run.failures += [str(refusal) for refusal in found.refused[:SAID]]
        run.summary |= {"added": added, "known": known, "skipped": found.skipped, "refused": len(found.refused)}
        failures = list(run.failures)
    for failure in failures:
        out(f"error: {failure}", file=sys.stderr)
    if len(found.refused) > SAID:
        out(f"error: and {len(found.refused) - SAID} more files cannot be read", file=sys.stderr)
    out(f"{count(added, 'new capture')}, {known} known already" + "".join(
        f"; {count(files, 'file')} {why}, skipped" for why, files in sorted(found.skipped.items())
    ))  # fmt: skip
    if added:
        out("Validate and publish: python -m flows.transform")
    return not failures


def _chunks(payloads: Iterator[Payload]) -> Iterator[list[Payload]]:
    chunk: list[Payload] = []
    for payload in payloads:
        chunk.append(payload)
        if sum(len(one.body) for one in chunk[-200:]) >= CHUNK_BYTES or len(chunk) >= 200:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def main() -> None:
    """The command line. Exit codes: 0 landed, 1 a file could not be read and the others landed, 2 a wrong folder or setting."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.carbon_intensity.archive", description=__doc__)
    parser.add_argument("folder", type=Path, help="a folder of captures; folders in it are searched too")
    for name, what in (("--from", "first"), ("--to", "last")):
        parser.add_argument(
            name, dest=what, type=date.fromisoformat, help=f"{what} day of the captures, such as 2024-01-01"
        )
    asked = parser.parse_args()
    since = None if asked.first is None else day_start(asked.first)
    until = None if asked.last is None else day_start(asked.last + timedelta(days=1))

    def work() -> bool:
        database = resolve()
        prepare(database)
        return land(
            database, Found(asked.folder, datetime.now(UTC), since, until), WarehouseSettings().data_dir / "dlt"
        )

    command.run(work)


if __name__ == "__main__":
    main()
