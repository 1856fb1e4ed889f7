"""Averages over a window that rolls along a forecast, half-hour by half-hour. Pure; instants are UTC."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from warehouse.periods import HALF_HOUR


@dataclass(frozen=True)
class Point:
    """A value from `start` on, for as long as `duration`."""

    start: datetime
    duration: timedelta
    value: float

    @property
    def end(self) -> datetime:
        """Where it ends."""
        return self.start + self.duration


def average(points: Sequence[Point], start: datetime, end: datetime) -> tuple[float, float] | None:
    """The mean over [start, end), each point by the time that it covers, and the share that is covered; None if nothing is."""
    parts = [
        (point.value, min(point.end, end) - max(point.start, start))
        for point in points
        if point.end > start and point.start < end
    ]
    covered = sum((length for _, length in parts), timedelta())
    if not covered:
        return None
    return sum(value * (length / covered) for value, length in parts), covered / (end - start)


def rolling(points: Sequence[Point], start: datetime, end: datetime, window: timedelta | None) -> list[Point]:
    """The points within [start, end), or the means of windows that begin there, each half-hour, and end by `end`.

    A window in which a half-hour is missing is left out: a gap is no clean hour.
    """
    inside = [point for point in points if point.end > start and point.start < end]
    if window is None or not inside:
        return inside
    found = []
    begins = max(start, inside[0].start)
    while begins + window <= min(end, inside[-1].end):
        mean = average(inside, begins, begins + window)
        if mean is not None and mean[1] == 1:
            found.append(Point(begins, window, mean[0]))
        begins += HALF_HOUR
    return found


def lowest(points: Sequence[Point]) -> list[Point]:
    """Every point with the least value, in order."""
    least = min((point.value for point in points), default=None)
    return [point for point in points if point.value == least]
