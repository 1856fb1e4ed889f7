"""Forecasts made of what came and simulated errors, which follow what was measured of the errors of real ones, by lead time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from placement.replay.errors import LEADS, Captured, lead_class
from placement.spine import Numbers
from warehouse.periods import HALF_HOUR_SECONDS

HALF_HOURS = 96
LEAST_CAPTURES = 24


@dataclass(frozen=True)
class Curve:
    """How far real forecasts were off, by lead time, and how alike errors are."""

    bias: Numbers
    """(HALF_HOURS,) mean error, gCO2/kWh"""
    spread: Numbers
    """(HALF_HOURS,) standard deviation. It does not fall with the lead time: where it was measured to, both are taken together"""
    along: float
    """Correlation of the errors of half-hours beside each other in one forecast"""
    lasting: float
    """Share of the variance that the next forecast of the same half-hour has too"""
    across: float
    """How much of that is left half an hour on"""
    captures: int
    """So many it was measured of"""


def measured(captured: Captured, outcome: Numbers, begins: int) -> Curve:
    """The curve of real captures. Raises ValueError for too few of them."""
    errors = captured.errors(outcome, begins)[:, :HALF_HOURS]
    count = int((~np.isnan(errors)).any(axis=1).sum())
    leads = lead_class(np.arange(errors.shape[1]))
    pairs = {lead: int((~np.isnan(errors[:, leads == lead])).sum()) for lead in range(len(LEADS))}
    seen = [lead for lead, known in pairs.items() if known >= LEAST_CAPTURES]
    if count < LEAST_CAPTURES or not seen:
        raise ValueError(
            f"{count} captured forecasts have an outcome; at least {LEAST_CAPTURES} are needed to measure errors"
        )
    middles = [float(np.mean(np.flatnonzero(leads == lead))) for lead in seen]
    of_leads = [errors[:, leads == lead] for lead in seen]
    variances = _rising([float(np.nanvar(one)) for one in of_leads], [pairs[lead] for lead in seen])
    bias, spread = (
        np.interp(np.arange(HALF_HOURS), middles, values)
        for values in ([float(np.nanmean(one)) for one in of_leads], np.sqrt(variances))
    )
    alike = (errors - bias[: errors.shape[1]]) / spread[: errors.shape[1]]
    lasting, across = _across(alike, captured.at)
    return Curve(bias, spread, _correlation(alike[:, :-1], alike[:, 1:])[0], lasting, across, count)


def _rising(values: list[float], weights: list[int]) -> list[float]:
    """The nearest values that never fall: neighbours that do are taken together."""
    blocks: list[tuple[float, int, int]] = []
    for value, weight in zip(values, weights, strict=True):
        blocks.append((value, weight, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (low, of_low, many), (high, of_high, more) = blocks[-2:]
            blocks[-2:] = [((low * of_low + high * of_high) / (of_low + of_high), of_low + of_high, many + more)]
    return [value for value, _, many in blocks for _ in range(many)]


def _across(alike: Numbers, at: NDArray[np.int64]) -> tuple[float, float]:
    """How alike errors of the same half-hour are in captures further and further apart: where that begins, and how it falls."""
    shifts: list[int] = []
    found: list[float] = []
    counts: list[int] = []
    for shift in range(1, HALF_HOURS // 2 + 1):
        rows = np.searchsorted(at, at + shift)
        rows = np.where((rows < len(at)) & (at[np.minimum(rows, len(at) - 1)] == at + shift), rows, -1)
        here = np.flatnonzero(rows >= 0)
        correlation, known = _correlation(alike[here, shift:], alike[rows[here], : alike.shape[1] - shift])
        if known >= LEAST_CAPTURES and correlation > 0:
            shifts, found, counts = [*shifts, shift], [*found, float(np.log(correlation))], [*counts, known]
    if len(shifts) < 2:
        return 1.0, 0.99
    slope, begins = np.polyfit(shifts, found, 1, w=np.sqrt(counts))
    return float(np.clip(np.exp(begins), 0.0, 1.0)), float(np.clip(np.exp(slope), 0.0, 0.9999))


def _correlation(first: Numbers, second: Numbers) -> tuple[float, int]:
    known = ~np.isnan(first) & ~np.isnan(second)
    one, other = first[known], second[known]
    whole = np.sqrt((one**2).sum() * (other**2).sum())
    return (float(np.clip((one * other).sum() / whole, 0.0, 0.9999)) if whole > 0 else 0.0), int(known.sum())


def simulate(outcome: Numbers, begins: int, curve: Curve, seed: int) -> Captured:
    """A forecast at the beginning of each half-hour of `outcome`, of the HALF_HOURS from it on; NaN where nothing came."""
    chance = np.random.default_rng(seed)
    count = len(outcome)
    smooth = _smoothing(curve.along).T
    lasting = chance.standard_normal((count, HALF_HOURS)) @ smooth  # what is new in each forecast
    ends = chance.standard_normal(count) * np.sqrt(1 - curve.along**2)
    for at in range(1, count):
        before = lasting[at - 1]
        moved = np.append(before[1:], curve.along * before[-1] + ends[at])
        lasting[at] = curve.across * moved + np.sqrt(1 - curve.across**2) * lasting[at]
    passing = chance.standard_normal((count, HALF_HOURS)) @ smooth
    errors = curve.bias + curve.spread * (np.sqrt(curve.lasting) * lasting + np.sqrt(1 - curve.lasting) * passing)
    spine = np.arange(count)[:, None] + np.arange(HALF_HOURS)[None, :]
    came = np.where(spine < count, outcome[np.minimum(spine, count - 1)], np.nan)
    return Captured((begins + np.arange(count)) * HALF_HOUR_SECONDS, np.round(np.clip(came + errors, 0.0, None)))


def _smoothing(along: float) -> Numbers:
    """Makes of independent values ones of unit variance, each like the one before it."""
    at = np.arange(HALF_HOURS)
    apart = at[:, None] - at[None, :]
    found: Numbers = np.where(apart >= 0, along ** np.maximum(apart, 0).astype(float), 0.0) * np.sqrt(1 - along**2)
    found[:, 0] /= np.sqrt(1 - along**2)
    return found
