"""Every venue x start is a candidate; constraints strike out; the score ranks what is left.

score = weight x carbon_kg x carbon value (GBP/kg) + (1 - weight) x cost_gbp, in pounds; ties go to the earlier start, then to the
order of the venues. Arrays have a row for each venue and a column for each start.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from placement.outlook import Means, Outlook, score
from placement.spine import HALF_HOUR, Mask, Numbers, in_microseconds, microseconds
from placement.task import BIT, Task
from placement.venues import Taken, Venues

BEST = 3
Bits = NDArray[np.int16]
Place = tuple[int, int]
"""A candidate: venue and start, as row and column"""


@dataclass(frozen=True)
class Candidates:
    """Every candidate, and which constraints each breaks."""

    venues: Venues
    starts: Numbers
    """in half-hours of the spine, (columns,)"""
    intensity: Numbers
    """gCO2/kWh, mean over the run"""
    price: Numbers
    """GBP/MWh; its rows are one, if no venue has a price of its own"""
    synthetic: Numbers
    score: Numbers
    """GBP/MWh, to nine decimals"""
    broken: Bits
    """the sum of `BIT` over what each breaks"""
    in_time: int
    """so many of the first columns end before the deadline"""
    at_once: Means
    """of each venue, were the run to start at `earliest`; shape (rows, 1)"""
    _compared: dict[int, dict[str, tuple[float, float]]] = field(default_factory=dict)
    _prices: dict[int, Numbers] = field(default_factory=dict)

    @cached_property
    def possible(self) -> Mask:
        """Candidates that keep every constraint."""
        kept: Mask = self.broken == 0
        return kept

    @cached_property
    def struck_out_alone(self) -> dict[str, int]:
        """How many candidates break this constraint and no other, for each that has such."""
        any_broken = int(np.bitwise_or.reduce(self.broken, axis=None, initial=0))
        counts = {name: int(np.count_nonzero(self.broken == bit)) for name, bit in BIT.items() if any_broken & bit}
        return {name: count for name, count in counts.items() if count}

    def but_for(self, names: Sequence[str]) -> Mask:
        """Candidates that keep these constraints, whatever else they break."""
        kept: Mask = (self.broken & sum(BIT[name] for name in names)) == 0
        return kept

    def breaks(self, at: Place) -> list[str]:
        """The constraints that a candidate breaks."""
        broken = int(self.broken[at])
        return [name for name, bit in BIT.items() if broken & bit] if broken else []

    def price_at(self, at: Place) -> float:
        """Mean price of a candidate, GBP/MWh; NaN where one of its half-hours has none."""
        return float(self.price[at[0] if len(self.price) > 1 else 0, at[1]])

    def ranked(self, mask: Mask, by: Numbers, most: int = BEST) -> list[Place]:
        """The best of a mask, by values to nine decimals; what is not known is not among them."""
        # by start and then by venue, so that the first of equals is the earlier start, then the first venue
        left = np.where(mask, by, np.inf).T.ravel()
        found: list[Place] = []
        while len(found) < most and (at := _least(left)) is not None:
            column, row = divmod(at, len(self.venues))
            found.append((row, column))
            left[at] = np.inf
        return found

    def compared_with(self, row: int) -> dict[str, tuple[float, float]]:
        """Intensity and price of the median and of the worst of a venue's starts that end in time."""
        if row not in self._compared:
            values = self.intensity[row, : self.in_time]
            carbons, prices = _ordered(values), self._prices_in_time(row if len(self.price) > 1 else 0)
            if len(carbons) < len(values):  # prices count only where the intensity is known
                is_known = ~np.isnan(values)
                prices = _ordered(self.price[row if len(self.price) > 1 else 0, : self.in_time][is_known])
            self._compared[row] = {
                "median": (_median(carbons), _median(prices)),
                "worst": (_last(carbons), _last(prices)),
            }
        return self._compared[row]

    def _prices_in_time(self, row: int) -> Numbers:
        if row not in self._prices:
            self._prices[row] = _ordered(self.price[row, : self.in_time])
        return self._prices[row]

    @cached_property
    def at_once_in_the_median(self) -> tuple[float, float]:
        """Intensity and price of starting at once in the median of the venues in which it might run, NaN if none is known."""
        carbon, price = (_median(_ordered(values)) for values in self._at_once_where_it_might_run)
        return carbon, price

    @property
    def at_once_in_the_median_of_all(self) -> tuple[float, float]:
        """The same, NaN if one of these venues is not known: by what came, missing is missing."""
        carbon, price = (
            float("nan") if np.isnan(values).any() else _median(np.sort(values))
            for values in self._at_once_where_it_might_run
        )
        return carbon, price

    @property
    def _at_once_where_it_might_run(self) -> tuple[np.ndarray, np.ndarray]:
        """Intensity and price of starting at once in each venue in which it might run."""
        refused = BIT["regions"] | BIT["power"]
        where = (self.broken[:, 0] & refused) == 0 if self.starts.size else np.zeros(len(self.venues), dtype=bool)
        return self.at_once.intensity[where, 0], self.at_once.price[where, 0]

    def others(self, length: float, most: int = BEST) -> list[Place]:
        """The best, and the next best that are really others: another region, or starting at least one run length apart."""
        left = np.where(self.possible, self.score, np.inf).T.copy()
        flat = left.ravel()  # the same numbers
        apart, begins = microseconds(length), in_microseconds(self.starts)
        chosen = list[Place]()
        while (at := _least(flat)) is not None:
            column, row = divmod(at, len(self.venues))
            chosen.append((row, column))
            if len(chosen) == most:
                break
            first = int(np.searchsorted(begins, begins[column] - apart, side="right"))
            past = int(np.searchsorted(begins, begins[column] + apart, side="left"))
            for beside in self.venues.in_region[self.venues[row].region_id]:
                left[first:past, beside] = np.inf
        return chosen


