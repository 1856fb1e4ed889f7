"""The candidates of many workloads in the form that a plan searches, the capacity that they share, and who takes what of it.

Workloads of the same length, weight, caps and regions differ only in when they may start: they share one array of what a start is
worth, so that a step of the prices costs no more for a thousand of them than for ten.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from placement.spine import Numbers
from placement.task import Task

TINY = 1e-7
HELD, AT_ONCE = -1, -2
Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Held:
    """Where a workload is placed now: venue, each stretch in which it runs, and what it costs by what is known now, pounds."""

    venue: str
    runs: tuple[tuple[datetime, datetime], ...]
    score_gbp: float


@dataclass(frozen=True)
class Wanted:
    """A workload that may be placed or moved. Its own booking is not part of what is taken."""

    key: Any
    task: Task
    held: Held | None = None
    move_gbp: float = 0.0
    """What a move must gain at least"""
    among: frozenset[str] | None = None
    """Keys of the venues where it may run; None: all"""


class Place(NamedTuple):
    """A candidate: venue, and half-hour of the spine at which it starts; or AT_ONCE, or HELD where it is now."""

    row: int
    start: int


class Asked(NamedTuple):
    """What prices of capacity ask."""

    by_start: Numbers
    """(classes, venues, half-hours): for a run from there, pounds a kW"""
    summed: Numbers
    """(venues, half-hours + 1): until there from the first half-hour on, pounds a kW"""


@dataclass
class Ledger:
    """A workload takes its highest power in every half-hour that it touches: what is free here is free to the second.

    Arrays by workload have shape (workloads,), those by class (classes, venues, half-hours); pounds and kW.
    """

    worth: Numbers
    """By class: pounds a MWh of a run from each half-hour, infinite where a constraint forbids it"""
    length: Whole
    """(classes,): half-hours that a run touches"""
    of_class: Whole
    energy_mwh: Numbers
    power: Numbers
    earliest: Whole
    """The first half-hour at which it may start"""
    past: Whole
    """That past the last at which it may start; `earliest` if there is none"""
    moves: Numbers
    """Pounds that any place costs but the one where it is held"""
    once: Numbers
    """(workloads, venues): pounds of starting at once, between two half-hours; infinite where that is not possible"""
    once_span: Whole
    """(workloads, 2): the first half-hour of such a run, and that past the last"""
    held: Sequence[tuple[int, int, int, float] | None]
    """Venue, first half-hour, that past the last, and pounds of where each is now"""
    left: Numbers
    """(venues, half-hours): capacity that others leave, kW"""
    free: Numbers = field(init=False)
    spans: Whole = field(init=False)
    """(workloads, 3): venue (-1: none), first half-hour, that past the last"""
    penalty: float = field(init=False)
    """Pounds for a workload without a place: more than any move of one could save"""

    def __post_init__(self) -> None:
        self.clear()
        self.slots = self.length[self.of_class]
        # no run goes on beyond the spine
        self.past = np.minimum(self.past, np.maximum(self.earliest, self.half_hours - self.slots + 1))
        known = self.worth[np.isfinite(self.worth)]
        spread = float(np.ptp(known)) + float(np.abs(known).max()) if known.size else 0.0
        self.penalty = max(10 * spread * float(self.energy_mwh.max(initial=0.0)), 1e-3)
        ends = np.minimum(np.arange(self.half_hours) + self.length[:, None], self.half_hours)
        self._ends, self._rate = ends, np.zeros(len(self.length))
        self._rate[self.of_class] = self.energy_mwh / self.power
        self._held_at = np.array([n for n, one in enumerate(self.held) if one is not None], dtype=np.int64)
        self._held = np.array([one for one in self.held if one is not None]).reshape(-1, 4)
        levels = int(np.log2(max(self.half_hours, 1))) + 1
        self._table = np.full((levels, len(self.length), self.half_hours), np.inf)
        self._where = np.zeros(self._table.shape, dtype=np.int64)
        self._where[0] = np.arange(self.half_hours)
        self._elsewhere = [self._others(number) for number in range(len(self.power))]
        self._choices: list[Numbers | None] = [None] * len(self.power)
        self._is_any_at_once = bool(np.isfinite(self.once).any())
        self._level = np.log2(np.maximum(self.past - self.earliest, 1)).astype(np.int64)

    def clear(self, places: Sequence[Place | None] = ()) -> None:
        """These are placed, and nothing else."""
        self.free = self.left.copy()
        self.spans = np.full((len(self.power), 3), -1, dtype=np.int64)
        for number, place in enumerate(places):
            self.put(number, place)

    @property
    def half_hours(self) -> int:
        """Length of the spine."""
        return int(self.left.shape[1])

    def cost(self, number: int, place: Place | None) -> float:
        """Pounds of a place; the penalty without one."""
        if place is None:  # nobody gives up a place so that another gets one
            return self.penalty * (1 if self.held[number] is None else 1e3)
        held = self.held[number]
        if place.start == HELD and held is not None:
            return held[3]
        if place.start == AT_ONCE:
            return float(self.once[number, place.row] + self.moves[number])
        worth = self.worth[self.of_class[number], place.row, place.start]
        return float(worth * self.energy_mwh[number] + self.moves[number])

    def price(self, number: int, place: Place, asked: Asked) -> float:
        """Pounds that prices ask for a place."""
        first, past = self.span(number, place)
        return float(self.power[number] * (asked.summed[place.row, past] - asked.summed[place.row, first]))

    def total(self, places: Sequence[Place | None]) -> float:
        """Pounds of all."""
        return sum(self.cost(number, place) for number, place in enumerate(places))

    def span(self, number: int, place: Place) -> tuple[int, int]:
        """First half-hour, and that past the last."""
        held = self.held[number]
        if place.start == HELD and held is not None:
            return held[1], held[2]
        if place.start == AT_ONCE:
            return int(self.once_span[number, 0]), int(self.once_span[number, 1])
        return place.start, min(place.start + int(self.slots[number]), self.half_hours)

    def put(self, number: int, place: Place | None) -> None:
        """Give a workload this place in place of its own."""
        row, first, past = self.spans[number]
        if row >= 0:
            self.free[row, first:past] += self.power[number]
        self.spans[number, 0] = -1
        if place is not None:
            first, past = self.span(number, place)
            self.free[place.row, first:past] -= self.power[number]
            self.spans[number] = place.row, first, past

    def asked(self, prices: Numbers) -> Asked:
        """What these prices, pounds a kW and half-hour, (venues, half-hours), ask for runs."""
        summed = summed_up(prices)
        return Asked(summed[:, self._ends].transpose(1, 0, 2) - summed[:, :-1], summed)

    def cheapest(self, prices: Numbers) -> tuple[float, Numbers]:
        """A lower bound on every plan, pounds, and what is taken if each takes its cheapest at these prices, kW."""
        value, row, first, past = self._cheapest_of_each(prices)
        lower = float(np.minimum(value, self.penalty).sum()) - float((prices * self.left).sum())
        return lower, self._load(np.where(value < self.penalty, self.power, 0.0), row, first, past)

    def wished(self, prices: Numbers, among: NDArray[np.bool_]) -> Numbers:
        """What these workloads take if each takes its cheapest at these prices, kW."""
        value, row, first, past = self._cheapest_of_each(prices)
        return self._load(np.where(among & (value < self.penalty), self.power, 0.0), row, first, past)

    def _load(self, power: Numbers, row: Whole, first: Whole, past: Whole) -> Numbers:
        size, width = self.left.shape[0], self.half_hours + 1
        begun, ended = (np.bincount(row * width + at, power, size * width) for at in (first, past))
        return np.cumsum((begun - ended).reshape(size, width), axis=1, dtype=np.float64)[:, :-1]

    def _cheapest_of_each(self, prices: Numbers) -> tuple[Numbers, Whole, Whole, Whole]:
        """Of each workload the least of cost and price, and where: venue, first half-hour, that past the last."""
        by_start, summed = self.asked(prices)
        reduced = self._rate[:, None, None] * self.worth + by_start
        rows_of = reduced.argmin(axis=1)
        values, starts = self._range_minimum(np.take_along_axis(reduced, rows_of[:, None, :], axis=1)[:, 0])
        value = self.power * values + self.moves
        row, first = rows_of[self.of_class, starts], starts
        past = np.minimum(first + self.slots, self.half_hours)
        if self._is_any_at_once:
            begins, ends = self.once_span.T
            at_once = self.once + (summed[:, ends] - summed[:, begins]).T * self.power[:, None] + self.moves[:, None]
            best = at_once.argmin(axis=1)
            least = at_once[np.arange(len(best)), best]
            is_less = least <= value
            value, row = np.where(is_less, least, value), np.where(is_less, best, row)
            first, past = np.where(is_less, begins, first), np.where(is_less, ends, past)
        if len(self._held):
            at, (venue, begins, ends) = self._held_at, self._held[:, :3].astype(np.int64).T
            stays = self._held[:, 3] + self.power[at] * (summed[venue, ends] - summed[venue, begins])
            is_less = stays <= value[at]
            value[at] = np.where(is_less, stays, value[at])
            row[at], first[at], past[at] = (
                np.where(is_less, held, own) for held, own in ((venue, row[at]), (begins, first[at]), (ends, past[at]))
            )
        return value, row, first, past

    def _range_minimum(self, values: Numbers) -> tuple[Numbers, Whole]:
        """Of each workload the least of its class between its first and last start, and where; infinite without a start."""
        half_hours, table, where = self.half_hours, self._table, self._where
        table[0], width = values, 1
        for level in range(1, len(table)):
            # what would run over the end is never asked for
            size = half_hours - 2 * width + 1
            left, right = table[level - 1, :, :size], table[level - 1, :, width : width + size]
            is_right = right < left
            table[level, :, :size] = np.where(is_right, right, left)
            where[level, :, :size] = np.where(
                is_right, where[level - 1, :, width : width + size], where[level - 1, :, :size]
            )
            width *= 2
        first = np.minimum(self.earliest, half_hours - 1)
        second = np.maximum(self.past - (1 << self._level), 0)
        one, other = (self._level, self.of_class, first), (self._level, self.of_class, second)
        least: Numbers = np.where(self.past > self.earliest, np.minimum(table[one], table[other]), np.inf)
        return least, np.where(table[other] < table[one], where[other], where[one])

    def choices(self, number: int, asked: Asked | None = None) -> Numbers:
        """Pounds of each start of a workload, (venues, its starts), whether free or not; with what prices ask if there are any.

        Infinite where it would lose by a move, or gain less than a move must: it moves for its own sake alone.
        """
        lo, hi = int(self.earliest[number]), int(self.past[number])
        kind, found = int(self.of_class[number]), self._choices[number]
        if found is None:
            found = self.worth[kind, :, lo:hi] * self.energy_mwh[number] + self.moves[number]
            if (held := self.held[number]) is not None:
                found = np.where(found < held[3], found, np.inf)
            self._choices[number] = found
        return found if asked is None else found + self.power[number] * asked.by_start[kind, :, lo:hi]

    def room(self, number: int) -> Numbers:
        """The least that is free in a run from each start of a workload, (venues, its starts), kW."""
        lo, hi, slots = int(self.earliest[number]), int(self.past[number]), int(self.slots[number])
        found, width = self.free[:, lo : hi + slots - 1], 1
        while 2 * width <= slots:  # the least of 2, 4, 8 half-hours, and then of two such stretches that overlap
            found, width = np.minimum(found[:, :-width], found[:, width:]), 2 * width
        rest = slots - width
        return np.minimum(found[:, :-rest], found[:, rest:]) if rest else found

    def best(self, number: int, asked: Asked | None = None) -> Place | None:
        """The cheapest free place of a workload, with what prices ask counted if there are any; None without one."""
        lo, hi = int(self.earliest[number]), int(self.past[number])
        enough, found, least = float(self.power[number]) - TINY, None, np.inf
        if hi > lo:
            costs = np.where(self.room(number) >= enough, self.choices(number, asked), np.inf)
            at = int(costs.argmin())
            row, start = divmod(at, hi - lo)
            least = float(costs[row, start])
            found = Place(row, lo + start) if np.isfinite(least) else None
        for place in self._elsewhere[number]:
            first, past = self.span(number, place)
            own = self.cost(number, place)
            if asked is not None:
                own += self.price(number, place, asked)
            is_free = float(self.free[place.row, first:past].min(initial=np.inf)) >= enough
            if own <= least and np.isfinite(own) and is_free:
                found, least = place, own
        return found

    def _others(self, number: int) -> list[Place]:
        """Starting at once, and where it is held."""
        held = self.held[number]
        most = np.inf if held is None else held[3] - self.moves[number]
        found = [Place(int(row), AT_ONCE) for row in np.flatnonzero(self.once[number] < most)]
        return found if held is None else [*found, Place(held[0], HELD)]


def summed_up(values: NDArray[Any]) -> Numbers:
    """Sums along the half-hours: [:, b] - [:, a] is that from a until b."""
    found = np.zeros((values.shape[0], values.shape[1] + 1))
    np.cumsum(values, axis=1, out=found[:, 1:])
    return found
