"""What a run emitted and cost by what came, and what it would have done otherwise: at once, as first planned, with foresight.

The actuals are an `Outlook` whose spine holds what came; NaN is a half-hour without an actual. Whatever touches one is None:
missing is never zero. Everything is compared for the work that was really done, of the same length and power.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from placement.candidates import Candidates, candidates
from placement.outlook import Outlook, Run
from placement.spine import HALF_HOUR
from placement.split import MOST_EFFORT, effort, splits
from placement.task import Task
from placement.venues import Venues

FORESIGHT_EFFORT = 20 * MOST_EFFORT
"""A search for chunks beyond this is not made: nobody waits for a receipt, but other receipts do"""


class Stretch(NamedTuple):
    """From when until when it draws how much power, kW."""

    starts_at: datetime
    ends_at: datetime
    power_kw: float


@dataclass(frozen=True)
class Site:
    """Where something runs: a region, and what the place itself charges (None: the market's price counts)."""

    region_id: int
    own_price_gbp_mwh: float | None = None


@dataclass(frozen=True)
class Course:
    """How something runs: where, in which pieces, and with which power in them."""

    site: Site
    pieces: tuple[tuple[datetime, datetime], ...]
    stretches: tuple[Stretch, ...]

    @property
    def seconds(self) -> float:
        """How long it runs, without what lies between its pieces."""
        return sum((ends - begins).total_seconds() for begins, ends in self.pieces)

    @property
    def energy_kwh(self) -> float:
        """What it draws."""
        return sum(kw * (ends - begins).total_seconds() / 3600 for begins, ends, kw in self.stretches)


class Amount(NamedTuple):
    """What something emits (kg) and costs (GBP); None where one of its half-hours has no actual."""

    carbon_kg: float | None
    cost_gbp: float | None

    def score_gbp(self, weight: float, carbon_value_gbp_kg: float) -> float | None:
        """weight x carbon x value + (1 - weight) x cost, pounds; None where what counts is not known."""
        if self.carbon_kg is None or (weight < 1 and self.cost_gbp is None):
            return None
        return weight * carbon_value_gbp_kg * self.carbon_kg + (1 - weight) * (self.cost_gbp or 0.0)


NOT_KNOWN = Amount(None, None)


@dataclass(frozen=True)
class Foresight:
    """The best that could have been chosen; without a figure, `because` says why."""

    amount: Amount = NOT_KNOWN
    region_id: int | None = None
    starts_at: datetime | None = None
    because: str | None = None


@dataclass(frozen=True)
class Settled:
    """A run by what came. `work_kwh` is its energy without resumptions: that of a run in one piece."""

    work_kwh: float
    realised: Amount
    at_once: Amount
    at_once_here: Amount
    at_once_elsewhere: Amount
    first_plan: Amount
    foresight: Foresight


def amount(course: Sequence[Stretch], site: Site, actuals: Outlook) -> Amount:
    """Energy x average intensity and x price of each stretch, half-hour by half-hour."""
    carbon = cost = 0.0
    for begins, ends, kw in course:
        length = (ends - begins).total_seconds() / HALF_HOUR
        if kw == 0 or length <= 0:
            continue
        means, mwh = actuals.means_at(actuals.position(begins), Run(length)), kw * length / 2000
        carbon += float(means.intensity[site.region_id - 1, 0]) * mwh
        own = site.own_price_gbp_mwh
        cost += (float(means.price[0, 0]) if own is None else own) * mwh
    return Amount(_known(carbon), _known(cost))


def half_hours(course: Sequence[Stretch], actuals: Outlook) -> list[int]:
    """The half-hours of the spine in which something is drawn; also such that lie beyond it."""
    found: set[int] = set()
    for begins, ends, kw in course:
        if kw > 0 and ends > begins:
            first, last = (actuals.position(at) for at in (begins, ends))
            found.update(range(math.floor(first + 1e-9), math.ceil(last - 1e-9)))
    return sorted(found)


def without(row: int | None, at: Sequence[int], actuals: Outlook) -> int:
    """How many of these half-hours have no actual: of the intensity in a row (region - 1), or of the price (None)."""
    values = actuals.price.values[0] if row is None else actuals.intensity.values[row]
    return sum(not 0 <= one < len(values) or bool(np.isnan(values[one])) for one in at)


def settle(
    task: Task,
    ran: Course,
    first: Course,
    once: Site,
    venues: Venues,
    actuals: Outlook,
    trusted: Outlook,
    *,
    carbon_value_gbp_kg: float,
) -> Settled:
    """A run against the same work at once (at the place `once`), as first planned, and with perfect foresight.

    `task` has the constraints; its deadline is the end of what foresight may look at. Others' bookings are no constraint here.
    What might have been chosen is looked for in `trusted`.
    """
    work = as_it_ran(task, ran)
    laid_out = candidates(work, venues, trusted, {}, carbon_value_gbp_kg=carbon_value_gbp_kg)
    at_once = tuple(in_one_piece(work))
    realised = amount(ran.stretches, ran.site, actuals)
    median = (value * work.energy_kwh / 1000 for value in laid_out.at_once_in_the_median_of_all)
    as_long = lasting(first, work.duration.total_seconds() + _resumption(task) * (len(first.pieces) - 1))
    return Settled(
        work_kwh=work.energy_kwh,
        realised=realised,
        at_once=amount(at_once, once, actuals),
        at_once_here=amount(at_once, ran.site, actuals),
        at_once_elsewhere=Amount(*(_known(value) for value in median)),
        first_plan=amount(as_long, first.site, actuals),
        foresight=_foresight(work, ran, realised, laid_out, trusted, carbon_value_gbp_kg=carbon_value_gbp_kg),
    )


def as_it_ran(task: Task, ran: Course) -> Task:
    """The task of the work that was really done: as long as it took, and within what it took."""
    lengths = ((ends - begins).total_seconds() for begins, ends in ran.pieces)
    seconds = sum(max(0.0, length - (_resumption(task) if at else 0.0)) for at, length in enumerate(lengths))
    profile = task.power_profile_kw
    if profile:  # it goes on at its last power
        length = max(1, math.ceil(seconds / HALF_HOUR - 1e-9))
        profile = (*profile[:length], *[profile[-1]] * (length - len(profile)))
    work = replace(
        task,
        duration=timedelta(seconds=seconds),
        power_profile_kw=profile,
        earliest=min(task.earliest, ran.pieces[0][0]),
        deadline=max(task.deadline, ran.pieces[-1][1]),
    )
    if not profile:
        return work
    return replace(work, power_kw=sum(kw * length for _, length, kw in work.steps()) / seconds)


def in_one_piece(work: Task) -> Iterator[Stretch]:
    """The work from its earliest start on."""
    for after, seconds, kw in work.steps():
        begins = work.earliest + timedelta(seconds=after)
        yield Stretch(begins, begins + timedelta(seconds=seconds), kw)


def lasting(course: Course, seconds: float) -> tuple[Stretch, ...]:
    """A course cut at its end, or gone on with at its last power, so that its pieces last so long."""
    excess = timedelta(seconds=course.seconds - seconds)
    kept = list(course.stretches)
    if kept and excess < timedelta(0):
        last = kept.pop()
        kept.append(last._replace(ends_at=last.ends_at - excess))
    while kept and excess > timedelta(0):
        last = kept.pop()
        if last.ends_at - last.starts_at > excess:
            kept.append(last._replace(ends_at=last.ends_at - excess))
        excess -= last.ends_at - last.starts_at
    return tuple(kept)


def _foresight(
    work: Task, ran: Course, realised: Amount, laid_out: Candidates, actuals: Outlook, *, carbon_value_gbp_kg: float
) -> Foresight:
    if gaps := _gaps(work, laid_out, actuals):
        return Foresight(because=f"{gaps} of the half-hours and regions in which it might have run have no actual")
    if effort(work, laid_out.venues, actuals) > FORESIGHT_EFFORT:
        return Foresight(because="there are too many ways to run it in pieces to try all of them")
    found: list[tuple[float, Foresight]] = []
    mwh = work.energy_kwh / 1000
    for at in laid_out.ranked(laid_out.possible, laid_out.score, 1):
        best = Amount(float(laid_out.intensity[at]) * mwh, _known(laid_out.price_at(at) * mwh))
        starts_at = actuals.instant(float(laid_out.starts[at[1]]))
        found.append((float(laid_out.score[at]) * mwh, Foresight(best, laid_out.venues[at[0]].region_id, starts_at)))
    if work.max_chunks > 1 and work.minutes > 0:
        scale = work.duration / timedelta(minutes=work.minutes)  # pieces are searched by whole minutes
        for split in splits(work, laid_out.venues, actuals, {}, carbon_value_gbp_kg=carbon_value_gbp_kg):
            best = Amount(split.carbon_kg * scale, _known(split.cost_gbp * scale))
            starts_at = actuals.instant(float(split.pieces[0].start))
            where = laid_out.venues[split.row].region_id
            found.append((split.score_gbp * scale, Foresight(best, where, starts_at)))
    own = realised.score_gbp(work.weight, carbon_value_gbp_kg)
    if own is not None and work.carbon_cap_gco2_kwh is None and work.price_cap_gbp_mwh is None:
        # it may have begun between two half-hours, where no candidate begins
        found.append((own, Foresight(realised, ran.site.region_id, ran.pieces[0][0])))
    if not found:
        return Foresight(because="by what came, no start keeps all its constraints")
    return min(found, key=lambda one: one[0])[1]


def _gaps(work: Task, laid_out: Candidates, actuals: Outlook) -> int:
    """Half-hours (of each region in which it might run, and of prices where they count) without an actual."""
    first, last = actuals.position(work.earliest), actuals.position(work.deadline)
    at = range(math.floor(first + 1e-9), math.ceil(last - 1e-9))
    venues = [venue for venue in laid_out.venues if work.regions is None or venue.region_id in work.regions]
    gaps = sum(without(region_id - 1, at, actuals) for region_id in {venue.region_id for venue in venues})
    if work.weight < 1 and any(venue.window is None or venue.window.price_gbp_mwh is None for venue in venues):
        gaps += without(None, at, actuals)
    return gaps


def _resumption(task: Task) -> float:
    """Seconds without work at the beginning of each piece but the first."""
    return 60.0 * task.resume_overhead_minutes


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