def _least(left: Numbers) -> int | None:
    """Where the least of a flat array is, the first of equals; None if all are infinite. What is not known becomes infinite."""
    while left.size:
        at = int(left.argmin())
        if left[at] == left[at]:
            return at if left[at] < np.inf else None
        left[np.isnan(left)] = np.inf  # argmin takes it for the least
    return None


def _ordered(values: Numbers) -> Numbers:
    """Those that are known, in their order."""
    ordered = values.copy()
    ordered.sort()  # what is not known comes last
    known: Numbers = (
        ordered if not len(ordered) or ordered[-1] == ordered[-1] else ordered[: ordered.searchsorted(np.nan)]
    )
    return known


def _median(ordered: Numbers) -> float:
    half = len(ordered) // 2
    if not len(ordered):
        return float("nan")
    return float(ordered[half]) if len(ordered) % 2 else float((ordered[half - 1] + ordered[half]) / 2)


def _last(ordered: Numbers) -> float:
    return float(ordered[-1]) if len(ordered) else float("nan")


def candidates(
    task: Task, venues: Venues, outlook: Outlook, taken: Mapping[str, Taken], *, carbon_value_gbp_kg: float
) -> Candidates:
    """Lay out every venue x start, and what each constraint says of it."""
    outlook = outlook.seen_by(task.risk)
    length = task.half_hours
    earliest = outlook.position(task.earliest)
    first, is_off_spine = _first_of_spine(earliest, outlook.half_hours)
    starts = np.arange(first - is_off_spine, outlook.half_hours, dtype=float)
    if is_off_spine:
        starts[0] = earliest
    run = task.run
    at_once, spine = outlook.means_at(earliest, run), outlook.means_of_spine(run)
    laid = [_laid_out(once, rows, first, is_off_spine=is_off_spine) for once, rows in zip(at_once, spine, strict=True)]
    intensity, synthetic, price = venues.at_each(laid[0]), venues.at_each(laid[1]), laid[2]
    own = venues.own_prices
    if own is None:
        scores = outlook.scores_of_spine(run, task.weight, carbon_value_gbp_kg)
        once = score(at_once.intensity, at_once.price, task.weight, carbon_value_gbp_kg)
        scored = venues.at_each(_laid_out(once, scores, first, is_off_spine=is_off_spine))
    else:
        price = np.where(np.isnan(own)[:, None], price, own[:, None])
        scored = score(intensity, price, task.weight, carbon_value_gbp_kg)
    begins = in_microseconds(starts)
    latest = microseconds(outlook.position(task.deadline)) - microseconds(length)
    in_time = int(np.searchsorted(begins, latest, side="right"))
    broken = _broken(task, venues, intensity, price)
    broken[:, in_time:] |= BIT["deadline"]
    _cannot_wait(broken, task, venues, begins - microseconds(earliest))
    for row in venues.with_hours:
        broken[row, ~venues[row].is_open(starts, length, outlook)] |= BIT["opening"]
    _is_full(broken, task, venues, taken, outlook.first + starts * HALF_HOUR)
    return Candidates(
        venues=venues,
        starts=starts,
        intensity=intensity,
        price=price,
        synthetic=synthetic,
        score=scored,
        broken=broken,
        in_time=in_time,
        at_once=Means(
            venues.at_each(at_once.intensity), venues.at_each(at_once.synthetic), _own(at_once.price, venues)
        ),
    )


