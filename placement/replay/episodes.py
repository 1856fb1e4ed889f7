"""Moments of decision, as arrays: the forecast of each moment, those that followed it, what came, and which prices were known."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import numpy as np
from numpy.typing import NDArray

from placement.replay.errors import KNOWN_AFTER, Captured
from placement.spine import HALF_HOUR, Numbers
from warehouse.periods import LONDON, day_start, settlement_day

AUCTION = time(16)
"""London. By then the day-ahead auction's prices of the next day are known"""
LAST_DAY = 48
Seconds = NDArray[np.int64]
PAST = LAST_DAY + KNOWN_AFTER
"""Half-hours before each moment that an episode holds"""
THE_END = 2**40
"""Seconds since 1970: when the forecast is made that is not there"""


@dataclass(frozen=True)
class Episodes:
    """Moments (M), each with the forecasts (K) that came from it on, over half-hours (H) from the first still open."""

    known_at: Seconds
    """(M, K) seconds since 1970; those after the last are the end of time"""
    first: Seconds
    """(M,) the first half-hour that begins at or after the moment, half-hours since 1970"""
    published: Numbers
    """(M, 1, H) of the first forecast, gCO2/kWh; NaN where not forecast"""
    p50: Numbers
    """(M, K, H) of each; the same as published where there is no band"""
    p90: Numbers
    """(M, H) of the first forecast"""
    outcome: Numbers
    """(M, PAST + H) gCO2/kWh, from PAST half-hours before"""
    price: Numbers
    """(M, PAST + H) GBP/MWh of the day-ahead auction"""

    def __len__(self) -> int:
        return len(self.first)

    @property
    def half_hours(self) -> int:
        """H."""
        return int(self.published.shape[2])

    def within(self, half_hours: int) -> "Episodes":
        """The same over fewer half-hours."""
        return Episodes(
            self.known_at, self.first, self.published[:, :, :half_hours], self.p50[:, :, :half_hours],
            self.p90[:, :half_hours], self.outcome[:, : PAST + half_hours], self.price[:, : PAST + half_hours],
        )  # fmt: skip


@dataclass(frozen=True)
class Region:
    """What a region's decisions are made from, and what came: forecasts (N, H), their readings, series from `begins` on."""

    captured: Captured
    p50: Numbers
    p90: Numbers
    begins: int
    """half-hours since 1970"""
    outcome: Numbers
    """gCO2/kWh, NaN where unknown"""
    price: Numbers
    """GBP/MWh, as long as `outcome`"""

    def reading(self, forecasts: Numbers) -> "Region":
        """The same, with these forecasts taken for what to decide by."""
        return Region(self.captured, forecasts, forecasts, self.begins, self.outcome, self.price)

    def episodes(self, moments: NDArray[np.int64], half_hours: int) -> Episodes:
        """Decisions at these captures (rows), each re-planned by all captures that follow within so many half-hours."""
        known_at, at = self.captured.known_at, self.captured.at
        first = first_half_hour(known_at[moments])
        past = np.searchsorted(at, first + half_hours)
        most = int((past - moments).max())
        rows = moments[:, None] + np.arange(most)[None, :]
        is_there = rows < past[:, None]
        rows = np.where(is_there, rows, 0)
        columns = first[:, None, None] - at[rows][:, :, None] + np.arange(half_hours)
        inside = is_there[:, :, None] & (columns >= 0) & (columns < self.captured.forecasts.shape[1])
        columns = np.where(inside, columns, 0)

        def laid(values: Numbers, most: int) -> Numbers:
            picked = values[rows[:, :most, None], columns[:, :most]]
            return np.where(inside[:, :most], picked, np.nan)

        spine = first[:, None] - self.begins + np.arange(-PAST, half_hours)
        within = (spine >= 0) & (spine < len(self.outcome))
        spine = np.where(within, spine, 0)
        return Episodes(
            known_at=np.where(is_there, known_at[rows], np.int64(THE_END)),
            first=first,
            published=laid(self.captured.forecasts, 1),
            p50=laid(self.p50, most),
            p90=laid(self.p90, 1)[:, 0],
            outcome=np.where(within, self.outcome[spine], np.nan),
            price=np.where(within, self.price[spine], np.nan),
        )


def first_half_hour(known_at: Seconds) -> Seconds:
    """The first half-hour that begins at or after an instant, half-hours since 1970."""
    found: Seconds = -(-known_at // HALF_HOUR)
    return found


def last_priced(known_at: Seconds) -> Seconds:
    """The first half-hour (since 1970) whose day-ahead price is not known yet at an instant: that of the day after tomorrow from
    16:00 London on, tomorrow's before it. `known_at` may have any shape."""
    instants, place = np.unique(known_at, return_inverse=True)
    ends = []
    for second in instants:
        if second >= THE_END:
            ends.append(0)
            continue
        instant = datetime.fromtimestamp(int(second), UTC)
        days = 2 if instant.astimezone(LONDON).time() >= AUCTION else 1
        ends.append(int(day_start(settlement_day(instant) + timedelta(days=days)).timestamp()) // HALF_HOUR)
    found: Seconds = np.array(ends, dtype=np.int64)[place].reshape(known_at.shape)
    return found


def at_clock(first: Seconds, half_hours: int, clock: time) -> NDArray[np.bool_]:
    """Which half-hours begin at a time of day in London, (M, H)."""
    spine = first[:, None] + np.arange(half_hours)[None, :]
    instants, place = np.unique(spine, return_inverse=True)
    is_then = [datetime.fromtimestamp(int(at) * HALF_HOUR, UTC).astimezone(LONDON).time() == clock for at in instants]
    return np.array(is_then)[place].reshape(spine.shape)
