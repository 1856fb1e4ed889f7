"""Routes of workloads: submit, look at, change the status, decide again from what was known then."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import psycopg
from fastapi import APIRouter, Header, Query, Response

from service import pages, venues
from service.access import Authorized, State
from service.answers import answer, spell, spelled
from service.drafts import NOT_BY_ITSELF
from service.negotiation import decide
from service.outlook import read
from service.problems import Problem
from service.records import one
from service.shapes import Email, Instant, Status, StatusChange, TaskRequest
from service.submission import task_of, venues_of
from service.tenancy import Connection, speaking_for

SKEW = timedelta(seconds=60)
"""By so much the clock of a caller may be wrong"""

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


@router.post("/submit_task", status_code=201, response_model=dict[str, Any])
async def submit_task(asked: TaskRequest, state: State, caller: Authorized, idempotency_key: Key = None) -> Response:
    """Take a workload in, make or link its user, and place it. 200 instead of 201 where the key was seen before."""
    answer, outcome = await state.submissions.submit(caller, asked, idempotency_key)
    state.metrics.submitted(outcome)
    return Response(answer, status_code=200 if outcome == "repeated" else 201, media_type="application/json")


@router.post("/workloads/{workload_id}/placement")
async def place_again(workload_id: UUID, state: State, caller: Authorized) -> dict[str, Any]:
    """Place a workload anew that has not begun, by what is known now. 409, and its place as it was, where there is none."""
    return await state.submissions.place_again(caller, workload_id)


@router.get("/workloads/{workload_id}")
async def workload(workload_id: UUID, state: State, caller: Authorized) -> dict[str, Any]:
    """A workload, its placement, and what each agent said of it."""
    async with speaking_for(state.pool, caller) as connection:
        found = await one(connection, workload_id)
        cursor = await connection.execute(
            "select attempt, round, agent, stance, proposals, reasons, known_at, created_at from app.agent_negotiations "
            "where workload_id = %s order by attempt, round",
            [workload_id],
        )
        negotiation = await cursor.fetchall()
    outlook = await state.outlooks.now()
    is_unplaced = found["status"] == "pending"
    return answer(outlook, {**found, "next_step": NOT_BY_ITSELF if is_unplaced else None, "negotiation": negotiation})


@router.get("/workloads")
async def workloads(
    state: State,
    caller: Authorized,
    user_email: Annotated[Email | None, Query()] = None,
    user_id: UUID | None = None,
    status: Annotated[list[Status] | None, Query(max_length=6, description="One or more.")] = None,
    created_from: Annotated[Instant | None, Query(description="Created at or after.")] = None,
    created_to: Annotated[Instant | None, Query(description="Created before.")] = None,
    cursor: Annotated[str | None, Query(max_length=100, description="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """The newest workloads that the caller may see, filtered, a page at a time.

    `next_cursor` asks for the page that follows, with the same filters; it is null on the last page. Pages neither repeat nor
    skip a workload, whatever is submitted meanwhile.
    """
    async with speaking_for(state.pool, caller) as connection:
        found, following = await pages.page(
            connection, cursor=cursor, limit=limit, user_email=user_email, user_id=user_id, status=status,
            created_from=created_from, created_to=created_to,
        )  # fmt: skip
    outlook = await state.outlooks.now()
    asked = {
        "user_email": user_email, "user_id": user_id, "status": status, "created_from": created_from,
        "created_to": created_to, "cursor": cursor, "limit": limit,
    }  # fmt: skip
    return answer(outlook, {"workloads": found, "next_cursor": following}, asked=asked)


@router.patch("/workloads/{workload_id}")
async def change_status(workload_id: UUID, change: StatusChange, state: State, caller: Authorized) -> dict[str, Any]:
    """Take the next step: running, completed, failed, cancelled, or pending (its place is given back)."""
    now = datetime.now(UTC)
    at = change.at or now
    if at > now + SKEW:
        raise Problem(422, f"at ({spelled(at)}) has not come yet; leave it out where the step is taken now")
    names = (await state.outlooks.now()).region_names
    begins, ends = change.status == "running", change.status in ("completed", "failed")
    async with speaking_for(state.writes, caller) as connection:
        # two who take a step at once take it one after the other
        await connection.execute("select from app.compute_workloads where workload_id = %s for update", [workload_id])
        before = await one(connection, workload_id)
        if before["status"] == change.status:
            _is_said_again(before, change)
            repeated: dict[str, Any] = spell(before, names)
            return repeated  # it was taken when it was said first
        if begins and at < before["created_at"] - SKEW:
            raise Problem(
                409, f"at ({spelled(at)}) is before the workload was submitted ({spelled(before['created_at'])})"
            )
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
                reason = f"a workload that is {before['status']} cannot become {change.status} at {spelled(at)}"
            raise Problem(409, reason + hint) from None
        changed: dict[str, Any] = spell(await one(connection, workload_id), names)
        return changed


def _is_said_again(before: dict[str, Any], change: StatusChange) -> None:
    """Raise Problem 409 where a step that was taken is said again with another instant."""
    taken_at = before["actual_end"] or before["actual_start"]
    if change.at is not None and taken_at is not None and change.at != taken_at:
        raise Problem(409, f"it became {change.status} at {spelled(taken_at)} already; nothing was changed")


@router.get("/workloads/{workload_id}/decision")
async def decide_again(workload_id: UUID, state: State, caller: Authorized) -> dict[str, Any]:
    """Decide the placement again from the vintages of that instant and the bookings of that time, and compare.

    Assets and Beckn windows are taken as they are today.
    """
    async with speaking_for(state.heavy, caller) as connection:
        found = await one(connection, workload_id)
        placed = found["placement"]
        if placed is None:
            raise Problem(409, "this workload has no placement")
        known_at, placed_at, starts_at = (
            datetime.fromisoformat(placed[name]) for name in ("known_at", "placed_at", "starts_at")
        )
        outlook = await read(connection, known_at)
        places = await venues_of(connection, found["operator_id"], found["asset_id"], outlook, state.settings)
        task = task_of(found, earliest=max(found["earliest_start"], min(placed_at, starts_at)))
        taken = await venues.taken(connection, places, task.earliest, task.deadline + task.duration, placed_at)
    decision = decide(task, places, outlook, taken, carbon_value_gbp_kg=state.settings.carbon_value_gbp_tonne / 1000)
    best = decision.options[0].told() if decision.options else None
    is_same = best is not None and (best["venue"], best["starts_at"], best["carbon_kg"]) == (
        placed["venue"], datetime.fromisoformat(placed["starts_at"]), float(placed["carbon_kg"]),
    )  # fmt: skip
    answers: dict[str, Any] = spell(
        {"known_at": known_at, "is_same": is_same, "decided_then": placed, "decided_again": best}, outlook.region_names
    )
    return answers


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
