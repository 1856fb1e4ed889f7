"""A plan: which workloads go where, and how far from the best it is at most."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from service.models.common import Age, Answer


class Move(Answer):
    """A workload that gets another place, or one after it had none."""

    workload_id: UUID
    venue: str
    region_id: int
    region_name: str | None
    starts_at: datetime
    ends_at: datetime
    chunks: int
    reason: Literal["replanned", "tried again"]
    replaces: UUID | None
    carbon_kg: float
    cost_gbp: float | None
    cost_unknown_because: str | None = Field(None, description="Missing if the cost is known.")
    gain_gbp: float | None = Field(
        description="What the move promises, in pounds of the score; null without a place before."
    )
    gain_carbon_kg: float | None
    gain_cost_gbp: float | None
    gain_cost_unknown_because: str | None = Field(None, description="Missing if it is known.")


class PlanMade(Answer):
    """`POST /plan`."""

    operator_id: UUID
    dry_run: bool = Field(description="true: nothing was written.")
    considered: int
    without_place: int
    moves: list[Move]
    gain_gbp: float
    score_gbp: float
    bound_gbp: float = Field(description="No plan that places them costs less.")
    gap: float | None = Field(
        description="By how much the plan is above its bound at most, as a share; null if one has no place."
    )
    data: Age
