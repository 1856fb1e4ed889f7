"""One candidate in full: when and where, what it emits and costs, and what it saves."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from placement import prices
from placement.candidates import Candidates, Place
from placement.chunks import Split
from placement.outlook import Outlook
from placement.task import Task
from placement.venues import Venue
from warehouse.periods import HALF_HOUR


@dataclass(frozen=True)
class Chunk:
    """From when until when it runs, and its power in each half-hour from its start, kW; none: it is constant."""

    starts_at: datetime
    ends_at: datetime
    profile_kw: tuple[float, ...] = ()


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
    """against now, the median and the worst start in the same place, and by the place; only of what is answered"""
    chunks: tuple[Chunk, ...] = ()
    """its pieces, in the order of time"""

    def stretches(self, power_kw: float) -> Iterator[tuple[datetime, datetime, float]]:
        """From when until when it draws how much power, kW; `power_kw` where that is constant."""
        for chunk in self.chunks:
            if not chunk.profile_kw:
                yield chunk.starts_at, chunk.ends_at, power_kw
            for number, kw in enumerate(chunk.profile_kw):
                begins = chunk.starts_at + number * HALF_HOUR
                yield begins, min(begins + HALF_HOUR, chunk.ends_at), kw

    def as_json(self) -> dict[str, Any]:
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
            "chunks": [{"starts_at": chunk.starts_at, "ends_at": chunk.ends_at} for chunk in self.chunks],
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


def option(
    task: Task, laid_out: Candidates, outlook: Outlook, at: Place, saved: Mapping[str, Any] | None = None
) -> Option:
    """One candidate in full; `saved` is what it saves, where that is wanted."""
    energy_mwh = task.energy_kwh / 1000
    starts_at = outlook.instant(float(laid_out.starts[at[1]]))
    intensity, price, score = float(laid_out.intensity[at]), laid_out.price_at(at), float(laid_out.score[at])
    is_priced = not math.isnan(price)
    return Option(
        venue=laid_out.venues[at[0]],
        starts_at=starts_at,
        ends_at=starts_at + task.duration,
        mean_gco2_kwh=round(intensity, 3),
        mean_price_gbp_mwh=round(price, 3) if is_priced else None,
        carbon_kg=round(intensity * energy_mwh, 4),
        cost_gbp=round(price * energy_mwh, 4) if is_priced else None,
        synthetic_share=round(float(laid_out.synthetic[at]), 4),
        score_gbp=None if math.isnan(score) else round(score * energy_mwh, 6),
        energy_kwh=task.energy_kwh,
        unknown_price=None if is_priced else outlook.unknown_price(starts_at, task.duration),
        saving=saved or {},
        chunks=(Chunk(starts_at, starts_at + task.duration, task.power_profile_kw),),
    )


def option_of_split(task: Task, laid_out: Candidates, outlook: Outlook, split: Split) -> Option:
    """Work in chunks in full, with what it saves."""
    chunks = tuple(
        Chunk(
            starts_at := outlook.instant(piece.start),
            starts_at + timedelta(minutes=piece.minutes),
            piece.power_kw if task.power_profile_kw else (),
        )
        for piece in split.pieces
    )
    is_priced = not math.isnan(split.cost_gbp)
    energy_mwh = split.energy_kwh / 1000
    length = chunks[-1].ends_at - chunks[0].starts_at
    return Option(
        venue=laid_out.venues[split.row],
        starts_at=chunks[0].starts_at,
        ends_at=chunks[-1].ends_at,
        mean_gco2_kwh=round(split.carbon_kg / energy_mwh, 3),
        mean_price_gbp_mwh=round(split.cost_gbp / energy_mwh, 3) if is_priced else None,
        carbon_kg=round(split.carbon_kg, 4),
        cost_gbp=round(split.cost_gbp, 4) if is_priced else None,
        synthetic_share=round(split.synthetic_share, 4),
        score_gbp=round(split.score_gbp, 6),
        energy_kwh=split.energy_kwh,
        unknown_price=None if is_priced else outlook.unknown_price(chunks[0].starts_at, length),
        saving=saving(task, laid_out, split.row, split.carbon_kg, split.cost_gbp),
        chunks=chunks,
    )


def saving(task: Task, laid_out: Candidates, row: int, carbon: float, cost: float) -> dict[str, Any]:
    """What a run that emits so much (kg) and costs so much (GBP, NaN if unknown) saves: carbon (kg, %), cost (GBP).

    In the same place, by its time: against a run in one piece of the same length and power that starts `now` (at the task's
    earliest start), and the median and the worst of all that end in time. `by_place` is what starting now there saves against
    starting now in the median of the places where it might run: the two are never one figure.
    """
    energy_mwh = task.energy_kwh / 1000
    now = float(laid_out.at_once.intensity[row, 0]), float(laid_out.at_once.price[row, 0])
    savings = {
        f"against_{name}": _against(then[0] * energy_mwh, then[1] * energy_mwh, carbon, cost, name)
        for name, then in {"now": now, **laid_out.compared_with(row)}.items()
    }
    median, median_price = (value * energy_mwh for value in laid_out.at_once_in_the_median)
    savings["by_place"] = _against(median, median_price, now[0] * energy_mwh, now[1] * energy_mwh, "elsewhere")
    return savings


def _against(then: float, then_gbp: float, carbon: float, cost: float, name: str) -> dict[str, Any]:
    saved, saved_gbp = then - carbon, then_gbp - cost
    is_known, is_priced = saved == saved, saved_gbp == saved_gbp  # NaN is no number, not even its own
    savings: dict[str, Any] = {
        "carbon_kg": round(saved, 4) if is_known else None,
        "carbon_pct": round(100 * (1 - carbon / then), 1) if is_known and then else None,
        "cost_gbp": round(saved_gbp, 4) if is_priced else None,
    }
    if not is_priced:
        savings["cost_unknown_because"] = (
            "this run has no day-ahead price for each of its half-hours"
            if math.isnan(cost)
            else f"the run it is compared with ({name}) has no day-ahead price for each of its half-hours"
        )
    return savings
