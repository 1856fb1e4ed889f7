"""The rows of a workload in schema `app`: written together, read by the routes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec
import psycopg
from psycopg.rows import DictRow

from placement.negotiation import Decision
from placement.outlook import Outlook
from service.answers import spelled
from service.drafts import Draft
from service.problems import Problem
from service.submitted import Submission
from service.tenancy import Connection

COLUMNS = """
workload.workload_id, workload.operator_id, workload.user_id, workload.asset_id, workload.request, workload.workload_type,
workload.priority, workload.status, workload.energy_kwh, workload.power_kw, workload.duration_minutes,
workload.earliest_start, workload.deadline, workload.carbon_cap_gco2_kwh, workload.price_cap_gbp_mwh,
workload.carbon_to_cost_weight, workload.region_ids, workload.is_deferrable, workload.risk, workload.is_interruptible,
workload.max_chunks,
workload.min_chunk_minutes, workload.resume_overhead_minutes, workload.power_profile_kw::float8[] as power_profile_kw,
workload.is_pinned, workload.freeze_minutes, workload.run, workload.attempts, workload.max_attempts,
workload.failed_because, workload.estimated,
workload.unplaced_because, workload.actual_start, workload.actual_end, workload.actual_cost_gbp,
workload.actual_carbon_kg,
case
    when workload.actual_end is null or placement.chunks = 1 and placement.power_profile_kw is null
        or placement.placement_id is null
        then round(workload.power_kw * extract(epoch from workload.actual_end - workload.actual_start)::numeric / 3600, 6)
    else coalesce((
        select round(sum(power_kw * extract(epoch from ends_at - starts_at)::numeric / 3600), 6)
        from workload_run(placement.placement_id, workload.actual_start, workload.actual_end)
    ), 0)
