"""The receipt of a workload, as it is answered; or why there is none yet, and when there will be one."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from service import costs, records
from service.answers import spelled
from service.problems import Problem
from service.tenancy import Connection

SETTLED_WITHIN = timedelta(hours=2)
"""After its end, if its actuals come in time: an hour until they are published, and one until the next run of `settle`"""
SETTLED_AT_LAST = timedelta(hours=50)
"""By then an actual that is still missing counts as missing"""
POSITION = (
    "Savings are attributional: energy times the average carbon intensity of the region's electricity, compared with another time "
    "or place. They are not what the grid emits less: when one user draws less, the plant at the margin answers, in Great "
    "Britain mostly gas. Savings by time and by place, and average and marginal figures, are never summed."
)
REFERENCES = (
    "docs/decisions/average_and_marginal.md",
    "Carbon Intensity API (NESO), regional intensity: for past half-hours the upstream's own estimate; CC BY 4.0",
    "N2EX day-ahead auction as published by NESO, GBP/MWh",
    "GHG Protocol Scope 2 Guidance, location-based method",
)
_ONE = """
select
    receipt.*,
    (select max(other.version) from app.receipts as other where other.workload_id = receipt.workload_id) as newest_version
from app.receipts as receipt
where receipt.workload_id = %(workload_id)s
    and case when %(version)s::integer is null then is_newest else version = %(version)s end
"""


async def read(connection: Connection, workload_id: UUID, version: int | None, now: datetime) -> dict[str, Any]:
    """A version of a receipt, or the newest. Raises Problem 404 with `expected_at` where there is none."""
    found = await records.one(connection, workload_id)
    row = await (await connection.execute(_ONE, {"workload_id": workload_id, "version": version})).fetchone()
    if row is None and version is not None:
        raise Problem(404, f"this workload's receipt has no version {version}; leave it out for the newest")
    if row is None:
        raise not_yet(found, now)
    return shown(row)


def not_yet(workload: Mapping[str, Any], now: datetime) -> Problem:
    """Why a workload has no receipt, and when it is to have one."""
    status, placed = workload["status"], workload["placement"]
    ended = workload["actual_end"]
    if status in ("pending", "scheduled", "running"):
        expected = datetime.fromisoformat(placed["ends_at"]) if placed else None
        if expected is None:
            return _none(f"it is {status}, without a place", None)
        return _none(f"it is {status}", max(expected, now) + SETTLED_WITHIN)
    if placed is None:
        return _none(
            f"it was {status} without a place, so there is nothing to settle; if it had one before, soon", None
        )
    ended = ended or datetime.fromisoformat(placed["released_at"] or placed["ends_at"])
    if now < ended + SETTLED_WITHIN:
        return _none("the actuals of its half-hours come first", ended + SETTLED_WITHIN)
    if now < ended + SETTLED_AT_LAST:
        return _none("an actual of its half-hours is late; without it, by then", ended + SETTLED_AT_LAST)
    return _none("the flow `settle` has not run since its half-hours are final; `python -m flows.settle` does", None)


def _none(because: str, expected_at: datetime | None) -> Problem:
    when = f" It is expected by {spelled(expected_at)}." if expected_at else ""
    problem = Problem(404, f"there is no receipt yet: {because}.{when}")
    problem.more["expected_at"] = None if expected_at is None else spelled(expected_at)
    return problem


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of `app.receipts` as it is answered."""

    def of(name: str) -> dict[str, Any]:
        figures = {unit: row[f"{name}_{unit}"] for unit in ("carbon_kg", "cost_gbp")}
        return figures if figures["cost_gbp"] is not None else {**figures, "cost_unknown_because": _why(row, name)}

    alike = (
        *("workload_id", "version", "newest_version", "status", "is_final", "final_at", "known_at", "settled_at"),
        *(
            "placement_id",
            "region_id",
            "first_region_id",
            "began_at",
            "ended_at",
            "energy_kwh",
            "work_kwh",
            "chunks",
            "moves",
        ),
        *("attempts", "carbon_to_cost_weight", "carbon_value_gbp_tonne", "notes"),
    )
    return {
        **{name: row[name] for name in alike},
        "promised": {
            "by_its_placement": of("promised"),
            "by_its_first_plan": of("first_promised"),
            "at_once": of("at_once_promised"),
        },
        **{name: of(name) for name in ("realised", "at_once", "at_once_here", "at_once_elsewhere", "first_plan")},
        "foresight": {
            **of("foresight"),
            "region_id": row["foresight_region_id"],
            "starts_at": row["foresight_starts_at"],
        },
        "savings": _savings(row) if row["status"] == "completed" and row["began_at"] is not None else None,
        "coverage": {
            "half_hours": row["half_hours"],
            "without_intensity": row["half_hours_without_intensity"],
            "without_price": row["half_hours_without_price"],
            "synthetic": row["half_hours_synthetic"],
            "share": row["coverage"],
        },
        "method": {
            "name": row["method"],
            "position": POSITION,
            "references": list(REFERENCES),
            "based_on": row["based_on"],
        },
    }


def _why(row: Mapping[str, Any], name: str) -> str:
    """Why a cost of a receipt is null."""
    if name in ("promised", "first_promised"):
        return costs.WHEN_PLACED
    if name == "at_once_promised":
        return "a half-hour of it had no day-ahead price then, or what was known then is not kept"
    if row["began_at"] is None:
        return "nothing ran"
    if row["energy_kwh"] is None:
        return "what it drew is not known"
    if name == "realised":
        return f"{row['half_hours_without_price']} of the {row['half_hours']} half-hours in which it ran have no price"
    return f"{costs.OF_A_RUN}, or nothing could be compared: see notes"


def _savings(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "against_at_once": _saved(row, "at_once", "realised"),
        "by_time": _saved(row, "at_once_here", "realised"),
        "by_place": _saved(row, "at_once_elsewhere", "at_once_here"),
        "captured_pct": _captured(row),
    }


def _saved(row: Mapping[str, Any], then: str, now: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for unit in ("carbon_kg", "cost_gbp"):
        was, came = row[f"{then}_{unit}"], row[f"{now}_{unit}"]
        found[unit] = None if was is None or came is None else round(was - came, 6)
    if found["cost_gbp"] is None:
        found["cost_unknown_because"] = costs.ONE_OF_TWO
    was = row[f"{then}_carbon_kg"]
    found["carbon_pct"] = round(100 * found["carbon_kg"] / was, 2) if was and found["carbon_kg"] is not None else None
    return found


def _captured(row: Mapping[str, Any]) -> float | None:
    weight, value = row["carbon_to_cost_weight"], row["carbon_value_gbp_tonne"] / 1000

    def score(name: str) -> float | None:
        carbon, cost = row[f"{name}_carbon_kg"], row[f"{name}_cost_gbp"]
        if (carbon is None and weight > 0) or (cost is None and weight < 1):
            return None
        return float(weight * value * (carbon or 0) + (1 - weight) * (cost or 0))

    at_once, realised, foresight = score("at_once"), score("realised"), score("foresight")
    if at_once is None or realised is None or foresight is None or at_once - foresight < 1e-9:
        return None
    return round(100 * (at_once - realised) / (at_once - foresight), 2)
