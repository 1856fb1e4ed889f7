"""What a run would cost beyond the auction's last hour: a marked estimate from past days, with its measured error."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from placement.spine import HALF_HOUR, Numbers

DAYS_BACK = (1, 2, 7)
"""The same half-hour so many days before; the first that has a price is taken"""
MEASURED_DAYS = 14
LEAST_PAIRS = 48
BASIS = "the day-ahead price of the same half-hours one day before, or else two days or a week before"


@dataclass(frozen=True)
class Guess:
    """Prices on the spine, GBP/MWh, shape (half-hours,): known ones as they are, estimates for the others; NaN without either."""

    values: Numbers
    errors: Numbers
    """0 for a known price; for an estimate the mean absolute error of such estimates; NaN where too few could be measured"""


def guess(prices: Mapping[int, float], real: Mapping[int, float], first: int, half_hours: int) -> Guess:
    """Fill in the half-hours that have no price.

    `prices` and `real` (those that are not synthetic) are GBP/MWh by start in seconds since 1970.
    """
    errors = {days: _error(real, first, days) for days in DAYS_BACK}
    filled = np.full((2, half_hours), np.nan)
    for at in range(half_hours):
        start = first + at * HALF_HOUR
        if start in prices:
            filled[:, at] = prices[start], 0.0
            continue
        for days in DAYS_BACK:
            if (before := start - days * 86_400) in real:
                filled[:, at] = real[before], errors[days]
                break
    return Guess(filled[0], filled[1])


def _error(real: Mapping[int, float], first: int, days: int) -> float:
    """Mean absolute error, over the last two weeks, of taking the price of so many days before."""
    off = [
        abs(price - real[start - days * 86_400])
        for start, price in real.items()
        if first - MEASURED_DAYS * 86_400 <= start < first and start - days * 86_400 in real
    ]
    return float(np.mean(off)) if len(off) >= LEAST_PAIRS else float("nan")
