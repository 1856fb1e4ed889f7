"""A year of regional data: ours against the floor, against dlt's default road, against one upsert a row."""

import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

from benchmarks import floor, row_by_row
from benchmarks.bench import Bench, Measure, at_least, at_most, say
from pipelines.catalogue import DATASETS
from pipelines.client import UpstreamClient
from pipelines.dataset import FetchRequest
from pipelines.settings import PipelineSettings
from tests.emulator import Emulator
from warehouse.database import Database
from warehouse.periods import settlement_days
from warehouse.settings import PROJECT_ROOT

YEAR = (date(2024, 1, 1), date(2024, 12, 31))
REGIONAL = DATASETS["carbon_intensity__regional"]
MOST_MB = 800
"""Peak memory of a backfill of a year; whatever its length, it holds one chunk."""


def measure_year(bench: Bench) -> list[Measure]:
    """A year of regional data: ours, the floor, dlt's default, row by row."""
    bodies = year_bodies(bench.emulator)
    say(f"A year of regional data: {len(bodies)} answers, {sum(map(len, bodies)) / 1e6:.0f} MB of JSON")
    database = bench.database("energy_bench")
    bench.flow(database, "refresh", REGIONAL.slug)
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
        at_most("year of regional data", ours["seconds"], "floor: COPY and plain SQL", sum(steps.values()), 1.5),
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
            "peak memory, MB",
            ours["peak_mb"],
            "bar",
            MOST_MB,
            ours["peak_mb"] / MOST_MB,
            "<= 1",
            ours["peak_mb"] <= MOST_MB,
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


def year_bodies(emulator: Emulator) -> list[bytes]:
    """The year's answers; request for them once also has the emulator remember them."""
    client = UpstreamClient(emulator.settings["CARBON_INTENSITY_URL"], settings=PipelineSettings())
    windows = REGIONAL.pieces.cover(settlement_days(*YEAR).half_hours())
    return [REGIONAL.fetch(FetchRequest(client, window)).responses[0].body for window in windows]
