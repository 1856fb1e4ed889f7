"""Routes of workloads: look at, change the status, decide again from what was known then."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import psycopg
from fastapi import APIRouter, Query

from service import overdue, paging, venues
from service.access import Authorized, State
from service.actuals import emitted
from service.answers import answer, spell, spelled
from service.aside import WINDOWS
from service.costs import with_estimate
from service.drafts import WAITING
from service.efforts import decide_within
from service.models.workloads import Decided, WorkloadDetail, WorkloadNow, WorkloadPlaced, Workloads
from service.outlook import read
from service.problems import Problem
from service.records import SKEW, one
from service.shapes import Email, Instant, Status, StatusChange
from service.submission import task_of, venues_of
from service.tenancy import speaking_for

NOT_HANDED_OVER = (
    "Its start has passed, and nothing has handed it to Prefect: start dispatch (make up), or cancel it. "
    "Some minutes after its deadline it is cancelled."
)

router = APIRouter(tags=["workloads"])


@router.post("/workloads/{workload_id}/placement", response_model=WorkloadPlaced, response_model_exclude_unset=True)
async def place_again(workload_id: UUID, state: State, caller: Authorized) -> dict[str, Any]:
    """Place a workload anew that has not begun, by what is known now. 409, and its place as it was, where there is none."""
    return await state.submissions.place_again(caller, workload_id)


@router.get("/workloads/{workload_id}", response_model=WorkloadDetail, response_model_exclude_unset=True)
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
        next_step = WAITING if found["status"] == "pending" else None
        if await overdue.is_forgotten(connection, workload_id):
            next_step = NOT_HANDED_OVER
    outlook = await state.outlooks.now()
    found = with_estimate(found, outlook)
    return answer(outlook, {**found, "next_step": next_step, "negotiation": negotiation})


@router.get("/workloads", response_model=Workloads, response_model_exclude_unset=True)
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
        found, following = await paging.page(
            connection, cursor=cursor, limit=limit, user_email=user_email, user_id=user_id, status=status,
            created_from=created_from, created_to=created_to,
        )  # fmt: skip
    outlook = await state.outlooks.now()
    asked = {
        "user_email": user_email, "user_id": user_id, "status": status, "created_from": created_from,
        "created_to": created_to, "cursor": cursor, "limit": limit,
    }  # fmt: skip
    found = [with_estimate(row, outlook) for row in found]
    return answer(outlook, {"workloads": found, "next_cursor": following}, asked=asked)


@router.patch("/workloads/{workload_id}", response_model=WorkloadNow, response_model_exclude_unset=True)
async def change_status(workload_id: UUID, change: StatusChange, state: State, caller: Authorized) -> dict[str, Any]:
    """Take the next step: running, completed, failed, cancelled, or pending (its place is given back)."""
    now = datetime.now(UTC)
    at = change.at or now
    if at > now + SKEW:
        raise Problem(422, f"at ({spelled(at)}) has not come yet; leave it out where the step is taken now")
    outlook = await state.outlooks.now()
    names = outlook.region_names
    begins, ends = change.status == "running", change.status in ("completed", "failed")
    async with speaking_for(state.writes, caller) as connection:
        # two who take a step at once take it one after the other
        await connection.execute("select from app.compute_workloads where workload_id = %s for update", [workload_id])
        before = await one(connection, workload_id)
        if before["status"] == change.status:
            _is_said_again(before, change)
            repeated: dict[str, Any] = spell(with_estimate(before, outlook), names)
            return repeated  # it was taken when it was said first
        # a clock that was ahead may have written a time to come
        if begins and at < min(before["created_at"], datetime.now(UTC)) - SKEW:
            raise Problem(
                409, f"at ({spelled(at)}) is before the workload was submitted ({spelled(before['created_at'])})"
            )
        figures = await emitted(connection, before, at) if change.status == "completed" else {"kg": None, "gbp": None}
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
        changed: dict[str, Any] = spell(with_estimate(await one(connection, workload_id), outlook), names)
        return changed


def _is_said_again(before: dict[str, Any], change: StatusChange) -> None:
    """Raise Problem 409 where a step that was taken is said again with another instant."""
    taken_at = before["actual_end"] or before["actual_start"]
    if change.at is not None and taken_at is not None and change.at != taken_at:
        raise Problem(409, f"it became {change.status} at {spelled(taken_at)} already; nothing was changed")


@router.get("/workloads/{workload_id}/decision", response_model=Decided, response_model_exclude_unset=True)
async def decide_again(workload_id: UUID, state: State, caller: Authorized) -> dict[str, Any]:
    """Decide the placement again from the vintages of that instant and the bookings of that time, and compare.

    Assets and Beckn windows are taken as they are today. A day-ahead price that was revised since counts as not known.
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
    value = state.settings.carbon_value_gbp_tonne / 1000
    decision = await WINDOWS(decide_within, task, places, outlook, taken, carbon_value_gbp_kg=value)
    best = decision.options[0].as_json() if decision.options else None
    is_same = best is not None and (best["venue"], best["starts_at"], best["carbon_kg"]) == (
        placed["venue"], datetime.fromisoformat(placed["starts_at"]), float(placed["carbon_kg"]),
    )  # fmt: skip
    answers: dict[str, Any] = spell(
        {
            "known_at": known_at,
            "is_same": is_same,
            "decided_then": with_estimate(found, outlook)["placement"],
            "decided_again": best,
            "constraints": [one.as_json() for one in decision.bound],
        },
        outlook.region_names,
    )
    return answers
