"""What a plan of an operator's workloads is made from, and how it is written: all of it in the caller's one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg.types.numeric import Int2

from warehouse import known

DEADLINE_PASSED = "its deadline passed before it began"
LOCK = "select pg_try_advisory_xact_lock(hashtextextended('replan ' || %s, 0)) as is_mine"
OPERATORS = """
select distinct operator_id
from app.compute_workloads
where status in ('pending', 'scheduled') and deadline > now()
order by operator_id
"""
WORKLOADS = """
select
    workload.workload_id, workload.operator_id, workload.asset_id, workload.status, workload.power_kw, workload.energy_kwh,
    workload.duration_minutes, workload.earliest_start, workload.deadline, workload.carbon_cap_gco2_kwh,
    workload.price_cap_gbp_mwh, workload.carbon_to_cost_weight::float8 as carbon_to_cost_weight, workload.region_ids,
    workload.is_deferrable, workload.risk, workload.max_chunks, workload.min_chunk_minutes, workload.resume_overhead_minutes,
    workload.power_profile_kw, workload.is_pinned, workload.freeze_minutes, workload.placement_id,
    placement.venue, placement.starts_at, placement.ends_at, placement.carbon_kg, placement.cost_gbp
from app.compute_workloads as workload
left join app.workload_placements as placement on workload.placement_id = placement.placement_id
where workload.operator_id = %s and workload.status in ('pending', 'scheduled') and workload.deadline > now()
order by workload.workload_id
for update of workload
"""
STEPS = """
select placement_id, starts_at, ends_at, power_kw from app.placement_steps where placement_id = any(%s) order by starts_at
"""


@dataclass(frozen=True)
class Waiting:
    """The workloads of an operator that have not begun, its assets, and the instant at which they were read."""

    workloads: Sequence[dict[str, Any]]
    assets: Sequence[dict[str, Any]]
    now: datetime


def speak_for(connection: psycopg.Connection, operator_id: UUID | str) -> None:
    """For the rest of the transaction this session sees that operator alone; `all` sees every one."""
    connection.execute("select set_config('energy.operator_id', %s, true)", [str(operator_id)])


def operators(connection: psycopg.Connection) -> list[UUID]:
    """Operators with a workload that has not begun; the session speaks for all of them."""
    return [row[0] for row in connection.execute(OPERATORS).fetchall()]


def read(connection: psycopg.Connection, operator_id: UUID) -> Waiting | None:
    """Lock what a plan may change, and read it. None if another plan of this operator is being made."""
    speak_for(connection, operator_id)
    cursor = connection.cursor(row_factory=dict_row)
    if not _one(cursor.execute(LOCK, [str(operator_id)]))["is_mine"]:
        return None
    cursor.execute("select app.lock_capacity()")
    workloads = cursor.execute(WORKLOADS, [operator_id]).fetchall()
    steps: dict[UUID, list[dict[str, Any]]] = {}
    placed = [row["placement_id"] for row in workloads if row["placement_id"] is not None]
    for step in cursor.execute(STEPS, [placed]).fetchall():
        steps.setdefault(step["placement_id"], []).append(step)
    assets = cursor.execute(known.ASSETS, {"operator_id": operator_id}).fetchall()
    now = _one(cursor.execute("select clock_timestamp() as now"))["now"]
    return Waiting([{**row, "steps": steps.get(row["placement_id"])} for row in workloads], assets, now)


def taken(
    connection: psycopg.Connection, venues: Sequence[str], begins: datetime, ends: datetime
) -> list[dict[str, Any]]:
    """Rows of `known.TAKEN`: what all have taken of these venues."""
    cursor = connection.cursor(row_factory=dict_row)
    asked = {"venues": list(venues), "begins": begins, "ends": ends, "known_at": None}
    return cursor.execute(known.TAKEN, asked).fetchall()


def outlook_rows(connection: psycopg.Connection) -> dict[str, Any]:
    """What is known now, as arguments of `placement.outlook.from_rows`."""
    cursor = connection.cursor(row_factory=dict_row)
    at = {"known_at": _one(cursor.execute("select clock_timestamp() as now"))["now"]}
    found: dict[str, Any] = dict(at)
    for name, statement in (("intensities", known.INTENSITY), ("priced", known.PRICE)):
        found[name] = cursor.execute(statement, at).fetchall()
    for name, statement in (("windows", known.WINDOWS), ("names", known.NAMES), ("zones", known.ZONES)):
        found[name] = cursor.execute(statement).fetchall()
    return {**found, "last_real": None}


def write(connection: psycopg.Connection, moves: Sequence[dict[str, Any]]) -> None:
    """Release what is moved, then book all anew: what one gives up another may take. Raises what the database refuses."""
    if not moves:
        return
    moved = [move["workload_id"] for move in moves if move["replaces"] is not None]
    connection.execute("update app.compute_workloads set status = 'pending' where workload_id = any(%s)", [moved])
    placements, pieces, steps = [], [], []
    for move in moves:
        row = {name: value for name, value in move.items() if name != "pieces"}
        row |= {"placement_id": uuid4(), "region_id": Int2(row["region_id"])}
        placements.append(row)
        for number, piece in enumerate(move["pieces"], start=1):
            own = {"placement_id": row["placement_id"], "number": number, "operator_id": row["operator_id"]}
            pieces.append({**own, **piece})
        steps.append({"placement_id": row["placement_id"], "workload_id": row["workload_id"]})
    _insert(connection, "workload_placements", placements)
    _insert(connection, "placement_chunks", pieces)
    connection.cursor().executemany(
        "update app.compute_workloads set status = 'scheduled', placement_id = %(placement_id)s, unplaced_because = null "
        "where workload_id = %(workload_id)s",
        steps,
    )


def _insert(connection: psycopg.Connection, table: str, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        names = list(rows[0])
        values = ", ".join(f"%({name})s" for name in names)
        connection.cursor().executemany(f"insert into app.{table} ({', '.join(names)}) values ({values})", rows)


def _one(cursor: psycopg.Cursor[DictRow]) -> DictRow:
    row = cursor.fetchone()
    if row is None:
        raise LookupError("the database gave no row")
    return row
