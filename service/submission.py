"""The way of a workload: who, what size, where and when; written in one transaction, once for each idempotency key."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg

from service import answers, records, venues
from service.drafts import Draft, described, draft
from service.negotiation import Decision, decide
from service.outlook import HALF_HOUR, Outlook, Outlooks
from service.placement import Task
from service.problems import Problem
from service.settings import ServiceSettings
from service.shapes import TaskRequest
from service.tenancy import Caller, Connection, Pool, speaking_for
from service.words.joining import Understood, join


@dataclass
class Submissions:
    """Takes tasks in. One at a time is placed, so that no capacity is given twice; the database would refuse it anyway."""

    pool: Pool
    outlooks: Outlooks
    settings: ServiceSettings
    _at_once: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(4))
    """Fewer than the connections for writing: steps of a status do not wait behind those who wait for their turn"""

    async def submit(self, caller: Caller, asked: TaskRequest, idempotency_key: str | None) -> tuple[str, str]:
        """The answer as JSON, and what became of the task. Raises Problem where it cannot be taken in."""
        fingerprint = hashlib.sha256(asked.model_dump_json().encode()).digest()
        outlook = await self.outlooks.now()
        now = datetime.now(UTC)
        filled, understood = join(asked, now)
        async with self._turn(), speaking_for(self.pool, caller) as connection:
            operator_id = caller.operator_id or await _operator_for(connection, asked.user_email)
            user = await _link_user(connection, asked, operator_id)
            async with connection.pipeline():  # one round trip
                await connection.execute("select app.lock_capacity()")
                known = (
                    await records.ask_answered(connection, operator_id, idempotency_key) if idempotency_key else None
                )
                assets = await connection.execute(venues.ASSETS, [operator_id])
            if known is not None and (repeated := records.answered(await known.fetchone(), fingerprint)) is not None:
                return repeated, "repeated"
            drafted = _drafted(filled, understood, now, user.pop("preferences", None))
            places = _among(await assets.fetchall(), operator_id, asked.asset_id, outlook, self.settings)
            decision = await self._decide(connection, places, drafted.task, outlook)
            described_task = described(drafted, decision)
            answer = {
                "understood": understood.told(described_task),
                "workload_id": uuid4(),
                "operator_id": operator_id,
                "placement_id": uuid4() if decision.options else None,
                "user": user,
                **described_task,
                "data": outlook.age(now),
            }
            async with connection.pipeline():  # one round trip
                await records.add_workload(
                    connection, answer, asked, drafted,
                    user_id=user.get("user_id"), idempotency_key=idempotency_key, fingerprint=fingerprint,
                )  # fmt: skip
                if decision.options:
                    await records.add_placement(connection, answer, decision, outlook)
                await records.add_negotiation(connection, answer, decision, outlook)
        return records.as_json(answer), str(answer["status"])

    async def place_again(self, caller: Caller, workload_id: UUID) -> dict[str, Any]:
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
            await records.add_placement(connection, answer, decision, outlook)
            await records.add_negotiation(connection, answer, decision, outlook, row["attempt"] if row else 1)
            await _set_status(connection, workload_id, "scheduled", answer["placement_id"])
            placed = await records.one(connection, workload_id)
        return answers.answer(outlook, {**placed, "options": [option.told() for option in decision.options]}, now=now)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Wait for a turn, first come, first served. Raises Problem 503 where it does not come in time."""
        try:
            async with asyncio.timeout(self.settings.service_wait_seconds):
                await self._at_once.acquire()
        except TimeoutError:
            raise Problem(
                503,
                f"the service is busy: {self.settings.service_wait_seconds:g} seconds went by in the queue of submissions; "
                "nothing was kept, send it again with the same Idempotency-Key",
                headers={"Retry-After": "2"},
            ) from None
        try:
            yield
        finally:
            self._at_once.release()

    async def _decide(
        self, connection: Connection, places: Sequence[venues.Venue], task: Task, outlook: Outlook
    ) -> Decision:
        horizon = datetime.fromtimestamp(outlook.first + outlook.half_hours * HALF_HOUR, UTC)
        taken = await venues.taken(connection, places, task.earliest, max(horizon, task.earliest) + task.duration)
        return decide(task, places, outlook, taken, carbon_value_gbp_kg=self.settings.carbon_value_gbp_tonne / 1000)


def _drafted(filled: TaskRequest, understood: Understood, now: datetime, preferences: Any) -> Draft:
    """The task as it will be placed. A refusal says what was read from the words: the fault may lie there."""
    try:
        return understood.estimated(draft(filled, now, preferences))
    except Problem as problem:
        raise Problem(problem.status, f"{problem.detail}. {understood.in_short()}".removesuffix(". ")) from None


async def venues_of(
    connection: Connection, operator_id: UUID, asset_id: UUID | None, outlook: Outlook, settings: ServiceSettings
) -> Sequence[venues.Venue]:
    """Where a workload of this operator can run. Raises Problem 422 for an asset that it does not have."""
    assets = await (await connection.execute(venues.ASSETS, [operator_id])).fetchall()
    return _among(assets, operator_id, asset_id, outlook, settings)


def _among(
    assets: Sequence[dict[str, Any]],
    operator_id: UUID,
    asset_id: UUID | None,
    outlook: Outlook,
    settings: ServiceSettings,
) -> Sequence[venues.Venue]:
    if asset_id is not None:
        assets = [asset for asset in assets if asset["asset_id"] == asset_id]
        if not assets:
            raise Problem(422, f"asset_id: there is no active asset {asset_id} of this operator")
    return venues.of_operator(operator_id, assets, outlook, region_capacity_kw=settings.region_capacity_kw)


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
    )


async def _operator_for(connection: Connection, email: str | None) -> UUID:
    row = await (await connection.execute("select app.operator_for(%s) as operator_id", [email])).fetchone()
    if row is None or row["operator_id"] is None:
        raise Problem(503, "there is no operator to take this task")
    return UUID(str(row["operator_id"]))


async def _link_user(connection: Connection, asked: TaskRequest, operator_id: UUID) -> dict[str, Any]:
    if asked.user_email is None:
        return {"tracked": False, "reason": "no user_email was given"}
    row: dict[str, Any] = {"failure": "user tracking is not available"}
    try:
        async with connection.pipeline():  # one round trip, and a savepoint: the task goes on without its user
            await connection.execute("savepoint linking")
            linked = await connection.execute(
                "select * from app.link_user(%s, %s, %s)", [asked.user_email, asked.user_name, operator_id]
            )
            await connection.execute("release linking")
        row = await linked.fetchone() or row
    except psycopg.Error:
        await connection.execute("rollback to linking")
    if row.get("user_id") is None:
        return {"tracked": False, "reason": f"{row.get('failure')}; the task is accepted without its user"}
    return {"tracked": True, **{name: row[name] for name in ("user_id", "is_new", "preferences")}}


async def _set_status(connection: Connection, workload_id: UUID, status: str, placement_id: UUID | None) -> None:
    await connection.execute(
        "update app.compute_workloads set status = %s, placement_id = %s, unplaced_because = null where workload_id = %s",
        [status, placement_id, workload_id],
    )
