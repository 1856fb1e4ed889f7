"""The way of a workload: who, what size, where and when; written in one transaction, once for each idempotency key."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import Jsonb

from service import estimate, venues
from service.negotiation import Decision, decide
from service.outlook import Outlook, Outlooks
from service.placement import Task
from service.problems import Problem
from service.settings import ServiceSettings
from service.shapes import TaskRequest, default_deadline
from service.tenancy import Caller, Connection, Pool, speaking_for

GRACE = timedelta(minutes=5)
"""An earliest start that lies back by no more than this is now."""


@dataclass(frozen=True)
class Draft:
    """A task as it will be placed, and the names of what was estimated of it."""

    task: Task
    workload_type: str
    estimated: tuple[str, ...]


def draft(asked: TaskRequest, now: datetime, preferences: Mapping[str, Any] | None = None) -> Draft:
    """Fill in what was left unsaid. Raises Problem 422 where what was said cannot be."""
    typical = estimate.classify(asked.request, asked.workload_type)
    try:
        size = estimate.size(
            typical, energy_kwh=asked.energy_kwh, power_kw=asked.power_kw, duration_minutes=asked.duration_minutes
        )
    except ValueError as error:
        raise Problem(422, str(error)) from None
    if size.power_kw < 0.001:
        raise Problem(422, "energy_kwh over duration_minutes is less than a watt; give a shorter duration_minutes")
    earliest = asked.earliest_start or now
    if earliest < now - GRACE:
        raise Problem(422, f"earliest_start ({earliest.isoformat()}) has passed; leave it out to start now")
    earliest = max(earliest, now)
    duration = timedelta(minutes=round(size.duration.total_seconds() / 60))
    if duration > timedelta(days=7):
        raise Problem(422, "the run would take more than seven days; split it")
    deadline = asked.deadline or default_deadline(earliest, duration, typical.deadline)
    if deadline < earliest + duration:
        raise Problem(
            422,
            f"the deadline ({deadline.isoformat()}) is before the soonest end ({(earliest + duration).isoformat()})",
        )
    weight = asked.carbon_to_cost_weight
    if weight is None:
        kept = (preferences or {}).get("carbon_to_cost_weight", 1.0)
        weight = float(kept) if isinstance(kept, int | float) and 0 <= kept <= 1 else 1.0
    guessed = {
        "workload_type": asked.workload_type is None,
        "deadline": asked.deadline is None,
        "is_deferrable": asked.is_deferrable is None,
    }
    return Draft(
        Task(
            power_kw=round(size.power_kw, 6),
            duration=duration,
            earliest=earliest,
            deadline=deadline,
            weight=round(weight, 3),
            carbon_cap_gco2_kwh=asked.carbon_cap_gco2_kwh,
            price_cap_gbp_mwh=asked.price_cap_gbp_mwh,
            regions=frozenset(asked.region_ids) if asked.region_ids else None,
            is_deferrable=typical.is_deferrable if asked.is_deferrable is None else asked.is_deferrable,
        ),
        typical.workload_type,
        (*size.estimated, *(name for name, is_guess in guessed.items() if is_guess)),
    )


@dataclass
class Submissions:
    """Takes tasks in. One at a time is placed, so that no capacity is given twice; the database would refuse it anyway."""

    pool: Pool
    outlooks: Outlooks
    settings: ServiceSettings

    async def submit(
        self, caller: Caller, asked: TaskRequest, idempotency_key: str | None
    ) -> tuple[dict[str, Any], bool]:
        """The workload with its placement, and whether it is new. Raises Problem where it cannot be taken in."""
        fingerprint = hashlib.sha256(asked.model_dump_json().encode()).digest()
        outlook = await self.outlooks.now()
        now = datetime.now(UTC)
        async with speaking_for(self.pool, caller) as connection:
            operator_id = await self._operator(connection, caller, asked.user_email)
            user, is_tracked = await self._user(connection, asked, operator_id)
            await connection.execute("select app.lock_capacity()")
            if idempotency_key:
                known = await _known(connection, operator_id, idempotency_key, fingerprint)
                if known is not None:
                    return known, False
            preferences = user.pop("preferences", None)
            drafted = draft(asked, now, preferences)
            places = await self._venues(connection, operator_id, asked, outlook)
            taken = await venues.taken(connection, places, drafted.task.earliest, _reach(drafted.task, outlook))
            decision = decide(
                drafted.task, places, outlook, taken, carbon_value_gbp_kg=self.settings.carbon_value_gbp_tonne / 1000
            )
            answer = {
                "workload_id": uuid4(),
                "operator_id": operator_id,
                "user": user,
                **described(drafted, decision),
                "data": outlook.age(now),
            }
            await _write(
                connection, answer, asked, drafted, decision, outlook, idempotency_key, fingerprint,
                user["user_id"] if is_tracked else None,
            )  # fmt: skip
        return answer, True

    async def _operator(self, connection: Connection, caller: Caller, email: str | None) -> UUID:
        if caller.operator_id:
            return caller.operator_id
        row = await (await connection.execute("select app.operator_for(%s) as operator_id", [email])).fetchone()
        if row is None or row["operator_id"] is None:
            raise Problem(503, "there is no operator to take this task")
        return UUID(str(row["operator_id"]))

    async def _user(self, connection: Connection, asked: TaskRequest, operator_id: UUID) -> tuple[dict[str, Any], bool]:
        if asked.user_email is None:
            return {"tracked": False, "reason": "no user_email was given"}, False
        try:
            async with connection.transaction():  # a savepoint: the task goes on without its user
                cursor = await connection.execute(
                    "select linked.*, person.preferences from app.link_user(%s, %s, %s) as linked "
                    "left join app.users as person on person.user_id = linked.user_id",
                    [asked.user_email, asked.user_name, operator_id],
                )
                row = await cursor.fetchone() or {}
        except psycopg.Error:
            row = {"failure": "user tracking is not available"}
        if row.get("user_id") is None:
            return {"tracked": False, "reason": f"{row.get('failure')}; the task is accepted without its user"}, False
        return {
            "tracked": True,
            "user_id": row["user_id"],
            "is_new": row["is_new"],
            "preferences": row["preferences"],
        }, True

    async def _venues(
        self, connection: Connection, operator_id: UUID, asked: TaskRequest, outlook: Outlook
    ) -> list[venues.Venue]:
        assets = await (await connection.execute(venues.ASSETS, [operator_id])).fetchall()
        if asked.asset_id is not None:
            assets = [asset for asset in assets if asset["asset_id"] == asked.asset_id]
            if not assets:
                raise Problem(422, f"asset_id: there is no active asset {asked.asset_id} of this operator")
        return venues.of_operator(operator_id, assets, outlook, region_capacity_kw=self.settings.region_capacity_kw)


def _reach(task: Task, outlook: Outlook) -> datetime:
    """The last instant that a candidate can touch."""
    horizon = datetime.fromtimestamp(outlook.first + outlook.half_hours * 1800, UTC)
    return max(horizon, task.earliest) + task.duration


def described(drafted: Draft, decision: Decision) -> dict[str, Any]:
    """What the answer says of a task and where it was placed."""
    task = drafted.task
    told = [option.told() for option in decision.options]
    return {
        "status": "scheduled" if told else "pending",
        "workload_type": drafted.workload_type,
        "energy_kwh": round(task.energy_kwh, 4),
        "power_kw": task.power_kw,
        "duration_minutes": round(task.duration.total_seconds() / 60),
        "earliest_start": task.earliest,
        "deadline": task.deadline,
        "is_deferrable": task.is_deferrable,
        "carbon_to_cost_weight": task.weight,
        "estimated": list(drafted.estimated),
        "placement": told[0] if told else None,
        "alternatives": told[1:],
        "unplaced_because": decision.unplaced_because,
        "constraints": [bound.told() for bound in decision.bound],
        "negotiation": [
            {"agent": said.agent, "stance": said.stance, "reasons": list(said.reasons)} for said in decision.rounds
        ],
    }


async def _known(connection: Connection, operator_id: UUID, key: str, fingerprint: bytes) -> dict[str, Any] | None:
    cursor = await connection.execute(
        "select workload.request_sha256, workload.answer from app.compute_workloads as workload "
        "where workload.operator_id = %s and workload.idempotency_key = %s",
        [operator_id, key],
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    if bytes(row["request_sha256"]) != fingerprint:
        raise Problem(409, "this Idempotency-Key was used for another request; use a new one")
    return dict(row["answer"])


async def _write(
    connection: Connection,
    answer: dict[str, Any],
    asked: TaskRequest,
    drafted: Draft,
    decision: Decision,
    outlook: Outlook,
    idempotency_key: str | None,
    fingerprint: bytes,
    user_id: UUID | None,
) -> None:
    """All rows of a workload, in one round trip."""
    task, best = drafted.task, decision.options[0] if decision.options else None
    placement_id = uuid4() if best else None
    answer["placement_id"] = placement_id
    kept = Jsonb(answer, dumps=lambda body: json.dumps(body, default=_plain))
    async with connection.pipeline():
        await connection.execute(
            "insert into app.compute_workloads (workload_id, operator_id, user_id, asset_id, request, workload_type, priority, "
            "energy_kwh, power_kw, duration_minutes, earliest_start, deadline, carbon_cap_gco2_kwh, price_cap_gbp_mwh, "
            "carbon_to_cost_weight, region_ids, is_deferrable, status, estimated, unplaced_because, placement_id, "
            "idempotency_key, request_sha256, answer) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, "
            "%s::smallint[], %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                answer["workload_id"], answer["operator_id"], user_id, asked.asset_id, asked.request,
                drafted.workload_type, asked.priority, answer["energy_kwh"], task.power_kw, answer["duration_minutes"],
                task.earliest, task.deadline, task.carbon_cap_gco2_kwh, task.price_cap_gbp_mwh, task.weight,
                sorted(task.regions) if task.regions else None, task.is_deferrable, answer["status"],
                Jsonb(answer["estimated"]), decision.unplaced_because, placement_id, idempotency_key, fingerprint, kept,
            ],
        )  # fmt: skip
        if best:
            await connection.execute(
                "insert into app.workload_placements (placement_id, workload_id, operator_id, venue, asset_id, region_id, "
                "window_id, starts_at, ends_at, power_kw, capacity_kw, energy_kwh, mean_intensity_gco2_kwh, "
                "mean_price_gbp_mwh, carbon_kg, cost_gbp, synthetic_share, known_at) "
                "values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                [
                    placement_id, answer["workload_id"], answer["operator_id"], best.venue.key, best.venue.asset_id,
                    best.venue.region_id, best.venue.window.window_id if best.venue.window else None, best.starts_at,
                    best.ends_at, task.power_kw, best.venue.capacity_kw, answer["energy_kwh"], best.mean_gco2_kwh,
                    best.mean_price_gbp_mwh, best.carbon_kg, best.cost_gbp, best.synthetic_share, outlook.known_at,
                ],
            )  # fmt: skip
        cursor = connection.cursor()
        await cursor.executemany(
            "insert into app.agent_negotiations (workload_id, operator_id, round, agent, stance, proposals, reasons, known_at) "
            "values (%s, %s, %s, %s, %s, %s, %s, %s)",
            [
                [
                    answer["workload_id"], answer["operator_id"], number, said.agent, said.stance,
                    Jsonb(list(said.proposals)), list(said.reasons), outlook.known_at,
                ]
                for number, said in enumerate(decision.rounds, start=1)
            ],
        )  # fmt: skip


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
