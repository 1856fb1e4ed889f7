"""The rows of a workload in schema `app`: written together, read by the routes."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import DictRow
from psycopg.types.json import Json, Jsonb

from service.drafts import Draft
from service.negotiation import Decision
from service.outlook import Outlook
from service.problems import Problem
from service.shapes import TaskRequest
from service.tenancy import Connection

COLUMNS = """
workload.workload_id, workload.operator_id, workload.user_id, workload.asset_id, workload.request, workload.workload_type,
workload.priority, workload.status, workload.energy_kwh, workload.power_kw, workload.duration_minutes,
workload.earliest_start, workload.deadline, workload.carbon_cap_gco2_kwh, workload.price_cap_gbp_mwh,
workload.carbon_to_cost_weight, workload.region_ids, workload.is_deferrable, workload.estimated,
workload.unplaced_because, workload.actual_start, workload.actual_end, workload.actual_cost_gbp,
workload.actual_carbon_kg,
round(workload.power_kw * extract(epoch from workload.actual_end - workload.actual_start)::numeric / 3600, 6)
    as actual_energy_kwh,
workload.created_at, workload.updated_at, to_jsonb(placement) as placement
"""
SLACK = timedelta(minutes=5)
FROM = """
from app.compute_workloads as workload
left join app.workload_placements as placement on workload.placement_id = placement.placement_id
"""


async def one(connection: Connection, workload_id: UUID) -> dict[str, Any]:
    """A workload with its placement. Raises Problem 404 where the caller can see none."""
    cursor = await connection.execute(f"select {COLUMNS} {FROM} where workload.workload_id = %s", [workload_id])
    row = await cursor.fetchone()
    if row is None:
        raise Problem(404, f"there is no workload {workload_id}")
    return {**row, "inconsistent": inconsistencies(row)}


def inconsistencies(row: dict[str, Any]) -> list[str]:
    """What does not fit between how a workload was placed and how it is said to have run, in sentences."""
    began, ended, placed = row["actual_start"], row["actual_end"], row["placement"]
    found = []
    starts_at = datetime.fromisoformat(placed["starts_at"]) if placed else row["earliest_start"]
    if began is not None and began < starts_at - SLACK:
        found.append(f"It began at {began.isoformat()}, before its place ({starts_at.isoformat()}).")
    if began is not None and ended is not None:
        minutes = (ended - began).total_seconds() / 60
        if abs(minutes - row["duration_minutes"]) > 0.1 * row["duration_minutes"]:
            found.append(
                f"It ran for {minutes:.1f} minutes, not for {row['duration_minutes']}: {row['actual_energy_kwh']:g} kWh are "
                f"counted, not {row['energy_kwh']:g}."
            )
    return found


async def ask_answered(connection: Connection, operator_id: UUID, key: str) -> psycopg.AsyncCursor[DictRow]:
    """Ask what was answered to this Idempotency-Key under this operator; `answered` reads it."""
    return await connection.execute(
        "select request_sha256, answer::text as answer from app.compute_workloads where operator_id = %s "
        "and idempotency_key = %s",
        [operator_id, key],
    )


def answered(row: dict[str, Any] | None, fingerprint: bytes) -> str | None:
    """The answer that was kept, if there is one. Raises Problem 409 where that was another request."""
    if row is None:
        return None
    if bytes(row["request_sha256"]) != fingerprint:
        raise Problem(409, "this Idempotency-Key was used for another request; use a new one")
    return str(row["answer"])


def as_json(answer: dict[str, Any]) -> str:
    """An answer as it is sent and kept."""
    return json.dumps(answer, default=_plain, ensure_ascii=False)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


async def add_workload(
    connection: Connection,
    answer: dict[str, Any],
    asked: TaskRequest,
    drafted: Draft,
    *,
    user_id: UUID | None,
    idempotency_key: str | None,
    fingerprint: bytes,
) -> None:
    """The workload itself; its placement follows in the same transaction."""
    task = drafted.task
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
            Jsonb(answer["estimated"]), answer["unplaced_because"], answer["placement_id"], idempotency_key,
            fingerprint, Json(answer, dumps=as_json),
        ],
    )  # fmt: skip


async def add_placement(connection: Connection, answer: dict[str, Any], decision: Decision, outlook: Outlook) -> None:
    """The time and place that was decided, and its capacity with it."""
    best = decision.options[0]
    await connection.execute(
        "insert into app.workload_placements (placement_id, workload_id, operator_id, venue, asset_id, region_id, "
        "window_id, starts_at, ends_at, power_kw, capacity_kw, energy_kwh, mean_intensity_gco2_kwh, "
        "mean_price_gbp_mwh, carbon_kg, cost_gbp, synthetic_share, known_at) "
        "values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            answer["placement_id"], answer["workload_id"], answer["operator_id"], best.venue.key, best.venue.asset_id,
            best.venue.region_id, best.venue.window.window_id if best.venue.window else None, best.starts_at,
            best.ends_at, answer["power_kw"], best.venue.capacity_kw, answer["energy_kwh"], best.mean_gco2_kwh,
            best.mean_price_gbp_mwh, best.carbon_kg, best.cost_gbp, best.synthetic_share, outlook.known_at,
        ],
    )  # fmt: skip


async def add_negotiation(
    connection: Connection, answer: dict[str, Any], decision: Decision, outlook: Outlook, attempt: int = 1
) -> None:
    """What each agent said, a row a round."""
    await connection.cursor().executemany(
        "insert into app.agent_negotiations (workload_id, operator_id, attempt, round, agent, stance, proposals, reasons, "
        "known_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            [
                answer["workload_id"], answer["operator_id"], attempt, number, said.agent, said.stance,
                Jsonb(list(said.proposals)), list(said.reasons), outlook.known_at,
            ]
            for number, said in enumerate(decision.rounds, start=1)
        ],
    )  # fmt: skip
