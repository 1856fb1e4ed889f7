"""Two databases with schema `app`, and rows of it as the tests write them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from warehouse.database import Database, Role, existing_roles
from warehouse.prepare import prepare

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
KINDS = ("with roles", "plain owner")


@contextmanager
def made(server: Database, kind: str, *, is_embedded: bool = False) -> Iterator[Database]:
    """A prepared database of its own; the plain owner may make no roles and is a member of none."""
    database = replace(server, name=f"energy_app_{uuid4().hex}", is_embedded=is_embedded)
    with server.connect() as connection:
        connection.execute(f'create database "{database.name}" template template0')
        if kind == "plain owner":
            connection.execute("drop role if exists app_owner")
            connection.execute("create role app_owner login password 'plain'")
            connection.execute(f'alter database "{database.name}" owner to app_owner')
            database = replace(database, user="app_owner", password="plain")
    existing_roles.cache_clear()
    try:
        prepare(database)
        yield database
    finally:
        with server.connect() as connection:
            connection.execute(f'drop database "{database.name}" with (force)')
            if database.user != server.user:
                connection.execute(f"drop role {database.user}")


def add(db: psycopg.Connection, table: str, **values: Any) -> Any:
    """A row; the first column of what was made."""
    columns, places = ", ".join(values), ", ".join(["%s"] * len(values))
    row = db.execute(
        f"insert into app.{table} ({columns}) values ({places}) returning *", [*values.values()]
    ).fetchone()
    assert row
    return row[0]


def operator(db: psycopg.Connection, **more: Any) -> UUID:
    return add(db, "operators", **{"name": f"operator {uuid4()}", **more})  # type: ignore[no-any-return]


def workload(db: psycopg.Connection, operator_id: UUID, *, kw: Any = 10, minutes: int = 60, **more: Any) -> UUID:
    """A workload that may run from START on, for a day."""
    values = {"request": "try", "workload_type": "other", "earliest_start": START, "deadline": START + 24 * HOUR}
    size = {"power_kw": kw, "duration_minutes": minutes, "energy_kwh": Decimal(kw) * minutes / 60}
    return add(db, "compute_workloads", operator_id=operator_id, **{**values, **size, **more})  # type: ignore[no-any-return]


def place(db: psycopg.Connection, workload_id: UUID, *, at: datetime = START, **more: Any) -> UUID:
    """A placement of a workload, in region 13 unless something else is said."""
    found = db.execute(
        "select operator_id, power_kw, energy_kwh, duration_minutes from app.compute_workloads where workload_id = %s",
        [workload_id],
    ).fetchone()
    assert found
    operator_id, power_kw, energy_kwh, minutes = found
    asset_id = more.get("asset_id")
    values = {
        "workload_id": workload_id, "operator_id": operator_id, "power_kw": power_kw, "energy_kwh": energy_kwh,
        "venue": f"asset:{asset_id}" if asset_id else f"region:{operator_id}/13", "region_id": 13, "capacity_kw": 1000,
        "starts_at": at, "ends_at": at + timedelta(minutes=minutes), "mean_intensity_gco2_kwh": 100,
        "mean_price_gbp_mwh": 50, "carbon_kg": energy_kwh / 10, "cost_gbp": energy_kwh / 20, "synthetic_share": 0,
        "known_at": START,
    }  # fmt: skip
    return add(db, "workload_placements", **{**values, **more})  # type: ignore[no-any-return]


def become(db: psycopg.Connection, workload_id: UUID, status: str, *, at: datetime = START, **more: Any) -> None:
    """The next step of a workload, with what that step wants to have."""
    if status == "scheduled":
        more.setdefault("placement_id", None) or more.update(placement_id=place(db, workload_id, at=at))
    wanted = {"running": "actual_start", "completed": "actual_end", "failed": "actual_end"}.get(status)
    values = {"status": status, **({wanted: at} if wanted else {}), **more}
    sets = ", ".join(f"{column} = %s" for column in values)
    db.execute(f"update app.compute_workloads set {sets} where workload_id = %s", [*values.values(), workload_id])


@contextmanager
def refused(db: psycopg.Connection, error: type[psycopg.Error], constraint: str = "") -> Iterator[Any]:
    """What is done here is refused, by a constraint of this name; the transaction goes on."""
    with pytest.raises(error) as caught, db.transaction():
        yield caught
    assert constraint in (caught.value.diag.constraint_name or ""), caught.value


TABLES = (
    *("operators", "users", "compute_assets", "compute_workloads", "workload_placements", "placement_chunks"),
    *("workload_counts", "agent_negotiations", "receipts", "workload_claims", "operator_callbacks", "callback_events"),
    "workload_chunk_runs",
)
"""Schema `app`; each has an operator_id."""

STEPS = {
    "pending": {"scheduled", "cancelled"},
    "scheduled": {"pending", "running", "cancelled"},
    "running": {"completed", "failed", "cancelled"},
    "completed": set(),
    "failed": set(),
    "cancelled": set(),
}
ROADS = {
    "pending": (), "scheduled": ("scheduled",), "running": ("scheduled", "running"), "cancelled": ("cancelled",),
    "completed": ("scheduled", "running", "completed"), "failed": ("scheduled", "running", "failed"),
}  # fmt: skip


def chunk_ran(db: psycopg.Connection, this: UUID) -> None:
    """A chunk of a workload with a claim that ran, though neither its claim is open nor its placement in several."""
    db.execute("alter table app.workload_chunk_runs disable trigger user")
    db.execute(
        "insert into app.workload_chunk_runs (placement_id, number, token, workload_id, operator_id, started_at) "
        "select placement.placement_id, 1, claim.token, claim.workload_id, claim.operator_id, placement.starts_at "
        "from app.workload_claims as claim inner join app.workload_placements as placement using (workload_id) "
        "where claim.workload_id = %s",
        [this],
    )
    db.execute("alter table app.workload_chunk_runs enable trigger user")


def settle(db: psycopg.Connection, this: UUID, placed: UUID) -> None:
    """A receipt of a workload that ran as placed."""
    db.execute(
        "insert into app.receipts (workload_id, version, operator_id, status, placement_id, first_placement_id, region_id, "
        "first_region_id, began_at, ended_at, energy_kwh, work_kwh, duration_minutes, slack_minutes, carbon_to_cost_weight, "
        "carbon_value_gbp_tonne, half_hours, half_hours_without_intensity, half_hours_without_price, is_final, known_at, "
        "spans_from, spans_to, checked_at) select workload_id, 1, operator_id, 'completed', placement_id, placement_id, "
        "region_id, region_id, starts_at, ends_at, energy_kwh, energy_kwh, 60, 0, 1, 264, 2, 0, 0, false, starts_at, "
        "starts_at, ends_at, starts_at from app.workload_placements where placement_id = %s and workload_id = %s",
        [placed, this],
    )


def speak_for(db: psycopg.Connection, app: Database, operator_id: object) -> None:
    """As the service does: under its role, where there is one, and for one operator (or `all`)."""
    if Role.SERVICE in existing_roles(app):
        db.execute("set local role energy_service")
    db.execute("select set_config('energy.operator_id', %s, true)", [str(operator_id)])
