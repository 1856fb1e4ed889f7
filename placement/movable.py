"""What a new plan may move, from rows as `warehouse.plans` selects them; and what it changes, as rows again."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np

from placement.ledger import Held, Wanted
from placement.options import Option
from placement.outlook import Outlook, Run, score
from placement.plan import Plan, plan
from placement.task import Task
from placement.venues import Taken, Venue, Venues
from warehouse.periods import HALF_HOUR


@dataclass(frozen=True)
class Threshold:
    """A move gains at least so many pounds of the score, and so many per cent of what the place costs now."""

    gain_gbp: float
    gain_pct: float

    def of(self, score_gbp: float) -> float:
        """What a move must gain, pounds."""
        return max(self.gain_gbp, self.gain_pct / 100 * abs(score_gbp), 1e-9)


@dataclass(frozen=True)
class Movable:
    """Workloads that may be placed or moved, and the bookings of all others."""

    wanted: Sequence[Wanted]
    bookings: Mapping[str, Taken]
    rows: Mapping[UUID, Mapping[str, Any]]


def movable(
    rows: Sequence[Mapping[str, Any]],
    taken: Iterable[Mapping[str, Any]],
    venues: Venues,
    outlook: Outlook,
    now: datetime,
    threshold: Threshold,
    *,
    carbon_value_gbp_kg: float,
) -> Movable:
    """What may be moved at this instant: not what is pinned, frozen or about to start, nor what can no longer meet its deadline.

    A placement beyond the forecast stays as it is: what it costs is not known.
    """
    by_key = {venue.key: venue for venue in venues}
    wanted: list[Wanted] = []
    chosen: dict[UUID, Mapping[str, Any]] = {}
    for row in rows:
        task = task_of(row, earliest=max(row["earliest_start"], now))
        if task.earliest + task.duration > task.deadline:
            continue
        held = None
        if row["placement_id"] is not None:
            frozen = timedelta(minutes=row["freeze_minutes"])
            venue = by_key.get(row["venue"])
            if row["is_pinned"] or row["starts_at"] <= now + frozen or venue is None:
                continue
            held = held_of(row, task, venue, outlook, carbon_value_gbp_kg=carbon_value_gbp_kg)
            if held is None:
                continue
        among = None if row["asset_id"] is None else frozenset({f"asset:{row['asset_id']}"})
        moves = 0.0 if held is None else threshold.of(held.score_gbp)
        wanted.append(Wanted(row["workload_id"], task, held, moves, among))
        chosen[row["workload_id"]] = row
    return Movable(wanted, _of_others(taken, chosen.values()), chosen)


def task_of(row: Mapping[str, Any], *, earliest: datetime) -> Task:
    """The task of a workload."""
    return Task(
        power_kw=float(row["power_kw"]),
        duration=timedelta(minutes=row["duration_minutes"]),
        earliest=earliest,
        deadline=row["deadline"],
        weight=float(row["carbon_to_cost_weight"]),
        carbon_cap_gco2_kwh=_number(row["carbon_cap_gco2_kwh"]),
        price_cap_gbp_mwh=_number(row["price_cap_gbp_mwh"]),
        regions=frozenset(row["region_ids"]) if row["region_ids"] else None,
        is_deferrable=row["is_deferrable"],
        risk=row["risk"],
        power_profile_kw=tuple(float(kw) for kw in row["power_profile_kw"] or ()),
        max_chunks=row["max_chunks"],
        min_chunk_minutes=row["min_chunk_minutes"],
        resume_overhead_minutes=row["resume_overhead_minutes"],
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def held_of(
    row: Mapping[str, Any], task: Task, venue: Venue, outlook: Outlook, *, carbon_value_gbp_kg: float
) -> Held | None:
    """Where a workload is placed, and what that costs by what is known now; None where that is not known."""
    outlook = outlook.seen_by(task.risk)
    runs, total = [], 0.0
    for begins, ends, kw in stretches(row):
        length = (ends - begins) / HALF_HOUR
        means = outlook.means_at(outlook.position(begins), Run(length))
        own = venue.window.price_gbp_mwh if venue.window is not None else None
        price = means.price if own is None else np.full((1, 1), own)
        worth = score(means.intensity[[venue.region_id - 1]], price, task.weight, carbon_value_gbp_kg)[0, 0]
        total += float(worth) * kw * length / 2000
        runs.append((begins, ends))
    return None if np.isnan(total) or not runs else Held(venue.key, tuple(runs), total)


def stretches(row: Mapping[str, Any]) -> list[tuple[datetime, datetime, float]]:
    """From when until when a placement draws how much power, kW."""
    return [(step["starts_at"], step["ends_at"], float(step["power_kw"])) for step in row["steps"] or ()]


def _of_others(taken: Iterable[Mapping[str, Any]], rows: Iterable[Mapping[str, Any]]) -> dict[str, Taken]:
    """What is taken by all but these."""
    changes: dict[str, dict[float, float]] = {}
    for step in taken:
        of_venue = changes.setdefault(step["venue"], {})
        of_venue[step["instant"]] = of_venue.get(step["instant"], 0.0) + step["change_kw"]
    for row in rows:
        for begins, ends, kw in stretches(row) if row["placement_id"] is not None else ():
            of_venue = changes.setdefault(row["venue"], {})
            for instant, change in ((begins.timestamp(), -kw), (ends.timestamp(), kw)):
                of_venue[instant] = of_venue.get(instant, 0.0) + change
    found = {}
    for venue, of_venue in changes.items():
        instants = sorted(of_venue)
        found[venue] = Taken(np.array(instants), np.round(np.cumsum([of_venue[at] for at in instants]), 6))
    return found


@dataclass(frozen=True)
class Anew:
    """A plan of what may be moved, and the placements that it makes."""

    plan: Plan
    moves: Sequence[dict[str, Any]]

    @property
    def moved(self) -> int:
        """How many give up a place for a better one."""
        return sum(move["replaces"] is not None for move in self.moves)

    @property
    def gain_gbp(self) -> float:
        """What the moves promise, in pounds of the score."""
        return float(round(sum(move["gain_gbp"] or 0.0 for move in self.moves), 6))


def plan_anew(
    rows: Sequence[Mapping[str, Any]],
    venues: Venues,
    outlook: Outlook,
    now: datetime,
    threshold: Threshold,
    taken: Callable[[Sequence[str], datetime, datetime], Iterable[Mapping[str, Any]]],
    *,
    carbon_value_gbp_kg: float,
) -> Anew:
    """Plan the workloads of an operator. `taken` gives rows of `warehouse.known.TAKEN` for venues between two instants."""
    steps = taken([venue.key for venue in venues], outlook.begins, outlook.instant(outlook.half_hours))
    value = {"carbon_value_gbp_kg": carbon_value_gbp_kg}
    among = movable(rows, steps, venues, outlook, now, threshold, **value)
    found = plan(among.wanted, venues, outlook, among.bookings, **value)
    return Anew(found, moves_of(found, among, outlook))


def moves_of(made: Plan, among: Movable, outlook: Outlook) -> list[dict[str, Any]]:
    """The placements that a plan makes, as rows of `app.workload_placements`, each with its chunks."""
    return [
        _move(among.rows[one.key], one.option, one.gain_gbp, outlook) for one in made.planned if one.option is not None
    ]


def _move(row: Mapping[str, Any], option: Option, gain_gbp: float, outlook: Outlook) -> dict[str, Any]:
    was_placed = row["placement_id"] is not None
    cost_then, carbon_then = (_number(row[name]) for name in ("cost_gbp", "carbon_kg"))
    pieces = option.chunks
    energy = float(row["energy_kwh"]) if len(pieces) == 1 else round(option.energy_kwh, 6)
    return {
        "workload_id": row["workload_id"],
        "operator_id": row["operator_id"],
        "venue": option.venue.key,
        "asset_id": option.venue.asset_id,
        "region_id": option.venue.region_id,
        "window_id": option.venue.window.window_id if option.venue.window else None,
        "starts_at": option.starts_at,
        "ends_at": option.ends_at,
        "power_kw": row["power_kw"],
        "energy_kwh": energy,
        "capacity_kw": option.venue.capacity_kw,
        "mean_intensity_gco2_kwh": option.mean_gco2_kwh,
        "mean_price_gbp_mwh": option.mean_price_gbp_mwh,
        "carbon_kg": option.carbon_kg,
        "cost_gbp": option.cost_gbp,
        "synthetic_share": option.synthetic_share,
        "known_at": outlook.known_at,
        "chunks": len(pieces),
        "power_profile_kw": list(pieces[0].profile_kw) or None if len(pieces) == 1 else None,
        "reason": "replanned" if was_placed else "tried again",
        "replaces": row["placement_id"],
        "gain_gbp": round(gain_gbp, 6) if was_placed else None,
        "gain_carbon_kg": None if carbon_then is None else round(carbon_then - option.carbon_kg, 4),
        "gain_cost_gbp": None
        if cost_then is None or option.cost_gbp is None
        else round(cost_then - option.cost_gbp, 4),
        "pieces": [
            {
                "starts_at": piece.starts_at,
                "ends_at": piece.ends_at,
                "power_kw": max(piece.profile_kw, default=float(row["power_kw"])),
                "profile_kw": list(piece.profile_kw) or None,
            }
            for piece in pieces
        ]
        if len(pieces) > 1
        else [],
    }
