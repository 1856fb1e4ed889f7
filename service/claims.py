"""Claims: a runner takes due workloads by a lease with a fencing token, keeps it by heartbeats, and says how each ended.

Two runners never hold one workload. A lease that ends gives the workload back to be placed again, at most `max_attempts` times;
then it has failed. Whoever comes with an old token gets 409. The rules are the database's (migration 20261126_1620).
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import psycopg

from service import records
from service.actuals import emitted
from service.problems import Problem
from service.tenancy import Caller, Connection, Pool, speaking_for

logger = logging.getLogger("service")
MOST_RETURNED = 100
"""Leases that have ended, looked at at once"""

_DUE = """
select workload.workload_id, workload.operator_id
from app.compute_workloads as workload
inner join app.workload_placements as placement on workload.placement_id = placement.placement_id
where workload.status = 'scheduled' and placement.starts_at <= clock_timestamp() and workload.deadline > clock_timestamp()
    and (workload.run is null or workload.run ->> 'runner' = %(runner)s)
    and (%(workload_id)s::uuid is null or workload.workload_id = %(workload_id)s)
    and (%(asset_id)s::uuid is null or placement.asset_id = %(asset_id)s)
    and (%(region_ids)s::smallint[] is null or placement.region_id = any(%(region_ids)s))
order by placement.starts_at, workload.workload_id
limit %(limit)s
"""
_TAKE = f"""
with due as ({_DUE} for update of workload skip locked),

taken as (
    update app.compute_workloads as workload
    set status = 'running', actual_start = clock_timestamp(), attempts = workload.attempts + 1
    from due
    where workload.workload_id = due.workload_id
    returning workload.workload_id, workload.operator_id, workload.attempts
)

insert into app.workload_claims (workload_id, operator_id, attempt, runner, lease_seconds, leased_until)
select
    workload_id, operator_id, attempts, %(runner)s, %(lease_seconds)s,
    clock_timestamp() + make_interval(secs => %(lease_seconds)s)
