"""Many workloads placed together under the capacity of their venues, and how far that is from the best at most.

Each venue and half-hour gets a price for its capacity (`shadow_prices`): a lower bound that no plan can beat. A plan is made by
these prices, which follow what is still free as workloads are placed, and bettered (`local_search`) by letting workloads change
places, and by taking some out and in again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from placement.candidates import candidates
from placement.ledger import AT_ONCE, HELD, Ledger, Place, Wanted
from placement.ledger_of import ledger_of
from placement.local_search import better
from placement.options import Option, option, option_of_split
from placement.outlook import Outlook, score
from placement.shadow_prices import placed, shadow_prices
from placement.spine import HALF_HOUR, Numbers
from placement.split import splits
from placement.task import Task
from placement.venues import Taken, Venue, Venues


@dataclass(frozen=True)
class Planned:
    """Where a workload goes. Without an option it stays as it is, or has no place (`is_placed` false)."""

    key: Any
    option: Option | None
    is_placed: bool
    gain_gbp: float
    """against where it is now; 0 if it stays or had no place"""


@dataclass(frozen=True)
class Plan:
    """Where all of them go."""

    planned: Sequence[Planned]
    score_gbp: float
    """of all that are placed"""
    bound_gbp: float
    """no plan that places them costs less"""

    @property
    def gap(self) -> float | None:
        """By how much the plan is above its bound at most, as a share of the bound; None unless all have a place."""
        if self.unplaced:
            return None
        return max(0.0, self.score_gbp - self.bound_gbp) / max(abs(self.bound_gbp), 1e-9)

    @property
    def unplaced(self) -> int:
        """How many have no place."""
        return sum(not one.is_placed for one in self.planned)


def plan(
    wanted: Sequence[Wanted],
    venues: Sequence[Venue] | Venues,
    outlook: Outlook,
    bookings: Mapping[str, Taken],
    *,
    carbon_value_gbp_kg: float,
) -> Plan:
    """Place all of them together; `bookings` are those of others. The same input gives the same plan."""
    venues = Venues.of(venues)
    if not wanted or not len(venues) or not outlook.half_hours:
        return Plan([Planned(one.key, None, one.held is not None, 0.0) for one in wanted], 0.0, 0.0)
    value = {"carbon_value_gbp_kg": carbon_value_gbp_kg}
    ledger = ledger_of(wanted, venues, outlook, bookings, **value)
    prices, bound = shadow_prices(ledger)
    places = placed(ledger, prices)
    better(ledger, places, prices, bound)
    in_chunks = _in_chunks(wanted, venues, ledger, places, outlook, **value)
    bound -= _less_in_chunks(wanted, venues, ledger, prices, outlook, **value)
    planned, total = [], 0.0
    for number, one in enumerate(wanted):
        found, place = in_chunks.get(number), places[number]
        if found is not None:
            total += (found.score_gbp or 0.0) + (one.move_gbp if one.held else 0.0)
        else:
            total += ledger.cost(number, place)
            if place is not None and place.start != HELD:
                found = _option(one.task, venues, outlook, place, carbon_value_gbp_kg)
        is_held = found is None and place is not None
        gain = one.held.score_gbp - (found.score_gbp or 0.0) if one.held and found else 0.0
        planned.append(Planned(one.key, found, found is not None or is_held, gain))
    unplaced = ledger.penalty * sum(not one.is_placed for one in planned)
    return Plan(planned, total - unplaced, bound - unplaced)


def _option(task: Task, venues: Venues, outlook: Outlook, place: Place, carbon_value_gbp_kg: float) -> Option:
    laid = candidates(task, venues, outlook, {}, carbon_value_gbp_kg=carbon_value_gbp_kg)
    column = 0 if place.start == AT_ONCE else place.start - outlook.half_hours + laid.starts.size
    return option(task, laid, outlook, (place.row, column))


def _in_chunks(
    wanted: Sequence[Wanted],
    venues: Venues,
    ledger: Ledger,
    places: list[Place | None],
    outlook: Outlook,
    *,
    carbon_value_gbp_kg: float,
) -> dict[int, Option]:
    """Interruptible workloads whose chunks, in what the others leave, are better than one piece."""
    found: dict[int, Option] = {}
    instants = outlook.first + HALF_HOUR * np.arange(outlook.half_hours + 1, dtype=float)
    for number, one in enumerate(wanted):
        if one.task.max_chunks == 1:
            continue
        ledger.put(number, None)
        among = Venues(v if one.among is None or v.key in one.among else replace(v, capacity_kw=-1.0) for v in venues)
        taken = {
            venue.key: Taken(instants, np.append(np.maximum(venue.capacity_kw - free, 0.0), 0.0))
            for venue, free in zip(among, ledger.free, strict=True)
            if 0 <= venue.capacity_kw < np.inf
        }
        options = splits(one.task, among, outlook, taken, carbon_value_gbp_kg=carbon_value_gbp_kg)
        best = min(options, key=lambda split: split.score_gbp, default=None)
        moved = one.move_gbp if one.held is not None else 0.0
        if best is None or best.score_gbp + moved >= ledger.cost(number, places[number]) - 1e-9:
            ledger.put(number, places[number])
            continue
        laid = candidates(one.task, venues, outlook, {}, carbon_value_gbp_kg=carbon_value_gbp_kg)
        found[number] = option_of_split(one.task, laid, outlook, best)
        for piece in best.pieces:
            for slot, kw in enumerate(piece.power_kw):
                ledger.free[best.row, piece.start + slot] -= kw
    return found


def _less_in_chunks(
    wanted: Sequence[Wanted],
    venues: Venues,
    ledger: Ledger,
    prices: Numbers,
    outlook: Outlook,
    *,
    carbon_value_gbp_kg: float,
) -> float:
    """By how much chunks lower the bound at most: as if the cheapest half-hours of a venue could be had one by one."""
    price = np.repeat(outlook.price.values, len(venues), axis=0)
    if (own := venues.own_prices) is not None:
        price = np.where(np.isnan(own)[:, None], price, own[:, None])
    asked, less = ledger.asked(prices), 0.0
    for number, one in enumerate(wanted):
        if one.task.max_chunks == 1:
            continue
        task = one.task
        worth = score(outlook.seen_by(task.risk).intensity.values[venues.rows], price, task.weight, carbon_value_gbp_kg)
        draws = task.power_profile_kw or (task.power_kw,) * int(ledger.slots[number])
        # the least power of the run at each of the cheapest half-hours: no chunks cost less
        each = np.sort(np.where(np.isnan(worth), np.inf, worth * (min(draws) / 2000) + min(draws) * prices), axis=1)
        many = max(1, int(task.half_hours))
        loose = float(np.cumsum(each, axis=1)[:, min(many, each.shape[1]) - 1].min())
        loose = min(loose, float(np.minimum(each, 0.0).sum(axis=1).min()))
        one_piece = float(min(ledger.choices(number, asked).min(initial=np.inf), ledger.penalty))
        less += max(0.0, one_piece - loose) if np.isfinite(loose) else 0.0
    return less
