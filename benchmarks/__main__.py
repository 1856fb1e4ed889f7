"""`make bench`: one table of ratios, measured in one run."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import floor, row_by_row
from pipelines.catalogue import DATASETS
from pipelines.client import UpstreamClient
from pipelines.dataset import Asking
from pipelines.periods import settlement_days
from pipelines.settings import PipelineSettings
from tests.emulator import Emulator
from warehouse.database import Database, resolve
from warehouse.settings import PROJECT_ROOT, WarehouseSettings

YEAR = (date(2024, 1, 1), date(2024, 12, 31))
HISTORY = (date(2020, 1, 1), date(2024, 12, 31))
REGIONAL = DATASETS["carbon_intensity__regional"]


@dataclass(frozen=True)
class Measure:
    """A line of the table: ours against something, and the bar that the ratio has to meet."""

    name: str
    ours_s: float
    against: str
    against_s: float
    ratio: float
    bar: str
    met: bool


def at_most(name: str, ours: float, against: str, other: float, bar: float) -> Measure:
    """Ours may take `bar` times as long as the other."""
    return Measure(name, ours, against, other, ours / other, f"<= {bar}", ours / other <= bar)


def at_least(name: str, ours: float, against: str, other: float, bar: float) -> Measure:
    """The other takes at least `bar` times as long as ours."""
    return Measure(name, ours, against, other, other / ours, f">= {bar}", other / ours >= bar)


class Bench:
    """Databases of its own beside the user's, and the emulator in this process."""

    def __init__(self, emulator: Emulator):
        self.emulator = emulator
        self.server = resolve()
        self.environment = {**os.environ, **emulator.settings, "CARBON_INTENSITY_REQUESTS_PER_SECOND": "10000"}

    def database(self, name: str) -> Database:
        """A fresh, empty database."""
        with self.server.connect() as connection:
            connection.execute(f'drop database if exists "{name}" with (force)')
            connection.execute(f'create database "{name}"')
        return replace(self.server, name=name)

    def drop(self, *databases: Database) -> None:
        """Give back the space."""
        with self.server.connect() as connection:
            for database in databases:
                connection.execute(f'drop database if exists "{database.name}" with (force)')

    def flow(self, database: Database, *arguments: str) -> dict[str, Any]:
        """Run a flow in a process of its own."""
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.flow", *arguments],
            cwd=PROJECT_ROOT,
            env={**self.environment, "DATABASE_URL": database.address()},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"the benchmark's flow failed:\n{done.stderr[-3000:]}")
        outcome = json.loads(done.stdout.splitlines()[-1])
        assert not outcome["failures"], outcome
        return dict(outcome)

    def bodies(self) -> list[bytes]:
        """The year's answers; asking for them once also has the emulator remember them."""
        client = UpstreamClient(self.emulator.settings["CARBON_INTENSITY_URL"], settings=PipelineSettings())
        windows = REGIONAL.pieces.cover(settlement_days(*YEAR).half_hours())
        return [REGIONAL.ask(Asking(client, window)).answers[0].body for window in windows]


def measure_year(bench: Bench) -> list[Measure]:
    """A year of regional data: ours, the floor, dlt's default, row by row."""
    bodies = bench.bodies()
    say(f"A year of regional data: {len(bodies)} answers, {sum(map(len, bodies)) / 1e6:.0f} MB of JSON")
    database = bench.database("energy_bench")
    bench.flow(database, "refresh")
    ours = bench.flow(database, "backfill", *map(str, YEAR), REGIONAL.slug)
    say(f"ours {ours['seconds']:.1f} s (whole process {ours['process_seconds']:.1f} s, peak {ours['peak_mb']:.0f} MB)")
    with database.connect() as connection:
        steps = floor.measure(connection, bodies)
        say("floor " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in steps.items()))
        by_row = row_by_row.measure(connection, bodies[0]) * 366
        rows = connection.execute(
            "select count(*) from carbon_intensity_regional where period_start < '2025-01-01'"
        ).fetchone()
        assert rows == (366 * 48 * 18,), rows
    say(f"row by row {by_row:.0f} s (a day, times 366)")
    default = dlt_default(database, bodies)
    say(f"dlt's default {default:.0f} s")
    bench.drop(database)
    least = -(-366 // 14) + 1  # and one for the last half-hour of the year, which the upstream files under the next
    return [
        at_most("year of regional data", ours["seconds"], "floor: COPY and plain SQL", sum(steps.values()), 1.6),
        at_least("year of regional data", ours["seconds"], "dlt's default into staging alone", default, 5),
        at_least("year of regional data", ours["seconds"], "one upsert a row (a day x 366)", by_row, 30),
        Measure(
            "requests for the year",
            ours["requests"],
            "least possible",
            least,
            ours["requests"] / least,
            "<= 1",
            ours["requests"] <= least,
        ),
        Measure(
            "peak memory, MB", ours["peak_mb"], "bar", 1000, ours["peak_mb"] / 1000, "<= 1", ours["peak_mb"] <= 1000
        ),
    ]


def dlt_default(database: Database, bodies: list[bytes]) -> float:
    """Seconds of dlt's default road, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        for number, body in enumerate(bodies):
            (Path(folder) / f"{number:03}.json").write_bytes(body)
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.dlt_default", database.address(), folder],
            cwd=PROJECT_ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    return float(done.stdout.splitlines()[-1])


def measure_history(bench: Bench) -> list[Measure]:
    """A refresh with five years of every dataset in the tables, against one with a day. Best of three each."""
    seconds = {}
    for name, days in (("a day", (YEAR[1], YEAR[1])), ("five years", HISTORY)):
        database = bench.database("energy_bench_history")
        bench.flow(database, "refresh")
        bench.flow(database, "backfill", *map(str, days))
        times: list[float] = []
        for _ in range(3):
            # an upstream that is some half-hours behind has issued other forecasts: there is everything to do
            behind = timedelta(minutes=30 * (len(times) + 1))
            bench.emulator.now = lambda behind=behind: datetime.now(UTC) - behind  # type: ignore[misc]
            times.append(bench.flow(database, "refresh")["seconds"])
        bench.emulator.now = lambda: datetime.now(UTC)
        seconds[name] = min(times)
        say(f"a refresh with {name} of history: {', '.join(f'{t:.2f}' for t in times)} s")
        bench.drop(database)
    return [
        at_most(
            "refresh, five years of history", seconds["five years"], "refresh, a day of history", seconds["a day"], 1.25
        )
    ]


def say(words: str) -> None:
    """A line of progress."""
    print(words, file=sys.stderr, flush=True)


def main() -> None:
    """Measure, print, write."""
    with Emulator() as emulator:
        bench = Bench(emulator)
        measures = measure_year(bench)
        if os.environ.get("BENCH") != "quick":
            measures += measure_history(bench)
    table = Table(title="Ratios measured in one run", title_justify="left")
    for column in ("what", "ours", "against", "theirs", "ratio", "bar", "met"):
        table.add_column(column)
    for m in measures:
        table.add_row(
            m.name,
            f"{m.ours_s:.1f}",
            m.against,
            f"{m.against_s:.1f}",
            f"{m.ratio:.2f}",
            m.bar,
            "yes" if m.met else "NO",
        )
    Console(width=130).print(table)
    path = WarehouseSettings().data_dir / "bench.json"
    path.write_text(json.dumps([asdict(m) for m in measures], indent=1) + "\n")
    print(f"Written to {path}")


if __name__ == "__main__":
    main()
