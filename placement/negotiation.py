"""How a placement is agreed: energy proposes by carbon, compute answers by assets and capacity, head decides.

Each round looks at what the round before it said, and says what it did and why.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from placement.candidates import BEST, Candidates, Place, candidates
from placement.options import Option, option, option_of_split, saving
from placement.outlook import Outlook
from placement.spine import written
from placement.split import splits
from placement.task import BIT, CONSTRAINTS, Task
from placement.venues import NOTHING_TAKEN, Taken, Venue, Venues

# What the energy agent knows of: when and where, not who else is there.
ENERGY_KNOWS = ("regions", "deadline", "forecast", "carbon_cap")


@dataclass(frozen=True)
class Round:
    """What one agent said."""

    agent: str
    stance: str
    proposals: Sequence[Mapping[str, Any]]
    reasons: Sequence[str]


@dataclass(frozen=True)
class Bound:
    """A constraint that struck out candidates which keep every other one."""

    constraint: str
    candidates_struck_out: int
    would_save: Mapping[str, Any] | None
    """carbon (kg) and cost (GBP) that the best of them would save against what was decided; None without a decision"""

    def as_json(self) -> dict[str, Any]:
        """As JSON, with a sentence."""
        words = f"{CONSTRAINTS[self.constraint]} strikes out {self.candidates_struck_out} candidates that keep all the others"
        return {
            "constraint": self.constraint,
            "candidates_struck_out": self.candidates_struck_out,
            "would_save": None if self.would_save is None else dict(self.would_save),
            "in_words": words,
        }


@dataclass(frozen=True)
class Decision:
    """The best options, best first (none: it cannot be placed), which constraints bound, and how it was agreed."""

    options: Sequence[Option]
    bound: Sequence[Bound]
    rounds: Sequence[Round]
    unplaced_because: str | None


class _Described:
    """Options of a decision, each described once; those that are chosen with what they save."""

    def __init__(self, task: Task, laid_out: Candidates, outlook: Outlook, chosen: Sequence[Place]):
        self._of, self._chosen = (task, laid_out, outlook), chosen
        self._found: dict[Place, Option] = {}
        self._briefs: dict[Place, dict[str, Any]] = {}

    def __call__(self, at: Place) -> Option:
        if at not in self._found:
            self._found[at] = option(*self._of, at, self._saving(at) if at in self._chosen else None)
        return self._found[at]

    def _saving(self, at: Place) -> dict[str, Any]:
        task, laid_out, _ = self._of
        energy_mwh = task.energy_kwh / 1000
        return saving(
            task, laid_out, at[0], float(laid_out.intensity[at]) * energy_mwh, laid_out.price_at(at) * energy_mwh
        )

    def brief(self, at: Place) -> dict[str, Any]:
        """`brief` of a candidate."""
        if at not in self._briefs:
            self._briefs[at] = brief(self(at))
        return self._briefs[at]


def brief(found: Option) -> dict[str, Any]:
    """An option as JSON, with instants as text and without what it saves; its chunks only if there are several."""
    summary = found.as_json()
    del summary["saving"]
    if len(found.chunks) > 1:
        summary["chunks"] = [{name: written(at) for name, at in chunk.items()} for chunk in summary["chunks"]]
    else:
        del summary["chunks"]
    summary["starts_at"], summary["ends_at"] = written(summary["starts_at"]), written(summary["ends_at"])
    return summary


def decide(
    task: Task,
    venues: Sequence[Venue] | Venues,
    outlook: Outlook,
    taken: Mapping[str, Taken],
    *,
    carbon_value_gbp_kg: float,
) -> Decision:
    """Place a task, or say which constraint forbids it."""
    laid_out = candidates(task, Venues.of(venues), outlook, taken, carbon_value_gbp_kg=carbon_value_gbp_kg)
    ranked = laid_out.others(task.half_hours)
    described = _Described(task, laid_out, outlook, ranked)
    options = [described(at) for at in ranked]
    if task.max_chunks > 1:
        split = in_chunks(task, laid_out, outlook, taken, carbon_value_gbp_kg=carbon_value_gbp_kg)
        options = _others([*options, *split], task)
    energy, wanted = _energy(laid_out, described)
    compute = _compute(laid_out, described, wanted)
    bound = _bound(laid_out, described, ranked) if ranked or not options else []
    because = None if options else _why_not(laid_out, bound)
    head = _head(task, options, described(wanted[0]) if wanted else None, because)
    return Decision(options, bound, (energy, compute, head), because)


def in_chunks(
    task: Task, laid_out: Candidates, outlook: Outlook, taken: Mapping[str, Taken], *, carbon_value_gbp_kg: float
) -> list[Option]:
    """The best of interruptible work at each venue where several chunks are better than one."""
    if task.max_chunks == 1:
        return []
    found = splits(task, laid_out.venues, outlook, taken, carbon_value_gbp_kg=carbon_value_gbp_kg)
    return [option_of_split(task, laid_out, outlook, split) for split in found if len(split.pieces) > 1]


def _others(options: Sequence[Option], task: Task) -> list[Option]:
    """The best of runs in one piece and in chunks, and the next best that are really others; of equals the one in one piece."""
    chosen: list[Option] = []
    for one in sorted(options, key=lambda o: (math.inf if o.score_gbp is None else o.score_gbp, len(o.chunks))):
        if len(chosen) < BEST and all(
            one.venue.region_id != other.venue.region_id or abs(one.starts_at - other.starts_at) >= task.duration
            for other in chosen
        ):
            chosen.append(one)
    return chosen


def book(taken: dict[str, Taken], option: Option, task: Task) -> None:
    """Add what an option takes to what is taken of its venue."""
    for begins, ends, kw in option.stretches(task.power_kw):
        taken[option.venue.key] = taken.get(option.venue.key, NOTHING_TAKEN).plus(begins, ends, kw)


def _energy(laid_out: Candidates, described: _Described) -> tuple[Round, list[Place]]:
    mask = laid_out.but_for(ENERGY_KNOWS)
    wanted = laid_out.ranked(mask, laid_out.intensity)
    if not wanted:
        return Round(
            "energy", "refused", (), ("no start within the forecast keeps the deadline, regions and caps",)
        ), []
    proposals = [described.brief(at) for at in wanted]
    best = proposals[0]
    place = best["region_name"] or f"region {best['region_id']}"
    reason = f"the lowest of {int(mask.sum())} starts: {best['mean_gco2_kwh']} gCO2/kWh in {place}"
    return Round("energy", "proposed", proposals, (reason,)), wanted


def _compute(laid_out: Candidates, described: _Described, wanted: Sequence[Place]) -> Round:
    reasons = []
    for at in wanted:
        broken = laid_out.breaks(at)
        place = laid_out.venues[at[0]].name
        reasons.append(f"{place}: {'is free' if not broken else 'not possible by ' + ', '.join(broken)}")
    ranked = laid_out.ranked(laid_out.possible, laid_out.intensity)
    proposals = [described.brief(at) for at in ranked]
    if not ranked:
        return Round("compute", "refused", (), (*reasons, "no venue can take it"))
    if wanted and ranked[0] == wanted[0]:
        return Round("compute", "accepted", proposals, reasons)
    return Round(
        "compute", "countered", proposals, (*reasons, f"the cleanest that is possible: {proposals[0]['venue_name']}")
    )


def _head(task: Task, options: Sequence[Option], wanted: Option | None, because: str | None) -> Round:
    if not options:
        return Round("head", "refused", (), (because or "",))
    best = options[0]
    weighed = {1.0: "carbon alone decides", 0.0: "cost alone decides"}.get(
        task.weight, f"carbon counts {task.weight:g} and cost {1 - task.weight:g}"
    )
    is_first_wish = wanted is not None and (wanted.venue.key, wanted.starts_at) == (best.venue.key, best.starts_at)
    reason = "as the energy agent proposed" if is_first_wish else "the best of what the compute agent can offer"
    if len(best.chunks) > 1:
        reason = f"{len(best.chunks)} chunks are better than one piece"
    return Round("head", "decided", [brief(best)], (f"{weighed}: score {best.score_gbp} GBP", reason))


def _bound(laid_out: Candidates, described: _Described, ranked: Sequence[Place]) -> list[Bound]:
    found = []
    for name, count in laid_out.struck_out_alone.items():
        saves: dict[str, Any] | None = None
        if ranked:
            others = laid_out.ranked(laid_out.broken == BIT[name], laid_out.score, 1)
            if not others or laid_out.score[others[0]] >= laid_out.score[ranked[0]] - 1e-9:
                continue  # it struck out nothing better
            best, other = described(ranked[0]), described(others[0])
            costs = (best.cost_gbp, other.cost_gbp)
            saves = {
                "carbon_kg": round(best.carbon_kg - other.carbon_kg, 4),
                "cost_gbp": None if costs[0] is None or costs[1] is None else round(costs[0] - costs[1], 4),
            }
            if None in costs:
                saves["cost_unknown_because"] = "one of the two runs has no day-ahead price for each of its half-hours"
        found.append(Bound(name, count, saves))
    return found


def _why_not(laid_out: Candidates, bound: Sequence[Bound]) -> str:
    if not laid_out.venues:
        return "regions: no active asset or region is left to run it"
    if bound:
        return "; ".join(f"{b.constraint}: but for {CONSTRAINTS[b.constraint]} it could be placed" for b in bound)
    struck = {name: count for name, bit in BIT.items() if (count := int(((laid_out.broken & bit) > 0).sum()))}
    if not struck:  # no start at all on the spine
        return f"forecast: {CONSTRAINTS['forecast']}"
    total = laid_out.score.size
    worst = sorted(struck.items(), key=lambda item: -item[1])[:BEST]
    return "; ".join(f"{name}: {CONSTRAINTS[name]} strikes out {count} of {total} candidates" for name, count in worst)
