"""A plan bettered in place: single workloads to better places, two that change places, and some out and in again.

What is random is so by a fixed seed: the same plan becomes the same.
"""

from math import log

import numpy as np

from placement.ledger import TINY, Ledger, Place
from placement.spine import Numbers

ROUNDS = 3
"""Of single moves and exchanges"""
TRIES_EACH, FEWEST, EFFORT = 40, 300, 200_000
"""Of taking workloads out and in again: for each workload, at least, and at most times the workloads (many make a try longer)"""
TAKEN_OUT = (6, 20)
"""Workloads in one try"""
TEMPERATURE = 0.07
"""Up to where a plan may get worse at first, as a share of what a workload costs in the mean"""
CLOSE, FAR = 1e-4, 0.03
"""From the bound: not worth a search, and worth two"""


def better(ledger: Ledger, places: list[Place | None], prices: Numbers, bound: float) -> None:
    """Better this plan, which the ledger holds; `bound` in pounds: no plan costs less."""
    for _ in range(ROUNDS):
        if _is_within(CLOSE, ledger, places, bound):
            return
        gained = sum(_again(ledger, number, places) for number in range(len(places)))
        gained += _exchanges(ledger, places)
        if gained <= 0:
            break
    search = OutAndIn(ledger, places, prices)
    search.run()
    if not _is_within(FAR, ledger, places, bound):
        search.run()


def _is_within(share: float, ledger: Ledger, places: list[Place | None], bound: float) -> bool:
    return ledger.total(places) - bound <= share * abs(bound)


def _again(ledger: Ledger, number: int, places: list[Place | None]) -> float:
    """Its best place in what the others leave; pounds gained."""
    before = ledger.cost(number, places[number])
    ledger.put(number, None)
    found = ledger.best(number)
    if ledger.cost(number, found) < before - 1e-12:
        places[number] = found
    ledger.put(number, places[number])
    return before - ledger.cost(number, places[number])


def _exchanges(ledger: Ledger, places: list[Place | None]) -> float:
    """Workloads of one class change places: what needs more energy to where that is worth less. Pounds gained.

    All pairs of a class in one step. What is held somewhere takes no part: it moves for its own sake alone.
    """
    gained = 0.0
    for kind, length in enumerate(ledger.length.tolist()):
        them = [
            (number, place)
            for number in np.flatnonzero(ledger.of_class == kind).tolist()
            if (place := places[number]) is not None and place.start >= 0 and ledger.held[number] is None
        ]
        if len(them) < 2:
            continue
        numbers, row, start = np.array([(number, *place) for number, place in them]).T
        energy, power, worth = ledger.energy_mwh[numbers], ledger.power[numbers], ledger.worth[kind, row, start]
        room = power + np.array([ledger.free[at, first : first + length].min() for _, (at, first) in them])
        may = (ledger.earliest[numbers][:, None] <= start) & (start < ledger.past[numbers][:, None])
        gain = (energy[:, None] - energy) * (worth[:, None] - worth)
        is_better = (gain > 1e-12) & (energy[:, None] > energy) & (power[:, None] <= room + TINY) & may & may.T
        one, other = np.nonzero(is_better)
        moved = set[int]()
        for at in np.argsort(-gain[one, other], kind="stable").tolist():
            pair = int(numbers[one[at]]), int(numbers[other[at]])
            if moved.isdisjoint(pair) and _exchange(ledger, places, *pair):
                moved.update(pair)
                gained += float(gain[one[at], other[at]])
    return gained


def _exchange(ledger: Ledger, places: list[Place | None], one: int, other: int) -> bool:
    """Let them change places if there is room."""
    old = places[one], places[other]
    ledger.put(one, None)
    ledger.put(other, None)
    for number, place in ((one, old[1]), (other, old[0])):
        if place is None or not _fits(ledger, number, place):
            break
        ledger.put(number, place)
    else:
        places[one], places[other] = old[1], old[0]
        return True
    ledger.put(one, old[0])
    ledger.put(other, old[1])
    return False


def _fits(ledger: Ledger, number: int, place: Place) -> bool:
    first, past = ledger.span(number, place)
    return bool(ledger.free[place.row, first:past].min() >= ledger.power[number] - TINY)


