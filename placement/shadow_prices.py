"""Prices of capacity for a plan: a lower bound by them, and plans made by them.

Each venue and half-hour has a price (a Lagrange multiplier). For given prices every workload takes its cheapest candidate, in one
vectorised step for all; where that is more than the capacity, the price rises, where it is less, it falls. Steps are Adam's
(Kingma and Ba, 2015): each price by the mean of what was taken too much, over the root of the mean of its square.

A plan is made by placing one workload after another at the lowest cost plus price that is still free. Prices go on moving
meanwhile, by what those without a place would take of what is left: so the last ones fill gaps, which at fixed prices nobody does.
"""

import numpy as np
from numpy.typing import NDArray

from placement.ledger import HELD, Ledger, Place
from placement.spine import Numbers

ROUNDS = 400
"""Steps of the prices for the bound"""
LAST_STEP = 0.003
"""Of the last of them, as a share of the first"""
PARTS_AND_STEPS = ((100, 5), (40, 15))
"""Of each plan: parts in which workloads are placed, and steps of the prices after each"""
SHORT_STEP = 0.003
"""Of the prices while workloads are placed, as a share of the first step of all"""
MANY_CELLS = 30_000
"""Classes x venues x half-hours; with more, which take longer, there are fewer steps"""


class Steps:
    """Moves prices by what is taken beyond the capacity."""

    def __init__(self, ledger: Ledger, prices: Numbers) -> None:
        """`prices`: pounds a kW and half-hour, (venues, half-hours), as they are at first."""
        self.prices = prices
        self._mean, self._square, self._count = np.zeros_like(prices), np.zeros_like(prices), 0
        known = ledger.worth[np.isfinite(ledger.worth)]
        each = float((ledger.energy_mwh / (ledger.power * ledger.slots)).mean())
        self._first = 0.3 * each * float(np.ptp(known)) if known.size else 0.0
        self._usual = 2 * float((ledger.power * ledger.slots).sum()) / prices.size

    def step(self, excess: Numbers, share: float) -> bool:
        """One step, as a share of the longest; false if nothing asks for one."""
        # a half-hour that is not full asks for no price
        gradient = np.where((self.prices <= 0) & (excess < 0), 0.0, excess / self._usual)
        if not gradient.any():
            return False
        self._count += 1
        self._mean = 0.9 * self._mean + 0.1 * gradient
        self._square = 0.99 * self._square + 0.01 * gradient**2
        mean, square = self._mean / (1 - 0.9**self._count), self._square / (1 - 0.99**self._count)
        self.prices = np.maximum(self.prices + share * self._first * mean / (np.sqrt(square) + 1e-3), 0.0)
        return True


def _fewer(ledger: Ledger, steps: int) -> int:
    return max(1, int(steps * min(1.0, MANY_CELLS / ledger.worth.size)))


def shadow_prices(ledger: Ledger) -> tuple[Numbers, float]:
    """Prices, pounds a kW and half-hour, (venues, half-hours), and the best lower bound found by them, pounds."""
    steps, bound = Steps(ledger, np.zeros(ledger.left.shape)), -np.inf
    best, rounds = steps.prices, _fewer(ledger, ROUNDS)
    for number in range(rounds):
        lower, load = ledger.cheapest(steps.prices)
        if lower > bound:
            bound, best = lower, steps.prices
        if not steps.step(load - ledger.left, LAST_STEP ** (number / rounds)):
            break
    return best, bound


def placed(ledger: Ledger, prices: Numbers) -> list[Place | None]:
    """The best of some plans by prices and of the one in which what has a place stays; the ledger holds it."""
    best = _as_they_are(ledger)
    cost = ledger.total(best)
    for parts, steps in PARTS_AND_STEPS:
        found = _by_prices(ledger, prices, parts, _fewer(ledger, steps))
        if (this := ledger.total(found)) < cost:
            cost, best = this, found
    ledger.clear(best)
    return best


def _by_prices(ledger: Ledger, prices: Numbers, parts: int, steps: int) -> list[Place | None]:
    """The largest first, each at its cheapest place that is still free. Where one is held is kept for it until then."""
    places = _held(ledger)
    ledger.clear(places)
    moving = Steps(ledger, prices)
    waits = np.ones(len(places), dtype=bool)
    kept = ledger.left - ledger.free
    for part in np.array_split(_largest_first(ledger), min(parts, len(places))):
        asked = ledger.asked(moving.prices)
        for number in part.tolist():
            if (held := places[number]) is not None:
                first, past = ledger.span(number, held)
                kept[held.row, first:past] -= ledger.power[number]
                ledger.put(number, None)
            places[number] = ledger.best(number, asked)
            ledger.put(number, places[number])
        waits[part] = False
        for _ in range(steps if waits.any() else 0):
            if not moving.step(ledger.wished(moving.prices, waits) - ledger.free - kept, SHORT_STEP):
                break
    return places


def _as_they_are(ledger: Ledger) -> list[Place | None]:
    """Those that have a place stay; the others take what is left."""
    places = _held(ledger)
    ledger.clear(places)
    for number in _largest_first(ledger).tolist():
        if places[number] is None:
            places[number] = ledger.best(number)
            ledger.put(number, places[number])
    return places


def _held(ledger: Ledger) -> list[Place | None]:
    return [None if one is None else Place(one[0], HELD) for one in ledger.held]


def _largest_first(ledger: Ledger) -> NDArray[np.int64]:
    return np.lexsort((-ledger.slots, -ledger.power * ledger.slots))
