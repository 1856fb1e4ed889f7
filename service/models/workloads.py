"""Workloads: what a submission is answered, and how a workload stands."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from placement.outlook import Risk
from service.models.common import Age, Answer, Piece
from service.models.problems import ProblemDetails
from service.shapes import Priority, Status, WorkloadType


class AgainstBaseline(Answer):
    """What a placement saves against another start of the same length, power and place."""

    carbon_kg: float | None
    carbon_pct: float | None
    cost_gbp: float | None
    cost_unknown_because: str | None = Field(None, description="Missing where the cost is known.")


class Saving(Answer):
    """What a placement saves by its time, in the same place, and by its place; the two are never one figure."""

    against_now: AgainstBaseline | None = None
    against_median: AgainstBaseline | None = None
    against_worst: AgainstBaseline | None = None
    by_place: AgainstBaseline | None = Field(
        None, description="Starting now there, against starting now in the median of the places where it might run."
    )


class PlacementOption(Answer):
    """A time and place that is possible."""

    venue: str
    venue_name: str
    region_id: int
    region_name: str | None
    starts_at: datetime
    ends_at: datetime
    chunks: list[Piece]
    mean_gco2_kwh: float
    carbon_kg: float
    mean_price_gbp_mwh: float | None
    cost_gbp: float | None
    cost_unknown_because: str | None
    cost_estimate_gbp: float | None
    cost_estimate_error_gbp: float | None
    estimate_basis: str | None
    synthetic_share: float
    score_gbp: float | None
    saving: Saving | None = None


class PlacedPiece(Piece):
    """A piece of a placement, and when it really ran."""

    started_at: datetime | None = Field(None, description="When its runner said that it started; null: not reported.")
    stopped_at: datetime | None = Field(
        None, description="When it stopped, or its workload ended; null: it runs, or nobody said."
    )


class Placement(Answer):
    """Where and when a workload is placed, as it was decided."""

    placement_id: UUID
    workload_id: UUID
    operator_id: UUID
    venue: str
    asset_id: UUID | None
    region_id: int
    region_name: str | None
    window_id: str | None
    starts_at: datetime
    ends_at: datetime
    chunks: list[PlacedPiece]
    power_profile_kw: list[float] | None = Field(description="Power in each half-hour of a run whose power varies.")
    power_kw: float
    capacity_kw: float
    energy_kwh: float
    mean_intensity_gco2_kwh: float
    mean_price_gbp_mwh: float | None
    carbon_kg: float
    cost_gbp: float | None
    cost_unknown_because: str | None
    cost_estimate_gbp: float | None = Field(
        None, description="By what is known now, if no price was known when it was placed."
    )
    cost_estimate_error_gbp: float | None = None
    estimate_basis: str | None = None
    synthetic_share: float
    known_at: datetime
    placed_at: datetime
    released_at: datetime | None
    reason: str = Field(description="Why it was placed so: submitted, asked, replanned, tried again, returned.")
    replaces: UUID | None = Field(description="The placement that it superseded.")
    gain_gbp: float | None = Field(description="What the move promised, in pounds of the score.")
    gain_carbon_kg: float | None
    gain_cost_gbp: float | None
    gain_cost_unknown_because: str | None = Field(None, description="Missing if it is known.")


class Understood(Answer):
    """What was read from the words of a request, and what was not."""

    in_words: str
    from_words: list[dict[str, Any]]
    estimated: list[str]
    not_understood: list[Any]
    contradictions: list[Any]
    places: list[dict[str, Any]] = Field([], description="Which region each place is in, and why.")


class SubmittedUser(Answer):
    """Whose a workload is."""

    tracked: bool
    user_id: UUID | None = None
    is_new: bool | None = None
    reason: str | None = Field(None, description="Why nobody is tracked.")


class Constraint(Answer):
    """A limit that cost something."""

    constraint: str
    candidates_struck_out: int
    would_save: dict[str, Any] | None
    in_words: str


class NegotiationRound(Answer):
    """What an agent said."""

    agent: str
    stance: str
    reasons: list[str]


class Submitted(Answer):
    """`POST /submit_task`: a workload that was accepted, and where and when it is placed."""

    understood: Understood
    workload_id: UUID
    operator_id: UUID
    placement_id: UUID | None
    user: SubmittedUser
    status: Status
    workload_type: WorkloadType
    energy_kwh: float
    power_kw: float
    duration_minutes: int
    earliest_start: datetime
    deadline: datetime
    is_deferrable: bool
    risk: Risk
    max_chunks: int
    min_chunk_minutes: int
    resume_overhead_minutes: int
    power_profile_kw: list[float] | None
    carbon_to_cost_weight: float
    estimated: list[str]
    placement: PlacementOption | None
    alternatives: list[PlacementOption]
    unplaced_because: str | None
    next_step: str | None
    constraints: list[Constraint]
    negotiation: list[NegotiationRound]
    data: Age


class SubmittedItem(Answer):
    """What became of one task of a batch: `answer` where it was accepted, `problem` where it was refused."""

    status: int = Field(description="201 made, 200 made before under this key, 4xx refused.")
    answer: Submitted | None = None
    problem: ProblemDetails | None = None


class SubmittedBatch(Answer):
    """`POST /submit_tasks`: an item for each task, in their order."""

    results: list[SubmittedItem]


class WorkloadRun(Answer):
    """What runs a workload: a deployment of Prefect, or the runner of a name."""

    deployment: str | None = None
    parameters: dict[str, Any] | None = None
    runner: str | None = None


class Workload(Answer):
    """A workload as it stands."""

    workload_id: UUID
    operator_id: UUID
    user_id: UUID | None
    asset_id: UUID | None
    request: str
    workload_type: WorkloadType
    priority: Priority
    status: Status
    energy_kwh: float
    power_kw: float
    duration_minutes: int
    earliest_start: datetime
    deadline: datetime
    carbon_cap_gco2_kwh: float | None
    price_cap_gbp_mwh: float | None
    carbon_to_cost_weight: float
    region_ids: list[int] | None
    region_names: list[str | None] | None
    is_deferrable: bool
    risk: Risk
    is_interruptible: bool
    max_chunks: int
    min_chunk_minutes: int
    resume_overhead_minutes: int
    power_profile_kw: list[float] | None
    is_pinned: bool
    freeze_minutes: int
    run: WorkloadRun | None
    attempts: int
    max_attempts: int
    failed_because: str | None
    estimated: list[str]
    unplaced_because: str | None
    actual_start: datetime | None
    actual_end: datetime | None
    actual_cost_gbp: float | None
    actual_cost_unknown_because: str | None = Field(None, description="Missing if it is known.")
    actual_carbon_kg: float | None
    actual_energy_kwh: float | None
    created_at: datetime
    updated_at: datetime
    placement: Placement | None


class WorkloadNow(Workload):
    """`PATCH /workloads/{id}`: a workload, and what does not fit between how it was placed and how it ran."""

    inconsistent: list[str]
    unknown: list[str]
    """why a completed run has no actual_carbon_kg or actual_cost_gbp"""


class WorkloadPlaced(WorkloadNow):
    """`POST /workloads/{id}/placement`: a workload that was placed again."""

    options: list[PlacementOption]
    data: Age


class RecordedRound(NegotiationRound):
    """What an agent said, as it was kept."""

    attempt: int
    round: int
    proposals: list[dict[str, Any]]
    known_at: datetime
    created_at: datetime


class WorkloadDetail(WorkloadNow):
    """`GET /workloads/{id}`."""

    next_step: str | None
    negotiation: list[RecordedRound]
    data: Age


class WorkloadsAsked(Answer):
    """The request as it was understood."""

    user_email: str | None
    user_id: UUID | None
    status: list[Status] | None
    created_from: datetime | None
    created_to: datetime | None
    cursor: str | None
    limit: int


class Workloads(Answer):
    """`GET /workloads`: a page, the newest first."""

    asked: WorkloadsAsked
    workloads: list[Workload]
    next_cursor: str | None = Field(description="Send it as `cursor`, with the same filters; null on the last page.")
    data: Age


class Decided(Answer):
    """`GET /workloads/{id}/decision`: a placement, decided again from what was known then."""

    known_at: datetime
    is_same: bool
    decided_then: Placement
    decided_again: PlacementOption | None
    constraints: list[Constraint] = Field(
        description="The limits that cost something, by what was known then: what the best candidate beyond each would save."
    )