from taken
returning token, workload_id, attempt, runner, leased_until
"""
_LOST = """
select workload.workload_id, workload.operator_id, workload.attempts, workload.max_attempts, claim.token, claim.runner
from app.workload_claims as claim
inner join app.compute_workloads as workload on claim.workload_id = workload.workload_id
where claim.ended_at is null and claim.leased_until < clock_timestamp() and workload.status = 'running'
order by claim.leased_until
limit %s
for update of workload skip locked
"""


@dataclass(frozen=True)
class Wanted:
    """Which due workloads a runner would take."""

    runner: str
    limit: int
    asset_id: UUID | None = None
    region_ids: Sequence[int] | None = None
    workload_id: UUID | None = None

    @property
    def values(self) -> dict[str, Any]:
        """For the statements."""
        regions = list(self.region_ids) if self.region_ids is not None else None
        return {
            "runner": self.runner, "limit": self.limit, "asset_id": self.asset_id, "region_ids": regions,
            "workload_id": self.workload_id,
        }  # fmt: skip


async def take(pool: Pool, caller: Caller, wanted: Wanted, lease_seconds: int) -> list[dict[str, Any]]:
    """Take due workloads, the earliest first: each with its claim."""
    async with speaking_for(pool, caller) as connection:
        cursor = await connection.execute(_TAKE, {**wanted.values, "lease_seconds": lease_seconds})
        claims = sorted(await cursor.fetchall(), key=lambda row: row["token"])
        return [{**claim, "workload": await records.one(connection, claim["workload_id"])} for claim in claims]


async def due(pool: Pool, caller: Caller, wanted: Wanted) -> list[dict[str, Any]]:
    """The workloads that `take` would take, left where they are."""
    async with speaking_for(pool, caller) as connection:
        rows = await (await connection.execute(_DUE, wanted.values)).fetchall()
        return [await records.one(connection, row["workload_id"]) for row in rows]


async def give_back_lost(pool: Pool, caller: Caller) -> list[UUID]:
    """End leases without a heartbeat. Their workloads are pending again (these are returned), or failed if that was the last."""
    returned = []
    async with speaking_for(pool, caller) as connection:
        for row in await (await connection.execute(_LOST, [MOST_RETURNED])).fetchall():
            because = f"runner {row['runner']} gave no sign until its lease ended"
            try:
                async with connection.transaction():
                    is_pending = await _give_back(connection, row, "lost", because)
            except psycopg.IntegrityError as error:  # what the database refuses of one keeps no other from its end
                logger.warning("the lease of workload %s cannot be ended: %s", row["workload_id"], error)
                continue
            if is_pending:
                returned.append(row["workload_id"])
    return returned


async def _give_back(
    connection: Connection, row: Mapping[str, Any], outcome: Literal["lost", "returned"], because: str
) -> bool:
    """End a claim without an end of its workload; whether that may be tried again."""
    await connection.execute(
        "update app.workload_claims set ended_at = clock_timestamp(), outcome = %s where token = %s",
        [outcome, row["token"]],
    )
    if row["attempts"] < row["max_attempts"]:
        await connection.execute(
            "update app.compute_workloads set status = 'pending', unplaced_because = %s where workload_id = %s",
            [f"attempt {row['attempts']} of {row['max_attempts']}: {because}", row["workload_id"]],
        )
        return True
    await connection.execute(
        "update app.compute_workloads set status = 'failed', actual_end = clock_timestamp(), failed_because = %s "
        "where workload_id = %s",
        [f"attempt {row['attempts']} of {row['max_attempts']} was the last: {because}", row["workload_id"]],
    )
    return False


async def heartbeat(
    pool: Pool, caller: Caller, workload_id: UUID, token: int, lease_seconds: int | None
) -> dict[str, Any]:
    """Lengthen a lease. Raises Problem 409 for a token that holds it no more."""
    async with speaking_for(pool, caller) as connection:
        await held(connection, workload_id, token)
        cursor = await connection.execute(
            "update app.workload_claims set lease_seconds = coalesce(%s, lease_seconds), "
            "leased_until = clock_timestamp() + make_interval(secs => coalesce(%s, lease_seconds)) where token = %s "
            "returning token, workload_id, attempt, runner, leased_until",
            [lease_seconds, lease_seconds, token],
        )
        (claim,) = await cursor.fetchall()
        return {**claim, "workload": await records.one(connection, workload_id)}


async def finish(
    pool: Pool, caller: Caller, workload_id: UUID, token: int, kg: float | None, gbp: float | None
) -> dict[str, Any]:
    """It is completed. The same token may say so twice. Raises Problem 409 for a token that does not hold it."""
    async with speaking_for(pool, caller) as connection:
        found = await held(connection, workload_id, token, or_ended_as="completed")
        if found["status"] == "running":
            counted = await emitted(connection, found, found["now"])
            await connection.execute(
                "update app.compute_workloads set status = 'completed', actual_end = greatest(clock_timestamp(), actual_start), "
                "actual_carbon_kg = %s, actual_cost_gbp = %s where workload_id = %s",
                [counted["kg"] if kg is None else kg, counted["gbp"] if gbp is None else gbp, workload_id],
            )
        return await records.one(connection, workload_id)


async def fail(
    pool: Pool, caller: Caller, workload_id: UUID, token: int, reason: str, *, is_retried: bool
) -> tuple[dict[str, Any], bool]:
    """It has failed, or is to be tried again; and whether it is pending again now. Raises Problem 409 as `finish` does."""
    async with speaking_for(pool, caller) as connection:
        found = await held(connection, workload_id, token, or_ended_as="returned" if is_retried else "failed")
        is_pending = False
        if found["status"] == "running" and is_retried:
            is_pending = await _give_back(connection, {**found, "token": token}, "returned", reason)
        elif found["status"] == "running":
            await connection.execute(
                "update app.compute_workloads set status = 'failed', actual_end = greatest(clock_timestamp(), actual_start), "
                "failed_because = %s where workload_id = %s",
                [reason, workload_id],
            )
        return await records.one(connection, workload_id), is_pending


async def as_it_is(pool: Pool, caller: Caller, workload_id: UUID) -> dict[str, Any]:
    """A workload as it stands."""
    async with speaking_for(pool, caller) as connection:
        return await records.one(connection, workload_id)


async def held(
    connection: Connection, workload_id: UUID, token: int, *, or_ended_as: str | None = None
) -> dict[str, Any]:
    """The workload, locked, if this token holds it or has ended it in that way; `now` is the database's.

    Raises Problem 404 and 409.
    """
    await connection.execute("select from app.compute_workloads where workload_id = %s for update", [workload_id])
    found = await records.one(connection, workload_id)
    cursor = await connection.execute(
        "select claim.runner, claim.ended_at, claim.outcome, clock_timestamp() as now, "
        "exists (select from app.workload_claims as later where later.workload_id = claim.workload_id "
        "and later.token > claim.token) as is_old "
        "from app.workload_claims as claim where claim.workload_id = %s and claim.token = %s",
        [workload_id, token],
    )
    claim = await cursor.fetchone()
    if claim is None:
        raise Problem(409, f"token {token} is none of this workload's")
    if claim["ended_at"] is not None and (claim["is_old"] or claim["outcome"] != or_ended_as):
        now = (
            "another runner holds the workload, or held it since"
            if claim["is_old"]
            else f"the workload is {found['status']}"
        )
        raise Problem(409, f"token {token} holds nothing any more ({claim['outcome']}): {now}")
    return {**found, "now": claim["now"], "is_open": claim["ended_at"] is None}
