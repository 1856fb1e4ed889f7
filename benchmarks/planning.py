"""A thousand workloads placed together, against a bar in seconds, and against placing them one at a time.

`python -m benchmarks.planning` prints, for each load of the venues, what placing together saves against starting at once, and what
placing one at a time saves; and how many workloads each leaves without a place.
"""

import random
import time
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np

from benchmarks.bench import Measure
from placement.ledger import Wanted
from placement.negotiation import book, decide
from placement.outlook import Outlook
from placement.plan import Plan, plan
from placement.spine import Series
from placement.task import Task
from placement.venues import Taken, Venue, Venues
from warehouse.periods import HALF_HOUR

START = datetime(2026, 11, 23, tzinfo=UTC)
VALUE_GBP_KG = 0.264
BAR_SECONDS = 2.0
LOADS = (0.3, 0.5, 0.57)


def instance(seed: int, load: float, *, jobs: int = 1000, half_hours: int = 96) -> tuple[list[Wanted], Venues, Outlook]:
    """Jobs of 1 to 20 kW and 1 to 8 hours in 14 regions; `load` is their energy as a share of what the regions could give."""
    dice, noise = random.Random(seed), np.random.default_rng(seed)
    at = np.arange(half_hours)
    rows = [
        np.clip(
            150 + 80 * np.sin(2 * np.pi * (at / 48 + 0.15 * dice.random())) + 0.4 * noise.normal(0, 15, half_hours).cumsum()
            + dice.randint(-60, 60), 5, None,
        )
        for _ in range(14)
    ]  # fmt: skip
    intensity = np.array(rows)
    last, wanted, used = START + timedelta(minutes=30 * half_hours), list[Wanted](), 0.0
    for number in range(jobs):
        run, kw = timedelta(hours=dice.choice((1, 2, 4, 8))), float(dice.randint(1, 20))
        earliest = START + timedelta(minutes=30 * dice.randint(0, half_hours // 2))
        deadline = min(earliest + run + timedelta(hours=dice.choice((6, 12, 24))), last)
        wanted.append(Wanted(number, Task(kw, run, min(earliest, deadline - run), deadline)))
        used += kw * run / HALF_HOUR
    capacity = used / (14 * half_hours * load)
    venues = Venues(Venue(f"region {n}", f"region {n}", n, capacity) for n in range(1, 15))
    grid = Outlook(
        START, int(START.timestamp()), Series(intensity), Series(np.zeros_like(intensity)),
        Series(np.full((1, half_hours), 50.0)), (), {}, START, 0.0,
    )  # fmt: skip
    return wanted, venues, grid


def measure_planning() -> list[Measure]:
    """The plan of a thousand workloads; its gap to the bound stands in the line's name."""
    wanted, venues, grid = instance(1, 0.5)
    begun = time.perf_counter()
    found = plan(wanted, venues, grid, {}, carbon_value_gbp_kg=VALUE_GBP_KG)
    seconds = time.perf_counter() - begun
    gap = "unplaced workloads" if found.gap is None else f"{100 * found.gap:.1f} % above its bound at most"
    name = f"1,000 workloads x 14 regions x 96 half-hours placed together ({gap})"
    return [Measure(name, seconds, "a bar", BAR_SECONDS, seconds / BAR_SECONDS, "<= 1", seconds <= BAR_SECONDS)]


class Alone(NamedTuple):
    """What placing one at a time comes to."""

    gbp: float
    """of those that find a place"""
    without: int
    """that find none"""


def one_at_a_time(wanted: list[Wanted], venues: Venues, grid: Outlook) -> Alone:
    """One after another in their order."""
    taken: dict[str, Taken] = {}
    total, without = 0.0, 0
    for one in wanted:
        options = decide(one.task, venues, grid, taken, carbon_value_gbp_kg=VALUE_GBP_KG).options
        if not options:
            without += 1
            continue
        book(taken, options[0], one.task)
        total += options[0].score_gbp or 0.0
    return Alone(total, without)


def compared(seed: int, load: float) -> tuple[float, Alone, Plan]:
    """400 workloads: pounds of starting at once in the median region, then placed one at a time, and together."""
    wanted, venues, grid = instance(seed, load, jobs=400)
    at_once = sum(
        float(np.median(grid.means_at(grid.position(one.task.earliest), one.task.run).intensity))
        * VALUE_GBP_KG * one.task.energy_kwh / 1000
        for one in wanted
    )  # fmt: skip
    together = plan(wanted, venues, grid, {}, carbon_value_gbp_kg=VALUE_GBP_KG)
    return at_once, one_at_a_time(wanted, venues, grid), together


def main() -> None:
    """Print the experiment."""
    for load in LOADS:
        at_once, alone, together = compared(2, load)
        gap = "-" if together.gap is None else f"{100 * together.gap:.1f} %"
        print(
            f"load {100 * load:.0f} %: one at a time saves {100 * (1 - alone.gbp / at_once):.1f} % "
            f"({alone.without} without a place), together {100 * (1 - together.score_gbp / at_once):.1f} % "
            f"({together.unplaced} without a place), gap {gap}"
        )


if __name__ == "__main__":
    main()