end as actual_energy_kwh,
workload.created_at, workload.updated_at,
case when placement.placement_id is not null then to_jsonb(placement) - 'booking_number' || jsonb_build_object('chunks', (
    select jsonb_agg(jsonb_build_object(
        'starts_at', chunk.starts_at, 'ends_at', chunk.ends_at, 'started_at', ran.started_at, 'stopped_at', ran.stopped_at
    ) order by chunk.number)
    from app.placement_chunks as chunk
    left join app.workload_chunk_runs as ran on chunk.placement_id = ran.placement_id and chunk.number = ran.number
    where chunk.placement_id = placement.placement_id
)) end as placement
"""
SLACK = timedelta(minutes=5)
SKEW = timedelta(seconds=60)
"""By so much the clock of a caller may be wrong"""
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
    return {**row, "inconsistent": inconsistencies(row), "unknown": await _unknown(connection, row)}


async def _unknown(connection: Connection, row: dict[str, Any]) -> list[str]:
    """Why the carbon or the cost of a completed run is not known, in sentences; none if both are."""
    columns = {"actual_carbon_kg": "intensity", "actual_cost_gbp": "price"}
    lacking = {column: of for column, of in columns.items() if row[column] is None}
    if row["status"] != "completed" or row["placement"] is None or not lacking:
        return []
    cursor = await connection.execute(
        "select * from workload_unknown(%s::uuid, %s::smallint, %s, %s)",
        [row["placement"]["placement_id"], row["placement"]["region_id"], row["actual_start"], row["actual_end"]],
    )
    counts = await cursor.fetchone() or {}
    found = []
    for column, of in lacking.items():
        missing, synthetic = counts[f"{of}_missing"], counts[f"{of}_synthetic"]
        if missing or synthetic:
            reason = (
                f"of the {counts['half_hours']} half-hours in which it ran, {missing} have no {of} and {synthetic} only a "
                "synthetic one, which is no measurement"
            )
        elif counts["half_hours"]:
            reason = "when it was completed, a half-hour in which it ran had no real value; now all of them have one"
        else:
            reason = "it is not said to have run for any time"
        found.append(f"{column} is not known: {reason}.")
    return found


def inconsistencies(row: dict[str, Any]) -> list[str]:
    """What does not fit between how a workload was placed and how it is said to have run, in sentences."""
    began, ended, placed = row["actual_start"], row["actual_end"], row["placement"]
    found = []
    starts_at = datetime.fromisoformat(placed["starts_at"]) if placed else row["earliest_start"]
    if began is not None and began < starts_at - SLACK:
        found.append(f"It began at {spelled(began)}, before its place ({spelled(starts_at)}).")
    if began is not None and ended is not None:
        minutes, expected = (ended - began).total_seconds() / 60, float(row["duration_minutes"])
        is_split = placed is not None and len(placed["chunks"] or ()) > 1
        if is_split:  # with what lies between its chunks
            expected = (datetime.fromisoformat(placed["ends_at"]) - starts_at).total_seconds() / 60
        if abs(minutes - expected) > 0.1 * row["duration_minutes"]:
            whole = " from its first chunk to its last" if is_split else ""
            found.append(
                f"It ran for {minutes:.1f} minutes{whole}, not for {expected:g}: {row['actual_energy_kwh']:g} kWh are "
                f"counted, not {row['energy_kwh']:g}."
            )
    return found


@dataclass(frozen=True)
class Row:
    """A task that was accepted: its answer, how it was decided, and how it was sent."""

    answer: dict[str, Any]
    answer_as_sent: str
    """the same as JSON: it is sent, and kept"""
    decision: Decision
    submission: Submission
    drafted: Draft


async def ask_answered(connection: Connection, operator_id: UUID, keys: Sequence[str]) -> psycopg.AsyncCursor[DictRow]:
    """Ask what was answered to these Idempotency-Keys under this operator; `answered` reads a row of it."""
    return await connection.execute(
        "select operator_id, idempotency_key, request_sha256, answer::text as answer from app.compute_workloads "
        "where operator_id = %s and idempotency_key = any(%s)",
        [operator_id, list(keys)],
    )


def answered(row: Mapping[str, Any], fingerprint: bytes) -> str:
    """The answer that was kept. Raises Problem 409 where that was another request."""
    if bytes(row["request_sha256"]) != fingerprint:
        raise Problem(409, "this Idempotency-Key was used for another request; use a new one")
    return str(row["answer"])


def as_json(answer: dict[str, Any]) -> str:
    """An answer as it is sent and kept."""
    return _ENCODER.encode(answer).decode()


_ENCODER = msgspec.json.Encoder()
"""Instants in UTC end in Z, as `answers.spelled` has them"""


async def add(connection: Connection, rows: Sequence[Row], outlook: Outlook) -> None:
    """The workloads, their placements and what each agent said of them; within one transaction."""
    await _insert(connection, "compute_workloads", [_workload(row) for row in rows])
    placed = [row for row in rows if row.decision.options]
    await _insert(connection, "workload_placements", [placement(r.answer, r.decision, outlook) for r in placed])
    await _insert(connection, "placement_chunks", [c for r in placed for c in chunks(r.answer, r.decision)])
    await _insert(
        connection, "agent_negotiations", [n for r in rows for n in negotiation(r.answer, r.decision, outlook)]
    )


async def add_placement(
    connection: Connection,
    answer: dict[str, Any],
    decision: Decision,
    outlook: Outlook,
    attempt: int,
    replaces: UUID | None,
    reason: Literal["asked", "returned"],
) -> None:
    """Another placement of a workload, and why, and what each agent said of it."""
    made = {**placement(answer, decision, outlook), "reason": reason, "replaces": replaces}
    await _insert(connection, "workload_placements", [made])
    await _insert(connection, "placement_chunks", chunks(answer, decision))
    await _insert(connection, "agent_negotiations", negotiation(answer, decision, outlook, attempt))


async def _insert(connection: Connection, table: str, rows: Sequence[dict[str, Any]]) -> None:
    """All rows in one statement and one parameter: a parameter for each value of each row costs more than the insert."""
    if rows:
        names = ", ".join(rows[0])
        await connection.execute(
            f"insert into app.{table} ({names}) select {names} from json_populate_recordset(null::app.{table}, %s::json)",
            [_ENCODER.encode(rows).decode()],
        )


def _workload(row: Row) -> dict[str, Any]:
    asked, task = row.submission.asked, row.drafted.task
    return {
        **{name: row.answer[name] for name in ("workload_id", "operator_id", "energy_kwh", "duration_minutes", "status",
                                               "unplaced_because", "placement_id")},
        "user_id": row.submission.user.get("user_id"),
        "asset_id": asked.asset_id,
        "request": asked.request,
        "workload_type": row.drafted.workload_type,
        "priority": asked.priority,
        "power_kw": task.power_kw,
        "earliest_start": task.earliest,
        "deadline": task.deadline,
        "carbon_cap_gco2_kwh": task.carbon_cap_gco2_kwh,
        "price_cap_gbp_mwh": task.price_cap_gbp_mwh,
        "carbon_to_cost_weight": task.weight,
        "region_ids": sorted(task.regions) if task.regions else None,
        "is_deferrable": task.is_deferrable,
        "risk": task.risk,
        "is_interruptible": bool(asked.is_interruptible),
        "max_chunks": task.max_chunks,
        "min_chunk_minutes": task.min_chunk_minutes,
        "resume_overhead_minutes": task.resume_overhead_minutes,
        "power_profile_kw": list(task.power_profile_kw) or None,
        "is_pinned": asked.is_pinned,
        "freeze_minutes": asked.freeze_minutes,
        "run": asked.run.model_dump(exclude_none=True) if asked.run else None,
        "max_attempts": asked.max_attempts,
        "callback_url": asked.callback_url,
        "estimated": row.answer["estimated"],
        "idempotency_key": row.submission.key,
        "request_sha256": f"\\x{row.submission.fingerprint.hex()}",
        "answer": msgspec.Raw(row.answer_as_sent.encode()),
    }  # fmt: skip


def placement(answer: dict[str, Any], decision: Decision, outlook: Outlook) -> dict[str, Any]:
    """The time and place that was decided, as a row."""
    best = decision.options[0]
    return {
        **{name: answer[name] for name in ("placement_id", "workload_id", "operator_id", "power_kw")},
        "energy_kwh": answer["energy_kwh"] if len(best.chunks) == 1 else round(best.energy_kwh, 6),
        "chunks": len(best.chunks),
        "power_profile_kw": list(best.chunks[0].profile_kw) or None if len(best.chunks) == 1 else None,
        "venue": best.venue.key,
        "asset_id": best.venue.asset_id,
        "region_id": best.venue.region_id,
        "window_id": best.venue.window.window_id if best.venue.window else None,
        "starts_at": best.starts_at,
        "ends_at": best.ends_at,
        "capacity_kw": best.venue.capacity_kw,
        "mean_intensity_gco2_kwh": best.mean_gco2_kwh,
        "mean_price_gbp_mwh": best.mean_price_gbp_mwh,
        "carbon_kg": best.carbon_kg,
        "cost_gbp": best.cost_gbp,
        "synthetic_share": best.synthetic_share,
        "known_at": outlook.known_at,
    }


def chunks(answer: dict[str, Any], decision: Decision) -> list[dict[str, Any]]:
    """The pieces of a placement, as rows; of one piece the database makes its own."""
    pieces = decision.options[0].chunks
    if len(pieces) == 1:
        return []
    return [
        {
            "placement_id": answer["placement_id"],
            "number": number,
            "operator_id": answer["operator_id"],
            "starts_at": piece.starts_at,
            "ends_at": piece.ends_at,
            "power_kw": max(piece.profile_kw, default=answer["power_kw"]),
            "profile_kw": list(piece.profile_kw) or None,
        }
        for number, piece in enumerate(pieces, start=1)
    ]


def negotiation(answer: dict[str, Any], decision: Decision, outlook: Outlook, attempt: int = 1) -> list[dict[str, Any]]:
    """What each agent said, a row for each round."""
    return [
        {
            "workload_id": answer["workload_id"],
            "operator_id": answer["operator_id"],
            "attempt": attempt,
            "round": number,
            "agent": said.agent,
            "stance": said.stance,
            "proposals": list(said.proposals),
            "reasons": list(said.reasons),
            "known_at": outlook.known_at,
        }
        for number, said in enumerate(decision.rounds, start=1)
    ]
