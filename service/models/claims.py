"""Claims: what a runner is given."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from service.models.common import Age, Answer, PlacesAsked
from service.models.places import PlaceFound
from service.models.workloads import WorkloadNow


class Claimed(Answer):
    """A workload that a runner holds."""

    token: int = Field(description="Shown with each heartbeat and at the end. An older one is refused.")
    workload_id: UUID
    attempt: int
    runner: str
    leased_until: datetime
    workload: WorkloadNow


class ChunkRun(Answer):
    """`POST /workloads/{id}/chunks/{number}/start` and `/stop`: a chunk, as it was placed and as it really ran."""

    workload_id: UUID
    number: int
    starts_at: datetime = Field(description="As it was placed.")
    ends_at: datetime
    started_at: datetime
    stopped_at: datetime | None = Field(description="null: it runs.")


class Claims(Answer):
    """`POST /workloads/claim`, the earliest first."""

    claims: list[Claimed]
    places: list[PlaceFound]
    data: Age


class DueAsked(PlacesAsked):
    """The request as it was understood."""

    runner: str
    asset_id: UUID | None
    limit: int


class Due(Answer):
    """`GET /workloads/due`, the earliest first."""

    asked: DueAsked
    workloads: list[WorkloadNow]
    places: list[PlaceFound]
    data: Age
