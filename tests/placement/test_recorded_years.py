"""On the national actuals of 2024 and 2025: what chunks save beyond one piece, chosen with perfect foresight."""

import csv
import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from placement.outlook import Outlook
from placement.spine import Numbers, Series
from placement.split import splits
from placement.task import Task
from placement.venues import Venue, Venues
from tests.conftest import RECORDED_DIR, needs_recorded

HALF_HOUR = timedelta(minutes=30)
START = datetime(2024, 1, 1, tzinfo=UTC)
REGIONS = Venues(Venue(f"v{n}", f"v{n}", n, 1e9) for n in range(1, 15))


def actuals() -> Numbers:
    """National actuals from the first half-hour of 2024 on, gCO2/kWh; NaN where one is missing."""
    path = (RECORDED_DIR or Path()) / "vintages/ci_national_final_2024_2025.csv.gz"
    found = np.full(2 * 366 * 48, np.nan)
    with gzip.open(path, "rt") as file:
        for row in csv.DictReader(file):
            at = (datetime.fromisoformat(row["period_start"]) - START) // HALF_HOUR
            if row["actual"] and 0 <= at < len(found):
                found[at] = float(row["actual"])
    return found


def emitted(blocks: Numbers, task: Task) -> float:
    """Of runs that each may lie anywhere in its row, one row in each region: kg in all."""
    zero = np.zeros_like(blocks)
    grid = Outlook(
        START, int(START.timestamp()), Series(blocks), Series(zero), Series(zero[:1]), (), {}, START, 0.0
    )  # fmt: skip
    found = splits(task, REGIONS, grid, {}, carbon_value_gbp_kg=0.264)
    assert len(found) == len(REGIONS)
    return sum(split.carbon_kg for split in found)


@needs_recorded
def test_eight_hours_in_chunks_save_two_points_more_than_in_one_piece_within_a_day() -> None:
    values, half_hours = actuals(), 48
    starts = [
        at for at in range(0, len(values) - half_hours, 24 * 7) if not np.isnan(values[at : at + half_hours]).any()
    ]
    totals = {"at once": 0.0, "one piece": 0.0, "chunks": 0.0}
    for first in range(0, len(starts) - 13, 14):
        blocks = np.array([values[at : at + half_hours] for at in starts[first : first + 14]])
        totals["at once"] += float(blocks[:, :16].mean(axis=1).sum()) * 8 / 1000
        for name, chunks in (("one piece", 1), ("chunks", 4)):
            task = Task(1.0, timedelta(hours=8), START, START + half_hours * HALF_HOUR, max_chunks=chunks)
            totals[name] += emitted(blocks, task)
    saved = {name: 100 * (1 - kg / totals["at once"]) for name, kg in totals.items()}
    assert len(starts) > 190 and saved["one piece"] > 10
    assert saved["chunks"] - saved["one piece"] >= 2, saved
