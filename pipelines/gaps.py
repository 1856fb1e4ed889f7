"""Which half-hours of a window are holes, that synthetic payloads may stand in for.

All of a window that failed or was refused, and the holes of one that did not. The far end of what an upstream gives is no
hole: a forecast's shorter horizon, and the hours by which measurements follow the clock, are its own word and stay so.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from pipelines.dataset import Dataset
from warehouse.periods import Window, floor


def missing_half_hours(
    dataset: Dataset, window: Window, present: Collection[datetime], *, now: datetime, failed: bool
) -> list[datetime]:
    """The half-hours of the window that are holes: not given, and not merely beyond the upstream's horizon."""
    if dataset.is_sparse and not failed:
        return []
    there = frozenset(present)
    if not failed and window.start >= floor(now) and not any(window.start <= half_hour for half_hour in there):
        return []  # an answer without rows for a window that has only just begun, or has not: no data yet
    horizon = max(there, default=None)
    this = floor(now)

    def is_to_come(half_hour: datetime) -> bool:
        """Whether the upstream, which answered, may be expected to give it yet."""
        if failed and horizon is None:
            return False
        if half_hour == this and not dataset.has_the_one_in_progress:
            return True
        lags = this - dataset.lag <= half_hour <= this and dataset.lag > timedelta(0)
        return lags or (horizon is not None and half_hour > horizon > this - dataset.lag)

    return [
        half_hour
        for half_hour in window.half_hours()
        if half_hour not in there and half_hour < this + dataset.horizon and not is_to_come(half_hour)
    ]
