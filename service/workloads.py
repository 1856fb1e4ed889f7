"""Routes of workloads: submit, look at, change the status, decide again from what was known then."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import psycopg
from fastapi import APIRouter, Header, Query, Response

from service import venues
from service.access import Authorized, State
from service.negotiation import decide
from service.outlook import read
from service.placement import Task
from service.problems import Problem
from service.shapes import Email, StatusChange, TaskRequest
from service.tenancy import Connection, speaking_for

router = APIRouter(tags=["workloads"])

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Send it again and nothing is made twice.",
    ),
]
_COLUMNS = """
workload.workload_id, workload.operator_id, workload.user_id, workload.asset_id, workload.request, workload.workload_type,
workload.priority, workload.status, workload.energy_kwh, workload.power_kw, workload.duration_minutes,
workload.earliest_start, workload.deadline, workload.carbon_cap_gco2_kwh, workload.price_cap_gbp_mwh,
workload.carbon_to_cost_weight, workload.region_ids, workload.is_deferrable, workload.estimated,
workload.unplaced_because, workload.actual_start, workload.actual_end, workload.actual_cost_gbp,
workload.actual_carbon_kg, workload.created_at, workload.updated_at, to_jsonb(placement) as placement
"""
_FROM = """
from app.compute_workloads as workload
left join app.workload_placements as placement on workload.placement_id = placement.placement_id
"""


@router.post("/submit_task", status_code=201)
async def submit_task(
    asked: TaskRequest, state: State, caller: Authorized, response: Response, idempotency_key: Key = None
) -> dict[str, Any]:
    """Take a workload in, make or link its user, and place it. 200 instead of 201 where the key was seen before."""
    answer, is_new = await state.submissions.submit(caller, asked, idempotency_key)
    response.status_code = 201 if is_new else 200
    state.metrics.submitted(answer["status"] if is_new else "repeated")
    return answer


@router.get("/workloads/{workload_id}")
async def workload(workload_id: UUID, state: State, caller: Authorized) -> dict[str, Any]:
    """A workload, its placement, and what each agent said of it."""
    async with speaking_for(state.pool, caller) as connection:
        found = await _one(connection, workload_id)
        cursor = await connection.execute(
            "select attempt, round, agent, stance, proposals, reasons, known_at, created_at from app.agent_negotiations "
            "where workload_id = %s order by attempt, round",
            [workload_id],
        )
        negotiation = await cursor.fetchall()
    outlook = await state.outlooks.now()
    return {**found, "negotiation": negotiation, "data": outlook.age(datetime.now(UTC))}


@router.get("/workloads")
async def workloads(
    state: State,
    caller: Authorized,
    user_email: Annotated[Email | None, Query()] = None,
    user_id: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """The newest workloads, of one user or of all that the caller may see."""
    async with speaking_for(state.pool, caller) as connection:
        cursor = await connection.execute(
            f"select {_COLUMNS} {_FROM} left join app.users as person on workload.user_id = person.user_id "
            "where (%s::text is null or person.email = %s) and (%s::uuid is null or workload.user_id = %s) "
            "order by workload.created_at desc, workload.workload_id limit %s",
            [user_email, user_email, user_id, user_id, limit],
        )
        found = await cursor.fetchall()
    outlook = await state.outlooks.now()
    return {"workloads": found, "data": outlook.age(datetime.now(UTC))}


@router.patch("/workloads/{workload_id}")
async def change_status(workload_id: UUID, change: StatusChange, state: State, caller: Authorized) -> dict[str, Any]:
    """Take the next step: running, completed, failed, cancelled, or pending (its place is given back)."""
    at = change.at or datetime.now(UTC)
    begins, ends = change.status == "running", change.status in ("completed", "failed")
    async with speaking_for(state.pool, caller) as connection:
        before = await _one(connection, workload_id)
        figures = await _actual(connection, before, at) if change.status == "completed" else {"kg": None, "gbp": None}
        try:
            async with connection.transaction():
                await connection.execute(
                    "update app.compute_workloads set status = %s, actual_start = case when %s then %s else actual_start end, "
                    "actual_end = case when %s then %s else actual_end end, actual_carbon_kg = %s, actual_cost_gbp = %s "
                    "where workload_id = %s",
                    [
                        change.status, begins, at, ends, at,
                        figures["kg"] if change.actual_carbon_kg is None else change.actual_carbon_kg,
                        figures["gbp"] if change.actual_cost_gbp is None else change.actual_cost_gbp,
                        workload_id,
                    ],
                )  # fmt: skip
        except psycopg.errors.CheckViolation as error:
            hint = f" ({error.diag.message_hint})" if error.diag.message_hint else ""
            reason = error.diag.message_primary or "this step is not possible"
            if error.diag.constraint_name != "workload_status_step":
                reason = f"a workload that is {before['status']} cannot become {change.status} at {at.isoformat()}"
            raise Problem(409, reason + hint) from None
        return await _one(connection, workload_id)


@router.get("/workloads/{workload_id}/decision")
async def decide_again(workload_id: UUID, state: State, caller: Authorized) -> dict[str, Any]:
    """Decide the placement again from the vintages of that instant and the bookings of that time, and compare.

    Assets and Beckn windows are taken as they are today.
    """
    async with speaking_for(state.pool, caller) as connection:
        found = await _one(connection, workload_id)
        if found["placement"] is None:
            raise Problem(409, "this workload has no placement")
        placed = found["placement"]
        known_at = datetime.fromisoformat(placed["known_at"])
        outlook = await read(connection, known_at)
        assets = await (await connection.execute(venues.ASSETS, [found["operator_id"]])).fetchall()
        if found["asset_id"]:
            assets = [asset for asset in assets if asset["asset_id"] == found["asset_id"]]
        places = venues.of_operator(
            found["operator_id"], assets, outlook, region_capacity_kw=state.settings.region_capacity_kw
        )
        task = _task(found)
        taken = await venues.taken(
            connection,
            places,
            task.earliest,
            task.deadline + task.duration,
            datetime.fromisoformat(placed["placed_at"]),
        )
    decision = decide(task, places, outlook, taken, carbon_value_gbp_kg=state.settings.carbon_value_gbp_tonne / 1000)
    best = decision.options[0].told() if decision.options else None
    is_same = best is not None and (best["venue"], best["starts_at"], best["carbon_kg"]) == (
        placed["venue"], datetime.fromisoformat(placed["starts_at"]), float(placed["carbon_kg"]),
    )  # fmt: skip
    return {"known_at": known_at, "is_same": is_same, "decided_then": placed, "decided_again": best}


def _task(found: dict[str, Any]) -> Task:
    from datetime import timedelta

    return Task(
        power_kw=found["power_kw"],
        duration=timedelta(minutes=found["duration_minutes"]),
        earliest=found["earliest_start"],
        deadline=found["deadline"],
        weight=found["carbon_to_cost_weight"],
        carbon_cap_gco2_kwh=found["carbon_cap_gco2_kwh"],
        price_cap_gbp_mwh=found["price_cap_gbp_mwh"],
        regions=frozenset(found["region_ids"]) if found["region_ids"] else None,
        is_deferrable=found["is_deferrable"],
    )


async def _one(connection: Connection, workload_id: UUID) -> dict[str, Any]:
    cursor = await connection.execute(f"select {_COLUMNS} {_FROM} where workload.workload_id = %s", [workload_id])
    row = await cursor.fetchone()
    if row is None:
        raise Problem(404, f"there is no workload {workload_id}")
    return row


async def _actual(connection: Connection, found: dict[str, Any], ended: datetime) -> dict[str, Any]:
    """What the run emitted and cost, over the half-hours that it ran in; None where one of them is not known."""
    nothing = {"kg": None, "gbp": None}
    if found["actual_start"] is None or found["placement"] is None or ended <= found["actual_start"]:
        return nothing
    cursor = await connection.execute(
        "select kg, gbp from workload_emissions(%s::smallint, %s, %s, %s::numeric)",
        [found["placement"]["region_id"], found["actual_start"], ended, found["power_kw"]],
    )
    return await cursor.fetchone() or nothing
