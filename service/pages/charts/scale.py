"""Instants and values to positions of a chart, and ticks that a person finds round."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.pages.clock import Clock

WIDTH = 1000
"""Units across a plot; they stretch to the width of the page"""


@dataclass(frozen=True)
class Span:
    """The time that a chart covers."""

    begins: datetime
    ends: datetime

    def part(self, instant: datetime) -> float:
        """0 at its beginning, 1 at its end; never outside."""
        whole = (self.ends - self.begins).total_seconds()
        return min(1.0, max(0.0, (instant - self.begins).total_seconds() / whole)) if whole else 0.0

    def percent(self, instant: datetime) -> str:
        """The same as an SVG length across the chart."""
        return f"{100 * self.part(instant):.2f}%"

    def x(self, instant: datetime) -> float:
        """The same in units of a plot."""
        return round(WIDTH * self.part(instant), 1)

    def ticks(self, clock: Clock) -> Iterator[tuple[datetime, str, bool]]:
        """Instants to label, their labels, and whether each begins a day: every 6 hours, or days, or Mondays."""
        hours = (self.ends - self.begins) / timedelta(hours=1)
        of_weeks = hours > 24 * 10
        every = 6 if hours <= 80 else 24
        minutes = clock.local(self.begins).minute % 30  # zones of 15 and 45 minutes have whole hours too
        instant = self.begins + timedelta(minutes=-minutes % 30)
        while instant < self.ends:
            local = clock.local(instant)
            is_day = (local.hour, local.minute) == (0, 0)
            if is_day and of_weeks and local.weekday():
                pass
            elif is_day or (local.minute == 0 and local.hour % every == 0):
                yield instant, f"{local:%a} {local.day}" if is_day else f"{local:%H:%M}", is_day
            instant += timedelta(minutes=30)


@dataclass(frozen=True)
class Scale:
    """Values up a plot of so many units, and the ticks beside it."""

    low: float
    high: float
    height: int
    ticks: tuple[float, ...]

    def y(self, value: float) -> float:
        """Units from the top."""
        return round(self.height * (1 - (value - self.low) / (self.high - self.low)), 1)


def scale(values: Sequence[float | None], height: int, *, zero: bool = True, most: int = 5) -> Scale:
    """A scale over these values, from zero unless some are negative; over nothing it is 0 to 1."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    low, high = min(known, default=0.0), max(known, default=1.0)
    if zero:
        low, high = min(0.0, low), max(0.0, high)
    if high - low < 1e-9:
        high = low + 1
    step = _round_step((high - low) / most)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return Scale(first * step, last * step, height, tuple(round(n * step, 10) for n in range(first, last + 1)))


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * n for n in (1, 2, 2.5, 5, 10) if power * n >= rough - 1e-12)


def number(value: float) -> str:
    """`1,200`, `0.5`, `−12`: as few digits as it has."""
    return f"{value:,.6g}".replace("-", "−") if abs(value) < 1000 else f"{value:,.0f}".replace("-", "−")
