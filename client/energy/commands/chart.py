"""A plan as a small text chart: carbon intensity over time, and where the run lies in it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from energy.chunks import Chunk

BLOCKS, PLAIN = "▁▂▃▄▅▆▇█", "12345678"
WIDEST = 72
HALF_HOUR = timedelta(minutes=30)


@dataclass(frozen=True)
class Point:
    """A half-hour and its mean intensity, gCO2/kWh."""

    starts_at: datetime
    gco2_kwh: float


def draw(points: Sequence[Point], chunks: Sequence[Chunk], *, is_plain: bool = False) -> list[str]:
    """Lines: the curve (gaps where it is unknown), the run under it, the hours of this machine's clock, and the scale."""
    if not points:
        return []
    first, last = min(p.starts_at for p in points), max(p.starts_at for p in points)
    known = {round((point.starts_at - first) / HALF_HOUR): point.gco2_kwh for point in points}
    half_hours = max(round((last - first) / HALF_HOUR), math.ceil((chunks[-1].ends_at - first) / HALF_HOUR) - 1) + 1
    step = math.ceil(half_hours / WIDEST)
    columns = [[known[i] for i in range(at, at + step) if i in known] for at in range(0, half_hours, step)]
    least, most = min(known.values()), max(known.values())
    marks = PLAIN if is_plain else BLOCKS
    curve = "".join(_mark(sum(c) / len(c), least, most, marks) if c else " " for c in columns)
    width = step * HALF_HOUR
    begins = [first + i * width for i in range(len(columns))]
    runs = "".join(
        "=" if any(at < chunk.ends_at and at + width > chunk.starts_at for chunk in chunks) else " " for at in begins
    )
    return [
        curve,
        runs.rstrip(),
        _hours(first, width, len(columns)),
        f"{least:.0f} to {most:.0f} gCO2/kWh; = is the run",
    ]


def _mark(value: float, least: float, most: float, marks: str) -> str:
    share = (value - least) / (most - least) if most > least else 0.0
    return marks[min(len(marks) - 1, int(share * len(marks)))]


def _hours(first: datetime, width: timedelta, columns: int) -> str:
    line = ""
    for column in range(0, columns, max(1, round(timedelta(hours=3) / width))):
        label = f"{(first + column * width).astimezone():%H:%M}"
        if len(line) <= column:
            line = line.ljust(column) + label + " "
    return line.rstrip()