def _first_of_spine(earliest: float, half_hours: int) -> tuple[int, bool]:
    """The first half-hour of the spine at which it may start, and whether starting at once is none of the spine's.

    Starting at once always counts: nothing that waits is chosen where starting at once would be better.
    """
    first = max(int(np.ceil(earliest - 1e-10)), 0)
    return min(first, half_hours), not (first < half_hours and abs(first - earliest) <= 1e-10)


def _laid_out(once: Numbers, spine: Numbers, first: int, *, is_off_spine: bool) -> Numbers:
    """A column for starting at once, if it is none of the spine's, and those of the spine from `first` on."""
    return np.concatenate([once, spine[:, first:]], axis=1) if is_off_spine else spine[:, first:]


def _own(market: Numbers, venues: Venues) -> Numbers:
    """The market's price at each venue, or the venue's own; shape (rows, 1)."""
    if venues.own_prices is None:
        return np.repeat(market, len(venues), axis=0)
    found: Numbers = np.where(np.isnan(venues.own_prices)[:, None], market, venues.own_prices[:, None])
    return found


def _broken(task: Task, venues: Venues, intensity: Numbers, price: Numbers) -> Bits:
    """What each candidate breaks by place, forecast, power, caps and price."""
    broken = np.where(np.isnan(intensity), np.int16(BIT["forecast"]), np.int16(0))
    if task.regions is not None:
        elsewhere = ~np.isin(venues.regions, sorted(task.regions))
        broken[elsewhere] |= BIT["regions"]
    too_small = venues.capacity_kw < task.peak_kw
    if too_small.any():
        broken[too_small] |= BIT["power"]
    caps, own = venues.carbon_caps, task.carbon_cap_gco2_kwh
    if caps is not None or own is not None:
        least = np.minimum(np.inf if caps is None else caps[:, None], np.inf if own is None else own)
        broken |= np.where(intensity > least, np.int16(BIT["carbon_cap"]), np.int16(0))
    if task.price_cap_gbp_mwh is not None:
        broken |= np.where(price <= task.price_cap_gbp_mwh, np.int16(0), np.int16(BIT["price_cap"]))
    if task.weight < 1:
        broken |= np.where(np.isnan(price), np.int16(BIT["price"]), np.int16(0))
    return broken


def _cannot_wait(broken: Bits, task: Task, venues: Venues, waits: NDArray[np.int64]) -> None:
    """Strike out starts that come later than the workload or its venue can wait."""
    if not task.is_deferrable:
        patience = np.minimum(0.0 if venues.patience is None else venues.patience, 0.0) * np.ones(len(venues))
    elif venues.patience is not None:
        patience = venues.patience
    else:
        return
    broken |= np.where(waits > patience[:, None], np.int16(BIT["deferral"]), np.int16(0))


def _is_full(broken: Bits, task: Task, venues: Venues, taken: Mapping[str, Taken], starts_at: Numbers) -> None:
    """Strike out starts at which others have taken what it needs, at any moment of its run."""
    if not taken:
        return
    for row, venue in enumerate(venues):
        booked = taken.get(venue.key)
        if booked is None or booked.most_kw + task.peak_kw <= venue.capacity_kw:
            continue
        for after, seconds, kw in task.steps():
            peaks = booked.peaks(starts_at + after, seconds)
            broken[row, (peaks >= 1e-9) & (peaks + kw > venue.capacity_kw + 1e-7)] |= BIT["capacity"]
