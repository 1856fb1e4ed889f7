"""What a plan searches, from workloads, venues, outlook and bookings: every candidate of each, and what others leave."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from placement.candidates import candidates
from placement.ledger import Ledger, Wanted
from placement.outlook import Outlook
from placement.spine import HALF_HOUR, Numbers
from placement.venues import Taken, Venues


def ledger_of(
    wanted: Sequence[Wanted],
    venues: Venues,
    outlook: Outlook,
    bookings: Mapping[str, Taken],
    *,
    carbon_value_gbp_kg: float,
) -> Ledger:
    """Every candidate of each, but for what others have taken; that is `left`."""
    half_hours, count = outlook.half_hours, len(wanted)
    rows = {venue.key: row for row, venue in enumerate(venues)}
    classes: dict[Any, int] = {}
    at_once: dict[Any, Numbers] = {}
    worth, length = list[Numbers](), list[int]()
    of_class, earliest, past = (np.zeros(count, dtype=np.int64) for _ in range(3))
    once, once_span = np.full((count, len(venues)), np.inf), np.zeros((count, 2), dtype=np.int64)
    for number, one in enumerate(wanted):
        task = one.task
        start = outlook.position(task.earliest)
        first = min(max(int(np.ceil(start - 1e-10)), 0), half_hours)
        waits = venues.patience is not None or not task.is_deferrable
        fits = tuple(venues.capacity_kw >= task.peak_kw)
        same = replace(
            task,
            power_kw=1.0,
            power_profile_kw=(),
            duration=task.duration,
            earliest=outlook.begins,
            deadline=outlook.begins,
        )
        key = (same, task.run, task.peak_kw / task.power_kw, one.among, fits, start if waits else None)
        if key not in classes:
            classes[key] = len(worth)
            laid = candidates(
                task if waits else replace(task, earliest=outlook.begins), venues, outlook, {},
                carbon_value_gbp_kg=carbon_value_gbp_kg,
            )  # fmt: skip
            kept = laid.but_for((*WITHOUT_TIME, "deferral") if waits else WITHOUT_TIME)
            pounds = np.where(kept, laid.score, np.inf)
            if one.among is not None:
                pounds[[row for venue, row in rows.items() if venue not in one.among]] = np.inf
            this = np.full((len(venues), half_hours), np.inf)
            if columns := half_hours - first if waits else half_hours:
                this[:, half_hours - columns :] = pounds[:, pounds.shape[1] - columns :]
            worth.append(this)
            length.append(max(1, int(np.ceil(task.half_hours - 1e-9))))
        of_class[number], earliest[number] = classes[key], first
        last = outlook.position(task.deadline) - task.half_hours
        past[number] = min(max(int(np.floor(last + 1e-10)) + 1, first), half_hours)
        if abs(first - start) > 1e-10 and 0 <= start < half_hours and last >= start - 1e-10:
            when = (key, start)
            if when not in at_once:
                laid = candidates(task, venues, outlook, {}, carbon_value_gbp_kg=carbon_value_gbp_kg)
                free = (
                    (laid.but_for((*WITHOUT_TIME, "deferral"))[:, 0])
                    if laid.starts.size
                    else np.zeros(len(venues), bool)
                )
                if one.among is not None:
                    free = free & np.array([venue.key in one.among for venue in venues])
                at_once[when] = (
                    np.where(free, laid.score[:, 0], np.inf) if laid.starts.size else np.full(len(venues), np.inf)
                )
            once[number] = at_once[when] * (task.energy_kwh / 1000)
            ends = int(np.ceil(start + task.half_hours - 1e-9))
            once_span[number] = int(np.floor(start)), min(ends, half_hours)
    return Ledger(
        worth=np.array(worth).reshape(len(worth), len(venues), half_hours),
        length=np.array(length, dtype=np.int64),
        of_class=of_class,
        energy_mwh=np.array([one.task.energy_kwh / 1000 for one in wanted]),
        power=np.array([one.task.peak_kw for one in wanted]),
        earliest=earliest,
        past=past,
        moves=np.array([one.move_gbp if one.held is not None else 0.0 for one in wanted]),
        once=once,
        once_span=once_span,
        held=[_held(one, rows, outlook) for one in wanted],
        left=_left(venues, outlook, bookings),
    )


WITHOUT_TIME = ("regions", "forecast", "opening", "power", "carbon_cap", "price_cap", "price")
"""Constraints that look at a run, whatever it is called"""


def _held(one: Wanted, rows: Mapping[str, int], outlook: Outlook) -> tuple[int, int, int, float] | None:
    if one.held is None or one.held.venue not in rows:
        return None
    first = int(np.floor(outlook.position(one.held.runs[0][0]) + 1e-9))
    past = int(np.ceil(outlook.position(one.held.runs[-1][1]) - 1e-9))
    first, past = (min(max(at, 0), outlook.half_hours) for at in (first, past))
    return rows[one.held.venue], first, past, one.held.score_gbp


def _left(venues: Venues, outlook: Outlook, bookings: Mapping[str, Taken]) -> Numbers:
    found = np.repeat(venues.capacity_kw[:, None], outlook.half_hours, axis=1)
    starts = outlook.first + HALF_HOUR * np.arange(outlook.half_hours, dtype=float)
    for row, venue in enumerate(venues):
        if (booked := bookings.get(venue.key)) is not None:
            found[row] -= booked.peaks(starts, float(HALF_HOUR))
    return np.maximum(np.where(np.isfinite(found), found, 1e12), 0.0)
