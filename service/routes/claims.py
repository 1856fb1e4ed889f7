"""Routes of runners: take due workloads, keep them, and say how each ended."""

from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from service import claims, sweep
from service.access import Authorized, Service, State
from service.answers import answer, spell
from service.claims import Wanted
from service.costs import with_estimate
from service.models.claims import Claimed, Claims, Due
from service.models.workloads import WorkloadNow
from service.shapes import Id, Strict, Text
from service.task_places import InPlaces
from service.where import InAreas

router = APIRouter(tags=["runners"])

Runner = Annotated[
    Text, Field(min_length=1, max_length=200, description="A name of the runner's own, such as its host.")
]
Lease = Annotated[
    int, Field(ge=1, le=86_400, description="Without a heartbeat for so long, the workload is given back.")
]


class Claim(Strict, InPlaces):
    """`POST /workloads/claim`; places narrow it to what is placed in their regions."""

    runner: Runner
    limit: int = Field(1, ge=1, le=100, description="How many at most.")
    lease_seconds: Lease = 300
    asset_id: Id | None = Field(None, description="Only what is placed on this asset.")
    workload_id: Id | None = Field(None, description="Only this workload.")


class Held(Strict):
    """What a runner shows: the token of its claim."""

    token: int = Field(ge=1, le=2**63 - 1)


class Heartbeat(Held):
    """`POST /workloads/{id}/heartbeat`."""

    lease_seconds: Lease | None = Field(None, description="From now; as long as before, if it is left out.")


class Finish(Held):
    """`POST /workloads/{id}/finish`."""

    actual_cost_gbp: float | None = Field(None, ge=-1e9, le=1e9, description="Computed from the prices if left out.")
    actual_carbon_kg: float | None = Field(None, ge=0, le=1e9, description="Computed from the intensity if left out.")


class Fail(Held):
    """`POST /workloads/{id}/fail`."""

    reason: Annotated[Text, Field(min_length=1, max_length=2000)] = "its runner says that it failed"
    is_retried: bool = Field(False, description="true: it is placed again, unless that was its last attempt.")


@router.post("/workloads/claim", response_model=Claims, response_model_exclude_unset=True)
async def claim(asked: Claim, state: State, caller: Authorized) -> dict[str, Any]:
    """Take workloads whose time has come, the earliest first. Each comes with a lease and a token for its heartbeats and its end.

    Left out: workloads that Prefect runs, and those that name another runner.
    """
    await sweep.give_back(state, caller)
    wanted = Wanted(asked.runner, asked.limit, asked.asset_id, asked.region_ids, asked.workload_id)
    taken = await claims.take(state.writes, caller, wanted, asked.lease_seconds)
    outlook = await state.outlooks.now()
    taken = [{**one, "workload": with_estimate(one["workload"], outlook)} for one in taken]
    places = [asdict(place) for place in asked.places]
    return answer(outlook, {"claims": taken, "places": places})


@router.get("/workloads/due", response_model=Due, response_model_exclude_unset=True)
async def due(
    state: State,
    caller: Authorized,
    where: InAreas,
    runner: Annotated[
        str, Query(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$", description="Also what names this runner.")
    ] = "",
    asset_id: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 100,
) -> dict[str, Any]:
    """The workloads that a claim would take; nothing is taken."""
    await sweep.give_back(state, caller)
    found = await claims.due(state.pool, caller, Wanted(runner, limit, asset_id, where.region_ids))
    asked = {"runner": runner, "asset_id": asset_id, **where.asked, "limit": limit}
    outlook = await state.outlooks.now()
    body = {"workloads": [with_estimate(row, outlook) for row in found], "places": where.as_json()}
    return answer(outlook, body, asked=asked)


@router.post("/workloads/{workload_id}/heartbeat", response_model=Claimed, response_model_exclude_unset=True)
async def heartbeat(workload_id: UUID, said: Heartbeat, state: State, caller: Authorized) -> dict[str, Any]:
    """The runner is alive: its lease begins anew. 409 if it holds the workload no more."""
    kept = await claims.heartbeat(state.writes, caller, workload_id, said.token, said.lease_seconds)
    return await _spelled(state, kept)


@router.post("/workloads/{workload_id}/finish", response_model=WorkloadNow, response_model_exclude_unset=True)
async def finish(workload_id: UUID, said: Finish, state: State, caller: Authorized) -> dict[str, Any]:
    """The workload is completed. 409 if the runner holds it no more."""
    done = await claims.finish(
        state.writes, caller, workload_id, said.token, said.actual_carbon_kg, said.actual_cost_gbp
    )
    return await _spelled(state, done)


@router.post("/workloads/{workload_id}/fail", response_model=WorkloadNow, response_model_exclude_unset=True)
async def fail(workload_id: UUID, said: Fail, state: State, caller: Authorized) -> dict[str, Any]:
    """The workload has failed, or (`is_retried`) is placed again. 409 if the runner holds it no more."""
    failed, is_pending = await claims.fail(
        state.writes, caller, workload_id, said.token, said.reason, is_retried=said.is_retried
    )
    if is_pending:
        await sweep.place_again(state, caller, workload_id)
        failed = await claims.as_it_is(state.writes, caller, workload_id)
    return await _spelled(state, failed)


async def _spelled(state: Service, body: dict[str, Any]) -> dict[str, Any]:
    outlook = await state.outlooks.now()
    is_claim = "workload" in body
    shown = {**body, "workload": with_estimate(body["workload"], outlook)} if is_claim else with_estimate(body, outlook)
    spelled: dict[str, Any] = spell(shown, outlook.region_names)
    return spelled
