"""The decision: every venue x start is a candidate; constraints strike out; the score ranks what is left.

Pure arithmetic over an `Outlook`: the same input gives the same answer. score = weight x carbon_kg x carbon value (GBP/kg) +
(1 - weight) x cost_gbp, in pounds; ties go to the earlier start, then to the order of the venues.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.outlook import HALF_HOUR, Numbers, Outlook
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
    score_gbp: float
    saving: Mapping[str, Any]

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "venue": self.venue.key,
            "venue_name": self.venue.name,
            "region_id": self.venue.region_id,
            "starts_at": self.starts_at,
            "ends_at": self.ends_at,
            "mean_gco2_kwh": self.mean_gco2_kwh,
            "carbon_kg": self.carbon_kg,
            "mean_price_gbp_mwh": self.mean_price_gbp_mwh,
            "cost_gbp": self.cost_gbp,
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
    by_carbon: Numbers
    masks: Mapping[str, Mask]
    baseline: tuple[Numbers, Numbers]
    """intensity and price of each venue, were the run to start at `earliest`"""

    @property
    def possible(self) -> Mask:
        """Candidates that keep every constraint."""
        return self.keeping()

    def keeping(self, *, without: str | None = None) -> Mask:
        """Candidates that keep every constraint, one left out of account."""
        kept = np.ones(self.score.shape, dtype=bool)
        for name, mask in self.masks.items():
            if name != without:
                kept &= mask
        return kept

    def ranked(self, mask: Mask, by: Numbers, most: int = BEST) -> list[tuple[int, int]]:
        """The best of a mask as (venue, start), by a score."""
        rows, columns = np.nonzero(mask)
        order = np.lexsort((rows, self.starts[columns], np.round(by[rows, columns], 9)))[:most]
        return [(int(rows[i]), int(columns[i])) for i in order]


def candidates(
    task: Task, venues: Sequence[Venue], outlook: Outlook, taken: Mapping[str, Taken], *, carbon_value_gbp_kg: float
) -> Candidates:
    """Lay out every venue x start and judge each constraint apart."""
    length = task.duration.total_seconds() / HALF_HOUR
    earliest = outlook.position(task.earliest)
    spine = np.arange(max(np.ceil(earliest - 1e-9), 0), outlook.half_hours, dtype=float)
    # a workload that cannot wait begins at once, between two half-hours too
    starts = spine if task.is_deferrable else np.unique(np.concatenate([[earliest], spine]))
    rows = np.array([venue.region_id - 1 for venue in venues], dtype=int)

    intensity = outlook.intensity.means(starts, length)[rows]
    synthetic = outlook.synthetic.means(starts, length)[rows]
    market = outlook.price.means(starts, length)[0]
    price = np.array([_own_price(venue, market) for venue in venues]).reshape(len(venues), len(starts))
    energy_mwh = task.energy_kwh / 1000
    carbon, cost = intensity * energy_mwh, price * energy_mwh  # gCO2/kWh is kg/MWh
    by_carbon = np.where(np.isnan(carbon), np.inf, carbon)
    score = np.where(task.weight > 0, task.weight * carbon_value_gbp_kg * carbon, 0.0)
    if task.weight < 1:
        score = score + (1 - task.weight) * cost
    score = np.where(np.isnan(carbon) | np.isnan(score), np.inf, score)

    shape = (len(venues), len(starts))
    ends = outlook.first + (starts + length) * HALF_HOUR
    masks: dict[str, Mask] = {
        "regions": _each(venues, lambda v: task.regions is None or v.region_id in task.regions, shape),
        "deadline": np.broadcast_to(ends <= task.deadline.timestamp() + 1e-6, shape),
        "deferral": np.array(
            [
                (starts - earliest) * HALF_HOUR
                <= min(v.max_deferral.total_seconds() if v.max_deferral is not None else np.inf, _patience(task)) + 1e-6
                for v in venues
            ]
        ).reshape(shape),
        "forecast": np.isfinite(by_carbon),
        "opening": np.array([v.is_open(starts, length, outlook) for v in venues]).reshape(shape),
        "power": _each(venues, lambda v: v.capacity_kw >= task.power_kw, shape),
        "carbon_cap": np.array(
            [~(intensity[i] > _least(task.carbon_cap_gco2_kwh, v.carbon_cap_gco2_kwh)) for i, v in enumerate(venues)]
        ).reshape(shape),
        "price_cap": np.ones(shape, dtype=bool) if task.price_cap_gbp_mwh is None else price <= task.price_cap_gbp_mwh,
        "price": np.isfinite(price) if task.weight < 1 else np.ones(shape, dtype=bool),
        "capacity": np.array(
            [
                taken[v.key].peaks(outlook.first + starts * HALF_HOUR, length * HALF_HOUR) + task.power_kw
                <= v.capacity_kw + 1e-6
                if v.key in taken
                else np.ones(len(starts), dtype=bool)
                for v in venues
            ]
        ).reshape(shape),
    }
    at_once = np.array([earliest])
    market_at_once = outlook.price.means(at_once, length)[0]
    return Candidates(
        venues=venues,
        starts=starts,
        intensity=intensity,
        price=price,
        synthetic=synthetic,
        score=score,
        by_carbon=by_carbon,
        masks=masks,
        baseline=(
            outlook.intensity.means(at_once, length)[rows][:, 0],
            np.array([_own_price(venue, market_at_once)[0] for venue in venues]),
        ),
    )


def option(task: Task, laid_out: Candidates, outlook: Outlook, row: int, column: int) -> Option:
    """One candidate in full, with its saving against now, the median and the worst start in the same place."""
    energy_mwh = task.energy_kwh / 1000
    starts_at = datetime.fromtimestamp(outlook.first + float(laid_out.starts[column]) * HALF_HOUR, UTC)
    if not task.is_deferrable and starts_at < task.earliest + timedelta(seconds=1):
        starts_at = task.earliest  # not a float's rounding of it
    carbon = float(laid_out.intensity[row, column]) * energy_mwh
    price = float(laid_out.price[row, column])
    cost = None if np.isnan(price) else price * energy_mwh
    in_time = laid_out.masks["deadline"][row] & laid_out.masks["forecast"][row]
    others, prices = laid_out.intensity[row][in_time], laid_out.price[row][in_time]
    against = {
        "now": (float(laid_out.baseline[0][row]), float(laid_out.baseline[1][row])),
        "median": (float(np.median(others)), _over(np.nanmedian, prices)),
        "worst": (float(others.max()), _over(np.nanmax, prices)),
    }
    return Option(
        venue=laid_out.venues[row],
        starts_at=starts_at,
        ends_at=starts_at + task.duration,
        mean_gco2_kwh=round(float(laid_out.intensity[row, column]), 3),
        mean_price_gbp_mwh=None if np.isnan(price) else round(price, 3),
        carbon_kg=round(carbon, 4),
        cost_gbp=None if cost is None else round(cost, 4),
        synthetic_share=round(float(laid_out.synthetic[row, column]), 4),
        score_gbp=round(float(laid_out.score[row, column]), 6),
        saving={
            f"against_{name}": {
                "carbon_kg": None if np.isnan(then) else round(then * energy_mwh - carbon, 4),
                "carbon_pct": None
                if np.isnan(then) or then == 0
                else round(100 * (1 - carbon / (then * energy_mwh)), 1),
                "cost_gbp": None if cost is None or np.isnan(then_price) else round(then_price * energy_mwh - cost, 4),
            }
            for name, (then, then_price) in against.items()
        },
    )


def _own_price(venue: Venue, market: Numbers) -> Numbers:
    own = venue.window.price_gbp_mwh if venue.window else None
    return market if own is None else np.full(market.shape, own)


def _each(venues: Sequence[Venue], keeps: Any, shape: tuple[int, int]) -> Mask:
    return np.broadcast_to(np.array([keeps(venue) for venue in venues], dtype=bool).reshape(-1, 1), shape)


def _patience(task: Task) -> float:
    return np.inf if task.is_deferrable else 0.0


def _least(*caps: float | None) -> float:
    return min((cap for cap in caps if cap is not None), default=np.inf)


def _over(function: Any, values: Numbers) -> float:
    return float(function(values)) if not np.isnan(values).all() else float("nan")
