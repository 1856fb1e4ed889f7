"""Routes of runners of work in pieces: when each piece started and stopped."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import Field

from service import chunk_runs
from service.access import Authorized, State
from service.answers import spell
from service.models.claims import ChunkRun
from service.routes.claims import Held
from service.shapes import Instant

router = APIRouter(tags=["runners"])

Number = Annotated[
    int, Path(ge=1, le=1000, description="The chunks of a placement are numbered from 1, in the order of time.")
]


class ChunkStep(Held):
    """`POST /workloads/{id}/chunks/{number}/start` and `/stop`."""

    at: Instant | None = Field(None, description="When it was; now, if it is left out. So it may be said late.")


@router.post("/workloads/{workload_id}/chunks/{number}/start", response_model=ChunkRun)
async def start(workload_id: UUID, number: Number, said: ChunkStep, state: State, caller: Authorized) -> dict[str, Any]:
    """A chunk has started. A repeat changes nothing. 409 if the runner holds the workload no more, or an earlier chunk runs."""
    done = await chunk_runs.start(state.writes, caller, workload_id, number, said.token, said.at)
    spelled: dict[str, Any] = spell(done, {})
    return spelled


@router.post("/workloads/{workload_id}/chunks/{number}/stop", response_model=ChunkRun)
async def stop(workload_id: UUID, number: Number, said: ChunkStep, state: State, caller: Authorized) -> dict[str, Any]:
    """A chunk has stopped. A repeat changes nothing. 409 if the runner holds the workload no more, or nobody said that it started.

    The last one need not be stopped: it ends with its workload.
    """
    done = await chunk_runs.stop(state.writes, caller, workload_id, number, said.token, said.at)
    spelled: dict[str, Any] = spell(done, {})
    return spelled
