"""How far forecasts were off, by lead time, and the bands that past errors give.

An error is forecast less outcome, gCO2/kWh. The bands are those of `carbon_intensity_bands_as_of()` in the database, over arrays:
a test holds one against the other.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from placement.spine import Numbers
from warehouse.periods import HALF_HOUR_SECONDS

LEADS = (0, 1, 2, 3, 4, 6, 9, 12, 18, 24, 30, 36, 42)
"""Hours at which the classes of lead time begin"""
QUANTILES = (0.1, 0.5, 0.9)
HISTORY_DAYS = 60
LEAST_DAYS = 7
"""Days of captures whose errors are known, below which there is no band"""
SHRUNK_DAYS = 7
"""All regions together count as much as so many days of a region's own"""
EVERY = 6
"""Half-hours; one capture in so many is counted, because the next is nearly the same"""
KNOWN_AFTER = 2
"""Half-hours from the end of a half-hour until its outcome counts as known"""
PER_DAY = 48
Whole = NDArray[np.int64]
Value = TypeVar("Value", float, Numbers)


def lead_class(half_hours: Whole) -> Whole:
    """The class of a lead time, in half-hours from the half-hour of the capture."""
    found: Whole = np.searchsorted(np.array(LEADS) * 2, half_hours, side="right") - 1
    return np.maximum(found, 0)


@dataclass(frozen=True)
class Captured:
    """Forecasts of a region, in the order of their captures."""

    known_at: Whole
    """(N,) seconds since 1970"""
    forecasts: Numbers
    """(N, H) from the half-hour that holds the instant of the capture"""

    @property
    def at(self) -> Whole:
        """(N,) that half-hour, since 1970."""
        found: Whole = self.known_at // HALF_HOUR_SECONDS
        return found

    def outcomes(self, outcome: Numbers, begins: int) -> Numbers:
        """(N, H) what came; `outcome` begins with half-hour `begins`, NaN where unknown or beyond it."""
        spine = self.at[:, None] - begins + np.arange(self.forecasts.shape[1])[None, :]
        is_there = (spine >= 0) & (spine < len(outcome))
        found: Numbers = np.where(is_there, outcome[np.clip(spine, 0, len(outcome) - 1)], np.nan)
        return found

    def errors(self, outcome: Numbers, begins: int) -> Numbers:
        """(N, H) forecast less outcome."""
        found: Numbers = self.forecasts - self.outcomes(outcome, begins)
        return found


@dataclass(frozen=True)
class Bands:
    """What errors to expect, by day and class of lead: `slope` per g of forecast above `centre`, and quantiles of what is left."""

    first_day: int
    """days since 1970"""
    centre: Numbers
    """(days, regions, lead classes), NaN without enough history; so are the others"""
    slope: Numbers
    quantiles: Numbers
    """(days, regions, lead classes, 3)"""

    def apply(self, region: int, known_at: Whole, first: Whole, forecasts: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """P10, P50 and P90 of outcomes, each of the shape of `forecasts` (..., H), as known at `known_at` (...).

        `first` (...) is the half-hour (since 1970) of the first column. The forecast itself where there is no band.
        """
        day = np.clip(known_at // 86_400 - self.first_day, 0, len(self.centre) - 1)[..., None]
        leads = lead_class(
            first[..., None] - (known_at // HALF_HOUR_SECONDS)[..., None] + np.arange(forecasts.shape[-1])
        )
        line = self.slope[day, region, leads] * (forecasts - self.centre[day, region, leads])
        rest = self.quantiles[day, region, leads]
        p10, p50, p90 = (
            np.where(np.isnan(rest[..., at]), forecasts, np.clip(forecasts - line - rest[..., at], 0.0, None))
            for at in (2, 1, 0)
        )
        return p10, p50, p90


@dataclass(frozen=True)
class _Known:
    """Errors of a region that are known at an instant, with what they are errors of."""

    errors: Numbers
    forecasts: Numbers
    leads: Whole
    at: Whole
    """half-hour of the capture"""
    known: Whole
    """the half-hour from which on its outcome is known"""

    def only(self, rows: NDArray[np.bool_] | slice) -> "_Known":
        return _Known(self.errors[rows], self.forecasts[rows], self.leads[rows], self.at[rows], self.known[rows])

    def by(self, starts: int) -> "_Known":
        first, past = np.searchsorted(self.at, [starts - HISTORY_DAYS * PER_DAY, starts])
        recent = self.only(slice(int(first), int(past)))
        return recent.only(recent.known <= starts)


def bands(captured: list[Captured], outcomes: list[Numbers], begins: int, first_day: int, days: int) -> Bands:
    """The bands of each day, of each region (in this order), by what was known as the day began (UTC)."""
    spread = [_spread(one, outcome, begins) for one, outcome in zip(captured, outcomes, strict=True)]
    shape = (days, len(captured), len(LEADS))
    found = Bands(first_day, np.full(shape, np.nan), np.full(shape, np.nan), np.full((*shape, len(QUANTILES)), np.nan))
    for day in range(days):
        known = [one.by((first_day + day) * PER_DAY) for one in spread]
        for lead in range(len(LEADS)):
            _of_class([one.only(one.leads == lead) for one in known], found, day, lead)
    return found


def _of_class(known: list[_Known], found: Bands, day: int, lead: int) -> None:
    regions = [region for region, one in enumerate(known) if len(one.errors)]
    if not regions:
        return
    own_days = {region: len(np.unique(known[region].at // PER_DAY)) for region in regions}
    centres = {region: float(known[region].forecasts.mean()) for region in regions}
    slopes = {region: _slope(known[region]) for region in regions}
    most = max(own_days.values())
    of_all = float(np.mean(list(slopes.values()))) * most / (most + SHRUNK_DAYS)
    slopes = {region: _shrunk(slopes[region], of_all, own_days[region]) for region in regions}
    rest = {
        region: known[region].errors - slopes[region] * (known[region].forecasts - centres[region])
        for region in regions
    }
    every = np.quantile(np.concatenate(list(rest.values())), QUANTILES)
    for region in regions:
        if own_days[region] >= LEAST_DAYS:
            own = np.quantile(rest[region], QUANTILES) if len(regions) > 1 else every
            found.centre[day, region, lead], found.slope[day, region, lead] = centres[region], slopes[region]
            found.quantiles[day, region, lead] = _shrunk(own, every, own_days[region])


def _shrunk(own: Value, every: Value, days: int) -> Value:
    return (days * own + SHRUNK_DAYS * every) / (days + SHRUNK_DAYS)


def _slope(known: _Known) -> float:
    apart = known.forecasts - known.forecasts.mean()
    whole = float((apart**2).sum())
    return 0.0 if whole < 1e-9 else float((apart * known.errors).sum()) / whole


def _spread(captured: Captured, outcome: Numbers, begins: int) -> _Known:
    """One capture in EVERY half-hours, each of its errors by itself, in the order of captures."""
    _, kept = np.unique(captured.at // EVERY, return_index=True)
    few = Captured(captured.known_at[kept], captured.forecasts[kept])
    errors = few.errors(outcome, begins)
    leads = np.broadcast_to(np.arange(errors.shape[1]), errors.shape)
    at = np.broadcast_to(few.at[:, None], errors.shape)
    there = ~np.isnan(errors)
    return _Known(
        errors[there],
        few.forecasts[there],
        lead_class(leads[there]),
        at[there],
        at[there] + leads[there] + 1 + KNOWN_AFTER,
    )
