"""The half-hour spine: positions on it, and means of series over any stretch of it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from warehouse.periods import HALF_HOUR_SECONDS

HALF_HOUR = HALF_HOUR_SECONDS
"""In seconds: positions are divisions of seconds since 1970"""
HALF_HOUR_MICROSECONDS = HALF_HOUR * 1_000_000

Numbers = NDArray[np.float64]
Microseconds = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Series:
    """Values on the spine, shape (rows, half-hours), NaN where unknown; means over any stretch in constant time."""

    values: Numbers
    _sums: Numbers = field(init=False, repr=False, compare=False)
    _gaps: Numbers = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        zero = np.zeros((self.values.shape[0], 1))
        known = np.nan_to_num(self.values)
        object.__setattr__(self, "_sums", np.concatenate([zero, np.cumsum(known, axis=1)], axis=1))
        object.__setattr__(self, "_gaps", np.concatenate([zero, np.cumsum(np.isnan(self.values), axis=1)], axis=1))

    def means(self, starts: Numbers, length: float) -> Numbers:
        """Mean from each start (in half-hours of the spine) over a length; NaN where any of it is unknown.

        Positions are taken to the microsecond, and means to nine decimals: equal values have an equal mean.
        """
        begins, ends = in_microseconds(starts), in_microseconds(starts) + microseconds(length)
        half_hours = self.values.shape[1]
        inside = (begins >= 0) & (ends <= half_hours * HALF_HOUR_MICROSECONDS)
        first = _within(begins // HALF_HOUR_MICROSECONDS, half_hours)
        past = _within(-(-ends // HALF_HOUR_MICROSECONDS), half_hours)
        integral = self._at(self._sums, ends) - self._at(self._sums, begins)
        whole = inside & (self._gaps[:, past] - self._gaps[:, first] == 0)
        means: Numbers = np.where(whole, np.round(integral / length, 9), np.nan)
        return means

    @staticmethod
    def _at(sums: Numbers, instants: Microseconds) -> Numbers:
        last = sums.shape[1] - 1
        below = _within(instants // HALF_HOUR_MICROSECONDS, last)
        part = np.minimum(np.maximum(instants / HALF_HOUR_MICROSECONDS - below, 0), 1)
        between: Numbers = sums[:, below] * (1 - part) + sums[:, _within(below + 1, last)] * part
        return between

    def mean(self, start: float, length: float) -> Numbers:
        """`means` of a single start, shape (rows,); several times as fast."""
        begin = microseconds(start)
        end = begin + microseconds(length)
        half_hours = self.values.shape[1]
        if begin < 0 or end > half_hours * HALF_HOUR_MICROSECONDS:
            return np.full(self.values.shape[0], np.nan)
        found: Numbers = np.round((self._of_one(self._sums, end) - self._of_one(self._sums, begin)) / length, 9)
        missing = self._gaps[:, -(-end // HALF_HOUR_MICROSECONDS)] != self._gaps[:, begin // HALF_HOUR_MICROSECONDS]
        if missing.any():
            found[missing] = np.nan
        return found

    @staticmethod
    def _of_one(sums: Numbers, instant: int) -> Numbers:
        last = sums.shape[1] - 1
        below = instant // HALF_HOUR_MICROSECONDS
        part = instant / HALF_HOUR_MICROSECONDS - below
        between: Numbers = sums[:, below] * (1 - part) + sums[:, min(below + 1, last)] * part
        return between


def _within(positions: Microseconds, last: int) -> Microseconds:
    """np.clip from 0 to `last`; of a few positions that costs three times as much."""
    return np.minimum(np.maximum(positions, 0), last)


def in_microseconds(half_hours: Numbers) -> Microseconds:
    """Half-hours as whole microseconds, in which instants can be compared."""
    return np.rint(half_hours * HALF_HOUR_MICROSECONDS).astype(np.int64)


def microseconds(half_hours: float) -> int:
    """The same of a single number."""
    return round(half_hours * HALF_HOUR_MICROSECONDS)


def written(instant: datetime) -> str:
    """An instant as text in UTC, such as 2026-11-25T20:10:00Z."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
