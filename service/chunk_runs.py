"""Chunk runs: a runner that holds work in several pieces says when each piece started and stopped.

Said once: a repeat changes nothing and gets the same response. The rules are the database's (migration 20261127_1145).
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from service.answers import spelled
from service.claims import held
from service.problems import Problem
from service.records import SKEW
from service.tenancy import Caller, Connection, Pool, speaking_for

_PIECE = """
select
    chunk.number, chunk.starts_at, chunk.ends_at, ran.started_at, ran.stopped_at, placement.chunks,
    (
        select max(other.number) from app.workload_chunk_runs as other
        where other.placement_id = chunk.placement_id and other.number > chunk.number
    ) as later,
    (
        select max(other.number) from app.workload_chunk_runs as other
        where other.placement_id = chunk.placement_id and other.number < chunk.number and other.stopped_at is null
    ) as running,
    (
        select max(other.stopped_at) from app.workload_chunk_runs as other
        where other.placement_id = chunk.placement_id and other.number < chunk.number
    ) as before_stopped_at
from app.placement_chunks as chunk
inner join app.workload_placements as placement on chunk.placement_id = placement.placement_id
left join app.workload_chunk_runs as ran on chunk.placement_id = ran.placement_id and chunk.number = ran.number
where chunk.placement_id = %s and chunk.number = %s
"""


async def start(
    pool: Pool, caller: Caller, workload_id: UUID, number: int, token: int, at: datetime | None
) -> dict[str, Any]:
    """A chunk has started. Raises Problem 404 for one that was not placed, 409 and 422 for what cannot be."""
    async with speaking_for(pool, caller) as connection:
        found = await held(connection, workload_id, token)
        piece = await _piece(connection, found, number)
        if piece["started_at"] is None:
            if piece["later"] is not None:
                raise Problem(409, f"chunk {number} cannot start any more: chunk {piece['later']} has started")
            if piece["running"] is not None:
                raise Problem(409, f"chunk {number} cannot start: chunk {piece['running']} has not stopped")
            begun: datetime = found["actual_start"]
            at = _instant(at, found["now"], begun, "its workload began")
            if piece["before_stopped_at"] is not None:
                at = _instant(at, found["now"], piece["before_stopped_at"], "the chunk before it stopped")
            await connection.execute(
                "insert into app.workload_chunk_runs (placement_id, number, token, workload_id, operator_id, started_at) "
                "values (%s, %s, %s, %s, %s, %s)",
                [found["placement"]["placement_id"], number, token, workload_id, found["operator_id"], at],
            )
        return await _as_it_is(connection, found, number)


async def stop(
    pool: Pool, caller: Caller, workload_id: UUID, number: int, token: int, at: datetime | None
) -> dict[str, Any]:
    """A chunk has stopped. Raises Problem 404 for one that was not placed, 409 and 422 for what cannot be."""
    async with speaking_for(pool, caller) as connection:
        found = await held(connection, workload_id, token)
        piece = await _piece(connection, found, number)
        if piece["started_at"] is None:
            raise Problem(409, f"chunk {number} cannot stop: nobody said that it started")
        if piece["stopped_at"] is None:
            at = _instant(at, found["now"], piece["started_at"], "it started")
            await connection.execute(
                "update app.workload_chunk_runs set stopped_at = %s where placement_id = %s and number = %s",
                [at, found["placement"]["placement_id"], number],
            )
        return await _as_it_is(connection, found, number)


async def _piece(connection: Connection, found: dict[str, Any], number: int) -> dict[str, Any]:
    cursor = await connection.execute(_PIECE, [found["placement"]["placement_id"], number])
    piece = await cursor.fetchone()
    if piece is None:
        chunks = found["placement"]["chunks"]
        raise Problem(404, f"there is no chunk {number}: this workload is placed in {len(chunks)}")
    if piece["chunks"] == 1:
        raise Problem(
            409, "this workload runs in one piece, which starts with its claim and ends with /finish or /fail"
        )
    return piece


async def _as_it_is(connection: Connection, found: dict[str, Any], number: int) -> dict[str, Any]:
    piece = await _piece(connection, found, number)
    shown = {name: piece[name] for name in ("number", "starts_at", "ends_at", "started_at", "stopped_at")}
    return {"workload_id": found["workload_id"], **shown}


def _instant(at: datetime | None, now: datetime, earliest: datetime, what: str) -> datetime:
    """When it was, by the clock of the database: that of a runner may be a little wrong. Raises Problem 409 and 422."""
    if at is not None and at > now + SKEW:
        raise Problem(422, f"at ({spelled(at)}) has not come yet; leave it out if it is now")
    if at is not None and at < earliest - SKEW:
        raise Problem(409, f"at ({spelled(at)}) is before {what} ({spelled(earliest)})")
    return max(min(at or now, now), earliest)