class OutAndIn:
    """Ruin and recreate: some that run at about the same time are taken out, and put in again with some that have no place.

    A plan may get a little worse, less and less as the search goes on (simulated annealing); the best is kept.
    """

    def __init__(self, ledger: Ledger, places: list[Place | None], prices: Numbers) -> None:
        """`places`: the plan that the ledger holds; it is changed in place."""
        self.ledger, self.places, self.asked = ledger, places, ledger.asked(prices)
        self.dice = np.random.default_rng(16)
        self.costs = [ledger.cost(number, place) for number, place in enumerate(places)]
        self.missing = {number for number, place in enumerate(places) if place is None}
        self.size = ledger.power * ledger.slots
        self.starts = ledger.past - ledger.earliest
        known = [abs(cost) for cost, place in zip(self.costs, places, strict=True) if place is not None]
        self.temperature = TEMPERATURE * sum(known) / max(1, len(known))

    def run(self) -> None:
        """All tries; the ledger and `places` have the best afterwards."""
        count = len(self.places)
        tries = max(FEWEST, min(TRIES_EACH * count, EFFORT // count))
        total = least = sum(self.costs)
        best = list(self.places)
        for number in range(tries):
            total -= self._try(self.temperature * (1 - number / tries))
            if total < least - 1e-9:
                least, best = total, list(self.places)
        self.places[:] = best
        self.ledger.clear(best)
        self.costs = [self.ledger.cost(number, place) for number, place in enumerate(best)]
        self.missing = {number for number, place in enumerate(best) if place is None}

    def _try(self, temperature: float) -> float:
        """Pounds gained, negative if the plan got worse."""
        out = self._chosen()
        if not out:
            return 0.0
        ledger = self.ledger
        luck, by_price = self.dice.random(2).tolist()
        old = [(number, self.places[number]) for number in out]
        before = sum(self.costs[number] for number in out)
        most = before - temperature * log(1.0 - luck) - 1e-9
        for number in out:
            ledger.put(number, None)
        asked = self.asked if by_price < 0.6 else None
        after, new = 0.0, list[tuple[int, Place | None, float]]()
        for number in self._ordered(out):
            place = ledger.best(number, asked)
            ledger.put(number, place)
            cost = ledger.cost(number, place)
            new.append((number, place, cost))
            after += cost
            if after > most:
                for other, _, _ in new:
                    ledger.put(other, None)
                for other, its_own in old:
                    ledger.put(other, its_own)
                return 0.0
        for number, place, cost in new:
            self.places[number], self.costs[number] = place, cost
            (self.missing.add if place is None else self.missing.discard)(number)
        return before - after

    def _chosen(self) -> list[int]:
        """Some that run about a half-hour, at two venues or anywhere, and some without a place."""
        ledger, half_hours, venues = self.ledger, self.ledger.half_hours, len(self.ledger.left)
        when, whose, how_wide, how_many, is_two, one, other = self.dice.random(7).tolist()
        missing = sorted(self.missing)
        at, least = int(when * half_hours), TAKEN_OUT[0]
        if missing and whose < 0.8:
            number = missing[int(whose / 0.8 * len(missing))]
            first, past = int(ledger.earliest[number]), int(ledger.past[number] + ledger.slots[number])
            at = first + int(when * (past - first))
        margin, (row, begins, ends) = 2 * int(how_wide * 3), ledger.spans.T
        near = (row >= 0) & (begins <= at + margin) & (ends > at - margin)
        if venues > 2 and is_two < 0.5:
            near &= (row == int(one * venues)) | (row == int(other * venues))
        found = np.flatnonzero(near)
        most = least + int(how_many * (TAKEN_OUT[1] - least + 1))
        if len(found) > most:
            found = found[np.argsort(self.dice.random(len(found)), kind="stable")[:most]]
        if len(missing) > TAKEN_OUT[1]:
            missing = self.dice.permutation(missing)[: TAKEN_OUT[1]].tolist()
        return [*found.tolist(), *missing]

    def _ordered(self, out: list[int]) -> list[int]:
        """In which order they are put in: largest, most power, fewest starts, each only about so, or any."""
        by, them = float(self.dice.random()), np.array(out)
        about = 0.7 + 0.6 * self.dice.random(len(them))
        key = -self.size if by < 0.35 else -self.ledger.power if by < 0.6 else self.starts if by < 0.8 else None
        found: list[int] = them[np.argsort(about if key is None else key[them] * about, kind="stable")].tolist()
        return found
