"""The decision: every venue x start is a candidate; constraints strike out; the score ranks what is left.

Pure arithmetic over an `Outlook`: the same input gives the same answer. score = weight x carbon_kg x carbon value (GBP/kg) +
(1 - weight) x cost_gbp, in pounds; ties go to the earlier start, then to the order of the venues.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service import prices
from service.outlook import HALF_HOUR, Numbers, Outlook, in_microseconds
from service.venues import Taken, Venue

Mask = NDArray[np.bool_]

CONSTRAINTS = {
    "regions": "the regions that were asked for",
    "deadline": "the deadline",
    "deferral": "how long it may be deferred",
    "forecast": "the reach of the forecast: a half-hour that is not known counts as no candidate",
    "opening": "the hours in which the compute window is open and valid",
    "power": "the rated power of the venue",
    "carbon_cap": "the carbon cap",
    "price_cap": "the price cap",
    "price": "the price: where cost counts, a half-hour without a price counts as no candidate",
    "capacity": "the capacity that is left: others were placed there before",
}
BEST = 3


@dataclass(frozen=True)
class Task:
    """What is to be placed. Caps are means over the run."""

    power_kw: float
    duration: timedelta
    earliest: datetime
    deadline: datetime
    weight: float = 1.0
    """1 decides by carbon alone, 0 by cost alone"""
    carbon_cap_gco2_kwh: float | None = None
    price_cap_gbp_mwh: float | None = None
    regions: frozenset[int] | None = None
    is_deferrable: bool = True

    @property
    def energy_kwh(self) -> float:
        """Energy of the run."""
        return self.power_kw * self.duration.total_seconds() / 3600


@dataclass(frozen=True)
class Option:
    """A venue and a start that is possible, with what it emits, costs and saves."""

    venue: Venue
    starts_at: datetime
    ends_at: datetime
    mean_gco2_kwh: float
    mean_price_gbp_mwh: float | None
    carbon_kg: float
    cost_gbp: float | None
    synthetic_share: float
    score_gbp: float | None
    energy_kwh: float = 0.0
    unknown_price: Mapping[str, Any] | None = None
    """why there is no price, and an estimate (`Outlook.unknown_price`); None where the price is known"""
    saving: Mapping[str, Any] = field(default_factory=dict)
    """against now, the median and the worst start in the same place; only of what is answered"""

    def told(self) -> dict[str, Any]:
        """As JSON. An estimate of the cost stands in fields of its own and is never part of `cost_gbp`."""
        unknown = self.unknown_price or {}
        energy_mwh = self.energy_kwh / 1000
        estimate, error = (
            None if (price := unknown.get(name)) is None else round(price * energy_mwh, 4)
            for name in ("estimate_gbp_mwh", "error_gbp_mwh")
        )
        return {
            "venue": self.venue.key,
            "venue_name": self.venue.name,
            "region_id": self.venue.region_id,
            "region_name": self.venue.region_name,
            "starts_at": self.starts_at,
            "ends_at": self.ends_at,
            "mean_gco2_kwh": self.mean_gco2_kwh,
            "carbon_kg": self.carbon_kg,
            "mean_price_gbp_mwh": self.mean_price_gbp_mwh,
            "cost_gbp": self.cost_gbp,
            "cost_unknown_because": unknown.get("because"),
            "cost_estimate_gbp": estimate,
            "cost_estimate_error_gbp": error,
            "estimate_basis": None if estimate is None else prices.BASIS,
            "synthetic_share": self.synthetic_share,
            "score_gbp": self.score_gbp,
            "saving": dict(self.saving),
        }


@dataclass(frozen=True)
class Candidates:
    """Every venue (row) at every start (column), and what each constraint leaves of them."""

    venues: Sequence[Venue]
    starts: Numbers
    """in half-hours of the spine"""
    intensity: Numbers
    price: Numbers
    synthetic: Numbers
    score: Numbers
    """pounds a MWh"""
    masks: Mapping[str, Mask]
    baseline: tuple[Numbers, Numbers]
    """intensity and price of each venue, were the run to start at `earliest`"""

    @cached_property
    def broken(self) -> NDArray[np.int64]:
        """How many constraints each candidate breaks."""
        found: NDArray[np.int64] = np.sum([~mask for mask in self.masks.values()], axis=0)
        return found

    @property
    def possible(self) -> Mask:
        """Candidates that keep every constraint."""
        kept: Mask = self.broken == 0
        return kept

    def struck_out_alone_by(self, name: str) -> Mask:
        """Candidates that break this constraint and no other."""
        struck: Mask = (self.broken == 1) & ~self.masks[name]
        return struck

    def ranked(self, mask: Mask, by: Numbers, most: int = BEST) -> list[tuple[int, int]]:
        """The best of a mask as (venue, start), by a score."""
        rows, columns = np.nonzero(mask)
        order = np.lexsort((rows, self.starts[columns], np.round(by[rows, columns], 9)))[:most]
        return [(int(rows[i]), int(columns[i])) for i in order]

    def others(self, mask: Mask, by: Numbers, length: float, most: int = BEST) -> list[tuple[int, int]]:
        """The best, and the next best that are really others: another region, or starting at least one run length apart."""
        chosen: list[tuple[int, int]] = []
        left, regions = mask.copy(), np.array([venue.region_id for venue in self.venues])
        apart = int(in_microseconds(np.array(length)))
        begins = in_microseconds(self.starts)
        while len(chosen) < most and (best := self.ranked(left, by, 1)):
            row, column = best[0]
            chosen.append((row, column))
            left &= ~np.outer(regions == regions[row], np.abs(begins - begins[column]) < apart)
        return chosen


def candidates(
    task: Task, venues: Sequence[Venue], outlook: Outlook, taken: Mapping[str, Taken], *, carbon_value_gbp_kg: float
) -> Candidates:
    """Lay out every venue x start and judge each constraint apart."""
    length = task.duration.total_seconds() / HALF_HOUR
    starts = _starts(task, outlook)
    rows = np.array([venue.region_id - 1 for venue in venues], dtype=int)
    shape = (len(venues), len(starts))

    intensity = outlook.intensity.means(starts, length)[rows]
    synthetic = outlook.synthetic.means(starts, length)[rows]
    market = outlook.price.means(starts, length)[0]
    price = np.array([_own_price(venue, market) for venue in venues], dtype=float).reshape(shape)
    # a MWh's worth, so that the size of a task moves neither the order nor a tie; gCO2/kWh is kg/MWh
    score = task.weight * carbon_value_gbp_kg * intensity
    if task.weight < 1:
        score = score + (1 - task.weight) * price

    begins = in_microseconds(starts)
    waits, ends = (
        begins - in_microseconds(np.array(outlook.position(task.earliest))),
        begins + in_microseconds(np.array(length)),
    )
    latest = int(in_microseconds(np.array(outlook.position(task.deadline))))
    taken_kw = [
        taken[v.key].peaks(outlook.first + starts * HALF_HOUR, task.duration.total_seconds())
        if v.key in taken
        else np.zeros(len(starts))
        for v in venues
    ]
    rules: dict[str, Sequence[Any]] = {
        "regions": [np.full(len(starts), task.regions is None or v.region_id in task.regions) for v in venues],
        "deadline": [ends <= latest for _ in venues],
        "deferral": [waits <= _patience(task, v) for v in venues],
        "forecast": list(~np.isnan(intensity)),
        "opening": [v.is_open(starts, length, outlook) for v in venues],
        "power": [np.full(len(starts), v.capacity_kw >= task.power_kw) for v in venues],
        "carbon_cap": [
            ~(intensity[i] > _least(task.carbon_cap_gco2_kwh, v.carbon_cap_gco2_kwh)) for i, v in enumerate(venues)
        ],
        "price_cap": list(np.full(shape, True) if task.price_cap_gbp_mwh is None else price <= task.price_cap_gbp_mwh),
        "price": list(np.full(shape, True) if task.weight == 1 else ~np.isnan(price)),
        "capacity": [
            (kw < 1e-9) | (kw + task.power_kw <= v.capacity_kw + 1e-7) for kw, v in zip(taken_kw, venues, strict=True)
        ],
    }
    masks = {name: np.array(kept, dtype=bool).reshape(shape) for name, kept in rules.items()}
    at_once = np.array([outlook.position(task.earliest)])
    market_at_once = outlook.price.means(at_once, length)[0]
    return Candidates(
        venues=venues,
        starts=starts,
        intensity=intensity,
        price=price,
        synthetic=synthetic,
        score=score,
        masks=masks,
        baseline=(
            outlook.intensity.means(at_once, length)[rows][:, 0],
            np.array([_own_price(venue, market_at_once)[0] for venue in venues], dtype=float),
        ),
    )


def option(task: Task, laid_out: Candidates, outlook: Outlook, row: int, column: int) -> Option:
    """One candidate in full, but for what it saves."""
    energy_mwh = task.energy_kwh / 1000
    starts_at = outlook.instant(float(laid_out.starts[column]))
    intensity, price = float(laid_out.intensity[row, column]), float(laid_out.price[row, column])
    score = float(laid_out.score[row, column])
    return Option(
        venue=laid_out.venues[row],
        starts_at=starts_at,
        ends_at=starts_at + task.duration,
        mean_gco2_kwh=round(intensity, 3),
        mean_price_gbp_mwh=None if math.isnan(price) else round(price, 3),
        carbon_kg=round(intensity * energy_mwh, 4),
        cost_gbp=None if math.isnan(price) else round(price * energy_mwh, 4),
        synthetic_share=round(float(laid_out.synthetic[row, column]), 4),
        score_gbp=None if math.isnan(score) else round(score * energy_mwh, 6),
        energy_kwh=task.energy_kwh,
        unknown_price=outlook.unknown_price(starts_at, task.duration) if math.isnan(price) else None,
    )


def saving(task: Task, laid_out: Candidates, row: int, column: int) -> dict[str, Any]:
    """What a candidate saves in the same place against a run of the same length and power: carbon (kg, %), cost (GBP).

    Against `now` (the task's earliest start, at once), and the median and the worst of all that end in time.
    """
    energy_mwh = task.energy_kwh / 1000
    in_time = laid_out.masks["deadline"][row] & laid_out.masks["forecast"][row]
    others, prices = laid_out.intensity[row][in_time], laid_out.price[row][in_time]
    carbon, cost = (float(values[row, column]) * energy_mwh for values in (laid_out.intensity, laid_out.price))
    against = {
        "now": (float(laid_out.baseline[0][row]), float(laid_out.baseline[1][row])),
        "median": (_over(np.median, others), _over(np.median, prices)),
        "worst": (_over(np.max, others), _over(np.max, prices)),
    }
    told: dict[str, dict[str, Any]] = {}
    for name, (then, then_price) in against.items():
        saved_gbp = then_price * energy_mwh - cost
        told[f"against_{name}"] = {
            "carbon_kg": None if math.isnan(then) else round(then * energy_mwh - carbon, 4),
            "carbon_pct": None if math.isnan(then) or then == 0 else round(100 * (1 - carbon / (then * energy_mwh)), 1),
            "cost_gbp": None if math.isnan(saved_gbp) else round(saved_gbp, 4),
        }
        if math.isnan(saved_gbp):
            told[f"against_{name}"]["cost_unknown_because"] = _no_cost(cost, name)
    return told


def _no_cost(cost: float, against: str) -> str:
    if math.isnan(cost):
        return "this run has no day-ahead price for each of its half-hours"
    return f"the run it is compared with ({against}) has no day-ahead price for each of its half-hours"


def _own_price(venue: Venue, market: Numbers) -> Numbers:
    own = venue.window.price_gbp_mwh if venue.window else None
    return market if own is None else np.full(market.shape, own)


def _starts(task: Task, outlook: Outlook) -> Numbers:
    """At once, and every half-hour from then on: nothing that waits is chosen where starting at once would be better."""
    earliest = outlook.position(task.earliest)
    spine = np.arange(max(np.ceil(earliest - 1e-10), 0), outlook.half_hours, dtype=float)
    is_on_spine = len(spine) > 0 and abs(spine[0] - earliest) <= 1e-10
    return spine if is_on_spine else np.concatenate([[earliest], spine])


def _patience(task: Task, venue: Venue) -> float:
    """How many microseconds after its earliest start it may begin there."""
    waits = [venue.max_deferral] if venue.max_deferral is not None else []
    if not task.is_deferrable:
        waits.append(timedelta())
    return min((wait / timedelta(microseconds=1) for wait in waits), default=np.inf)


def _least(*caps: float | None) -> float:
    return min((cap for cap in caps if cap is not None), default=np.inf)


def _over(function: Any, values: Numbers) -> float:
    known = values[~np.isnan(values)]
    return float(function(known)) if len(known) else float("nan")
