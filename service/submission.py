"""Tasks in, and their places: submit one, or place one again that has not begun."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

from placement.negotiation import Decision
from placement.outlook import Outlook
from placement.spine import HALF_HOUR
from placement.task import Task
from placement.venues import Venue, Venues, of_operator
from service import answers, costs, records, venues
from service.aside import PLACING
from service.efforts import decide_within
from service.group_commit import GroupCommit, NotTaken
from service.intake import Accepted, Intake
from service.outlook import Outlooks
from service.preparation import Preparation
from service.problems import Problem
from service.settings import ServiceSettings
from service.shapes import TaskRequest
from service.submitted import Submission
from service.tenancy import Caller, Connection, Pool, speaking_for
from warehouse import known


@dataclass
class Submissions:
    """Takes tasks in, and places again what has not begun."""

    pool: Pool
    outlooks: Outlooks
    settings: ServiceSettings
    _at_once: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    """Fewer than the connections for writing: steps of a status do not wait behind those who wait for their turn"""

    def __post_init__(self) -> None:
        preparation = Preparation(self.pool, self.outlooks, self.settings)
        intake = Intake(self.pool, self.outlooks, self.settings, preparation)
        self._commit = GroupCommit[Submission, Accepted](intake, preparation)

    async def submit(self, caller: Caller, asked: TaskRequest, idempotency_key: str | None) -> Accepted:
        """Take a task in, with those that arrive at the same time. Raises Problem if it is refused, 503 if it waits too long."""
        try:
            return await self._commit.put(
                await Submission.received(caller, asked, idempotency_key), self.settings.service_wait_seconds
            )
        except NotTaken:
            raise self._busy() from None

    async def submit_all(
        self, caller: Caller, tasks: Sequence[tuple[TaskRequest, str | None]]
    ) -> Sequence[Accepted | BaseException]:
        """Take tasks in, in their order and in one transaction: what was accepted of each, or what it met. Raises Problem 503."""
        received = [await Submission.received(caller, asked, key) for asked, key in tasks]
        try:
            return await self._commit.put_all(received, self.settings.service_wait_seconds)
        except NotTaken:
            raise self._busy() from None

    async def place_again(
        self, caller: Caller, workload_id: UUID, *, reason: Literal["asked", "returned"] = "asked"
    ) -> dict[str, Any]:
        """Decide anew for a workload that has not begun; it keeps its place where there is none to be had."""
        outlook = await self.outlooks.now()
        now = datetime.now(UTC)
        async with self._turn(), speaking_for(self.pool, caller) as connection:
            await connection.execute("select app.lock_capacity()")
            found = await records.one(connection, workload_id)
            if found["status"] not in ("pending", "scheduled"):
                raise Problem(409, f"a workload that is {found['status']} cannot be placed again")
            if found["status"] == "scheduled":  # its own place is free for itself
                await _set_status(connection, workload_id, "pending", None)
            task = task_of(found, earliest=max(now, found["earliest_start"]))
            if task.earliest + task.duration > task.deadline:
                raise Problem(409, f"the deadline ({answers.spelled(task.deadline)}) can no longer be met")
            places = await venues_of(connection, found["operator_id"], found["asset_id"], outlook, self.settings)
            decision = await self._decide(connection, places, task, outlook)
            if not decision.options:
                raise Problem(409, f"it cannot be placed: {decision.unplaced_because}")
            answer = {**found, "placement_id": uuid4()}
            row = await (
                await connection.execute(
                    "select coalesce(max(attempt), 0) + 1 as attempt from app.agent_negotiations where workload_id = %s",
                    [workload_id],
                )
            ).fetchone()
            before = found["placement"] and found["placement"]["placement_id"]
            await records.add_placement(
                connection, answer, decision, outlook, row["attempt"] if row else 1, before, reason
            )
            await _set_status(connection, workload_id, "scheduled", answer["placement_id"])
            placed = await records.one(connection, workload_id)
        return answers.answer(
            outlook,
            {**costs.with_estimate(placed, outlook), "options": [option.as_json() for option in decision.options]},
            now=now,
        )

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Wait for a turn, first come, first served. Raises Problem 503 where it does not come in time."""
        try:
            async with asyncio.timeout(self.settings.service_wait_seconds):
                await self._at_once.acquire()
        except TimeoutError:
            raise self._busy() from None
        try:
            yield
        finally:
            self._at_once.release()

    def _busy(self) -> Problem:
        return Problem(
            503,
            f"the service is busy: {self.settings.service_wait_seconds:g} seconds went by in the queue of submissions; "
            "nothing was kept, send it again with the same Idempotency-Key",
            headers={"Retry-After": "2"},
        )

    async def _decide(self, connection: Connection, places: Sequence[Venue], task: Task, outlook: Outlook) -> Decision:
        horizon = datetime.fromtimestamp(outlook.first + outlook.half_hours * HALF_HOUR, UTC)
        taken = await venues.taken(connection, places, task.earliest, max(horizon, task.earliest) + task.duration)
        value = self.settings.carbon_value_gbp_tonne / 1000
        return await PLACING(decide_within, task, Venues.of(places), outlook, taken, carbon_value_gbp_kg=value)


async def venues_of(
    connection: Connection, operator_id: UUID, asset_id: UUID | None, outlook: Outlook, settings: ServiceSettings
) -> Sequence[Venue]:
    """Where a workload of this operator can run. Raises Problem 422 for an asset that it does not have."""
    assets = await (await connection.execute(known.ASSETS, {"operator_id": operator_id})).fetchall()
    every = of_operator(operator_id, assets, outlook, region_capacity_kw=settings.region_capacity_kw)
    return venues.only(asset_id, every)


def task_of(found: dict[str, Any], *, earliest: datetime) -> Task:
    """The task behind a row of `compute_workloads`."""
    return Task(
        power_kw=found["power_kw"],
        duration=timedelta(minutes=found["duration_minutes"]),
        earliest=earliest,
        deadline=found["deadline"],
        weight=found["carbon_to_cost_weight"],
        carbon_cap_gco2_kwh=found["carbon_cap_gco2_kwh"],
        price_cap_gbp_mwh=found["price_cap_gbp_mwh"],
        regions=frozenset(found["region_ids"]) if found["region_ids"] else None,
        is_deferrable=found["is_deferrable"],
        risk=found["risk"],
        power_profile_kw=tuple(found["power_profile_kw"] or ()),
        max_chunks=found["max_chunks"],
        min_chunk_minutes=found["min_chunk_minutes"],
        resume_overhead_minutes=found["resume_overhead_minutes"],
    )


async def _set_status(connection: Connection, workload_id: UUID, status: str, placement_id: UUID | None) -> None:
    await connection.execute(
        "update app.compute_workloads set status = %s, placement_id = %s, unplaced_because = null where workload_id = %s",
        [status, placement_id, workload_id],
    )
