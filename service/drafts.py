"""A task as it will be placed: what was said of it, and what the table of workload classes fills in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypedDict

from placement.negotiation import Decision
from placement.task import Task
from service import estimate
from service.answers import spelled
from service.problems import Problem
from service.shapes import Interruptible, TaskRequest, default_deadline

GRACE = timedelta(minutes=5)
"""An earliest start that lies back by no more than this is now."""

MOST_CHUNKS = 4
"""Of interruptible work that does not say how many"""

WAITING = (
    "it is kept as pending; each new forecast or price list tries it again; to try at once, "
    "ask POST /workloads/{workload_id}/placement"
)


@dataclass(frozen=True)
class Draft:
    """A task as it will be placed, and the names of what was estimated of it."""

    task: Task
    workload_type: str
    estimated: tuple[str, ...]


def draft(asked: TaskRequest, now: datetime, preferences: Mapping[str, Any] | None = None) -> Draft:
    """Fill in what was left unsaid. Raises Problem 422 where what was said cannot be."""
    typical = estimate.classify(asked.request, asked.workload_type)
    try:
        if asked.power_profile_kw is not None:
            size = estimate.of_profile(asked.power_profile_kw, asked.duration_minutes)
        else:
            size = estimate.size(
                typical, energy_kwh=asked.energy_kwh, power_kw=asked.power_kw, duration_minutes=asked.duration_minutes
            )
    except ValueError as error:
        raise Problem(422, str(error)) from None
    if size.power_kw < 0.001:
        raise Problem(422, "energy_kwh over duration_minutes is less than a watt; give a shorter duration_minutes")
    earliest = asked.earliest_start or now
    if earliest < now - GRACE:
        raise Problem(422, f"earliest_start ({spelled(earliest)}) has passed; leave it out to start now")
    earliest = max(earliest, now)
    duration = timedelta(minutes=round(size.duration.total_seconds() / 60))
    if duration > timedelta(days=7):
        raise Problem(422, "the run would take more than seven days; split it")
    deadline = asked.deadline or default_deadline(earliest, duration, typical.deadline)
    if deadline < earliest + duration:
        raise Problem(
            422,
            f"the deadline ({spelled(deadline)}) is before the soonest end ({spelled(earliest + duration)})",
        )
    weight = asked.carbon_to_cost_weight
    if weight is None:
        kept = (preferences or {}).get("carbon_to_cost_weight", 1.0)
        weight = float(kept) if isinstance(kept, int | float) and 0 <= kept <= 1 else 1.0
    guessed = {
        "workload_type": asked.workload_type is None,
        "deadline": asked.deadline is None,
        "is_deferrable": asked.is_deferrable is None,
    }
    return Draft(
        Task(
            power_kw=round(size.power_kw, 6),
            duration=duration,
            earliest=earliest,
            deadline=deadline,
            weight=round(weight, 3),
            carbon_cap_gco2_kwh=asked.carbon_cap_gco2_kwh,
            price_cap_gbp_mwh=asked.price_cap_gbp_mwh,
            regions=frozenset(asked.region_ids) if asked.region_ids else None,
            is_deferrable=typical.is_deferrable if asked.is_deferrable is None else asked.is_deferrable,
            risk=asked.risk,
            power_profile_kw=tuple(asked.power_profile_kw or ()),
            **chunks_of(asked),
        ),
        typical.workload_type,
        (*size.estimated, *(name for name, is_guess in guessed.items() if is_guess)),
    )


class Chunks(TypedDict):
    """In how many pieces work may run, and how long they are at least; arguments of a Task."""

    max_chunks: int
    min_chunk_minutes: int
    resume_overhead_minutes: int


def chunks_of(asked: Interruptible) -> Chunks:
    """What was asked, with what was left out."""
    most = asked.max_chunks or (MOST_CHUNKS if asked.is_interruptible else 1)
    least = 30 if asked.min_chunk_minutes is None else asked.min_chunk_minutes
    return {
        "max_chunks": most,
        "min_chunk_minutes": least,
        "resume_overhead_minutes": asked.resume_overhead_minutes or 0,
    }


def described(drafted: Draft, decision: Decision) -> dict[str, Any]:
    """What the answer says of a task and where it was placed."""
    task = drafted.task
    placements = [option.as_json() for option in decision.options]
    return {
        "status": "scheduled" if placements else "pending",
        "workload_type": drafted.workload_type,
        "energy_kwh": round(task.energy_kwh, 6),
        "power_kw": task.power_kw,
        "duration_minutes": round(task.duration.total_seconds() / 60),
        "earliest_start": task.earliest,
        "deadline": task.deadline,
        "is_deferrable": task.is_deferrable,
        "risk": task.risk,
        "max_chunks": task.max_chunks,
        "min_chunk_minutes": task.min_chunk_minutes,
        "resume_overhead_minutes": task.resume_overhead_minutes,
        "power_profile_kw": list(task.power_profile_kw) or None,
        "carbon_to_cost_weight": task.weight,
        "estimated": list(drafted.estimated),
        "placement": placements[0] if placements else None,
        "alternatives": placements[1:],
        "unplaced_because": decision.unplaced_because,
        "next_step": None if placements else WAITING,
        "constraints": [bound.as_json() for bound in decision.bound],
        "negotiation": [
            {"agent": said.agent, "stance": said.stance, "reasons": list(said.reasons)} for said in decision.rounds
        ],
    }
