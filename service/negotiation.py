"""How a placement is agreed: energy proposes by carbon, compute answers by assets and capacity, head decides.

Each round looks at what the round before it said, and says what it did and why; each is a row of `app.agent_negotiations`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from service.answers import spelled
from service.outlook import HALF_HOUR, Outlook
from service.placement import BEST, CONSTRAINTS, Candidates, Option, Task, candidates, option, saving
from service.venues import Taken, Venue

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

    def told(self) -> dict[str, Any]:
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


def decide(
    task: Task, venues: Sequence[Venue], outlook: Outlook, taken: Mapping[str, Taken], *, carbon_value_gbp_kg: float
) -> Decision:
    """Place a task, or say which constraint forbids it."""
    laid_out = candidates(task, venues, outlook, taken, carbon_value_gbp_kg=carbon_value_gbp_kg)
    possible = laid_out.possible
    energy, wanted = _energy(task, laid_out, outlook)
    compute = _compute(task, laid_out, outlook, possible, wanted)
    ranked = laid_out.others(possible, laid_out.score, task.duration.total_seconds() / HALF_HOUR)
    options = [replace(option(task, laid_out, outlook, *at), saving=saving(task, laid_out, *at)) for at in ranked]
    bound = _bound(task, laid_out, outlook, options, ranked[0] if ranked else (0, 0))
    because = None if options else _why_not(laid_out, bound)
    return Decision(
        options, bound, (energy, compute, _head(task, options, wanted, laid_out, outlook, because)), because
    )


def _energy(task: Task, laid_out: Candidates, outlook: Outlook) -> tuple[Round, list[tuple[int, int]]]:
    mask = np.ones(laid_out.score.shape, dtype=bool)
    for name in ENERGY_KNOWS:
        mask &= laid_out.masks[name]
    wanted = laid_out.ranked(mask, laid_out.intensity)
    if not wanted:
        return Round(
            "energy", "refused", (), ("no start within the forecast keeps the deadline, regions and caps",)
        ), []
    proposals = [_brief(option(task, laid_out, outlook, *at)) for at in wanted]
    best = proposals[0]
    place = best["region_name"] or f"region {best['region_id']}"
    reason = f"the lowest of {int(mask.sum())} starts: {best['mean_gco2_kwh']} gCO2/kWh in {place}"
    return Round("energy", "proposed", proposals, (reason,)), wanted


def _compute(
    task: Task,
    laid_out: Candidates,
    outlook: Outlook,
    possible: np.ndarray[Any, Any],
    wanted: Sequence[tuple[int, int]],
) -> Round:
    reasons = []
    for at in wanted:
        broken = [name for name, mask in laid_out.masks.items() if not mask[at]]
        place = laid_out.venues[at[0]].name
        reasons.append(f"{place}: {'is free' if not broken else 'not possible by ' + ', '.join(broken)}")
    ranked = laid_out.ranked(possible, laid_out.intensity)
    proposals = [_brief(option(task, laid_out, outlook, *at)) for at in ranked]
    if not ranked:
        return Round("compute", "refused", (), (*reasons, "no venue can take it"))
    if wanted and ranked[0] == wanted[0]:
        return Round("compute", "accepted", proposals, reasons)
    return Round(
        "compute", "countered", proposals, (*reasons, f"the cleanest that is possible: {proposals[0]['venue_name']}")
    )


def _head(
    task: Task,
    options: Sequence[Option],
    wanted: Sequence[tuple[int, int]],
    laid_out: Candidates,
    outlook: Outlook,
    because: str | None,
) -> Round:
    if not options:
        return Round("head", "refused", (), (because or "",))
    best = options[0]
    weighed = {1.0: "carbon alone decides", 0.0: "cost alone decides"}.get(
        task.weight, f"carbon counts {task.weight:g} and cost {1 - task.weight:g}"
    )
    is_first_wish = bool(wanted) and (laid_out.venues[wanted[0][0]].key, outlook.instant(laid_out.starts[wanted[0][1]])) == (
        best.venue.key, best.starts_at,
    )  # fmt: skip
    reason = "as the energy agent proposed" if is_first_wish else "the best of what the compute agent can offer"
    return Round("head", "decided", [_brief(best)], (f"{weighed}: score {best.score_gbp} GBP", reason))


def _brief(found: Option) -> dict[str, Any]:
    told = found.told()
    del told["saving"]
    return {**told, "starts_at": spelled(found.starts_at), "ends_at": spelled(found.ends_at)}


def _bound(
    task: Task, laid_out: Candidates, outlook: Outlook, options: Sequence[Option], best: tuple[int, int]
) -> list[Bound]:
    found = []
    for name in laid_out.masks:
        struck_out = laid_out.struck_out_alone_by(name)
        count = int(struck_out.sum())
        if not count:
            continue
        saves: dict[str, Any] | None = None
        if options:
            ranked = laid_out.ranked(struck_out & ~np.isnan(laid_out.score), laid_out.score, 1)
            other = option(task, laid_out, outlook, *ranked[0]) if ranked else None
            if other is None or laid_out.score[ranked[0]] >= laid_out.score[best] - 1e-9:
                continue  # it struck out nothing better
            costs = (options[0].cost_gbp, other.cost_gbp)
            saves = {
                "carbon_kg": round(options[0].carbon_kg - other.carbon_kg, 4),
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
    struck = {name: int((~mask).sum()) for name, mask in laid_out.masks.items() if not mask.all()}
    if not struck:  # no start at all on the spine
        return f"forecast: {CONSTRAINTS['forecast']}"
    total = laid_out.score.size
    worst = sorted(struck.items(), key=lambda item: -item[1])[:BEST]
    return "; ".join(f"{name}: {CONSTRAINTS[name]} strikes out {count} of {total} candidates" for name, count in worst)
