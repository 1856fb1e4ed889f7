"""The best linear reading of forecasts, fitted with hindsight: what a decision with the same information could reach.

Each half-hour's outcome is fitted, by lead time, to the newest forecast of it, older ones, the same forecast's mean, what it was a
day before, and the last outcome that is known. Nobody could have known these fits: they tell a poor forecast from a poor decision.
"""

import numpy as np

from placement.replay.errors import KNOWN_AFTER, PER_DAY, Captured
from placement.spine import Numbers

OLDER = (2, 6, 12, 24)
"""Half-hours by which older forecasts of the same half-hour are older"""


def best_reading(captured: Captured, outcome: Numbers, begins: int) -> Captured:
    """The same forecasts, read so; of one forecast at the beginning of each half-hour (`simulated.simulate`)."""
    forecasts = captured.forecasts
    came = captured.outcomes(outcome, begins)
    count, half_hours = forecasts.shape
    found = forecasts.copy()
    is_known = ~np.isnan(forecasts)
    whole = np.where(is_known, forecasts, 0.0).sum(axis=1) / np.maximum(is_known.sum(axis=1), 1)
    last = _shifted(outcome, -KNOWN_AFTER - 1)
    for lead in range(half_hours):
        back = PER_DAY if lead + 1 + KNOWN_AFTER <= PER_DAY else 2 * PER_DAY
        known = [forecasts[:, lead], whole, last, _shifted(outcome, lead - back)]
        known += [_before(forecasts[:, lead + by], by) for by in OLDER if lead + by < half_hours]
        seen = np.stack([np.ones(count), *known], axis=1)
        rows = ~np.isnan(seen).any(axis=1)
        fitted = rows & ~np.isnan(came[:, lead])
        if fitted.sum() > 10 * seen.shape[1]:
            factors = np.linalg.lstsq(seen[fitted], came[fitted, lead], rcond=None)[0]
            found[rows, lead] = np.clip(seen[rows] @ factors, 0.0, None)
    return Captured(captured.known_at, found)


def _shifted(values: Numbers, by: int) -> Numbers:
    """The values so many places further on."""
    found = np.full(len(values), np.nan)
    if by >= 0:
        found[: len(values) - by] = values[by:]
    else:
        found[-by:] = values[:by]
    return found


def _before(values: Numbers, by: int) -> Numbers:
    return _shifted(values, -by)
