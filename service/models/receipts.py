"""The receipt of a finished workload."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from service.models.common import Age, Answer


class Figures(Answer):
    """What something emits and costs; null where an actual of one of its half-hours is missing."""

    carbon_kg: float | None
    cost_gbp: float | None = Field(description="At the day-ahead price, or at the price of the compute window.")
    cost_unknown_because: str | None = Field(None, description="Missing if the cost is known.")


class Foresight(Figures):
    """The best start and place by what came, within the workload's own constraints; bookings of others are not looked at."""

    region_id: int | None
    region_name: str | None
    starts_at: datetime | None


class Saved(Figures):
    """What was saved; negative where it was a loss."""

    carbon_pct: float | None = Field(description="Of what it is compared with.")


class Promised(Answer):
    """What the forecasts said, for the planned length."""

    by_its_placement: Figures = Field(description="The one that it ran by, by the forecasts of that moment.")
    by_its_first_plan: Figures
    at_once: Figures = Field(
        description="Starting at once, by the forecasts of the first plan; null if they are not kept."
    )


class Savings(Answer):
    """Of a completed workload alone. Time and place are two figures, and are never added; neither is average with marginal."""

    against_at_once: Saved = Field(description="Against the same work at once, in the place that it was given first.")
    by_time: Saved = Field(description="Against starting at once in the place where it ran.")
    by_place: Saved = Field(
        description="Starting at once there, against the median of the places where it might have run."
    )
    captured_pct: float | None = Field(
        description="Share of what perfect foresight would have saved, by what the workload was decided by."
    )


class Coverage(Answer):
    """How much of the run the realised figures know. Missing is missing, never zero."""

    half_hours: int
    without_intensity: int
    without_price: int
    synthetic: int = Field(description="Of those without an intensity: known by a synthetic value alone.")
    share: float | None = Field(description="0 to 1: half-hours with a real actual intensity; null if it never ran.")


class Method(Answer):
    """How savings are to be read."""

    name: str
    position: str
    references: list[str]
    based_on: dict[str, Any] = Field(description="Tables, and the payloads that the realised figures were read from.")


class Receipt(Answer):
    """`GET /workloads/{id}/receipt`: what a finished workload was promised, what came, and what else could have been."""

    workload_id: UUID
    version: int
    newest_version: int
    status: str
    is_final: bool = Field(
        description="Whether the upstreams no longer revise its half-hours; else there will be a next version."
    )
    final_at: datetime | None = Field(description="From when on it can be final.")
    known_at: datetime = Field(description="The actuals are as known at this instant.")
    settled_at: datetime
    placement_id: UUID
    region_id: int
    region_name: str | None
    first_region_id: int
    first_region_name: str | None
    began_at: datetime | None
    ended_at: datetime | None
    energy_kwh: float | None = Field(description="Null if it ran when its pieces were not due.")
    work_kwh: float | None = Field(description="Without resumptions: what a run in one piece draws.")
    chunks: int
    moves: int = Field(description="How often a new plan moved it.")
    attempts: int
    carbon_to_cost_weight: float
    carbon_value_gbp_tonne: float
    promised: Promised
    realised: Figures
    at_once: Figures
    at_once_here: Figures
    at_once_elsewhere: Figures
    first_plan: Figures = Field(description="Had the same work run as it was placed first.")
    foresight: Foresight
    savings: Savings | None = Field(description="Null unless it was completed.")
    coverage: Coverage
    notes: list[str] = Field(description="What is missing, and what else a reader should know.")
    method: Method
    data: Age
