"""What the service cannot do to its own bookings, whatever SQL it sends: raise a capacity, take another's place, leak one."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from psycopg import errors

from tests.conftest import Energy
from tests.warehouse.test_app import HOUR, START, app, become, db, operator, place, refused, speak_for, workload  # noqa: F401
from warehouse.database import Database, Role, existing_roles, logins
from warehouse.prepare import MIGRATIONS, prepare

# (what is tried of a scheduled workload, the rule that refuses it)
PLACEMENT = "update app.workload_placements set {} where placement_id = %(mine)s"
WORKLOAD = "update app.compute_workloads set {} where workload_id = %(workload)s"
ATTACKS = (
    (PLACEMENT.format("capacity_kw = 1e9"), "placement_is_kept"),
    (PLACEMENT.format("capacity_kw = 1e9, power_kw = 5e6"), "placement_is_kept"),
    (PLACEMENT.format("venue = 'region:elsewhere/13'"), "placement_is_kept"),
    (
        PLACEMENT.format("starts_at = starts_at + interval '1 hour', ends_at = ends_at + interval '1 hour'"),
        "placement_is_kept",
    ),
    (PLACEMENT.format("carbon_kg = 0"), "placement_is_kept"),
    (PLACEMENT.format("workload_id = %(other)s"), "placement_is_kept"),
    (PLACEMENT.format("released_at = now(), carbon_kg = 0"), "placement_is_kept"),
    (PLACEMENT.format("released_at = now()"), "workload_booking"),
    (WORKLOAD.format("placement_id = %(theirs)s"), "workload_booking"),
    (WORKLOAD.format("placement_id = %(of_another_operator)s"), "workload_booking"),
    (
        WORKLOAD.format("placement_id = %(of_another_operator)s, status = 'running', actual_start = now()"),
        "workload_booking",
    ),
    (WORKLOAD.format("placement_id = null, status = 'running', actual_start = now()"), "workload_booking"),
    (WORKLOAD.format("power_kw = 5, energy_kwh = 5"), "workload_demand"),
    (WORKLOAD.format("duration_minutes = 30, energy_kwh = energy_kwh / 2"), "workload_demand"),
)


def scheduled(db: psycopg.Connection, by: UUID) -> tuple[UUID, UUID]:  # noqa: F811
    """A workload of that operator that has a place; both ids."""
    this = workload(db, by)
    become(db, this, "scheduled")
    row = db.execute("select placement_id from app.compute_workloads where workload_id = %s", [this]).fetchone()
    assert row
    return this, row[0]


@pytest.mark.parametrize(("statement", "rule"), ATTACKS)
def test_a_booking_is_what_was_decided(app: Database, db: psycopg.Connection, statement: str, rule: str) -> None:  # noqa: F811
    by, another = operator(db), operator(db)
    this, mine = scheduled(db, by)
    other, theirs = scheduled(db, by)
    _, of_another_operator = scheduled(db, another)
    db.execute("set constraints all immediate; set constraints all deferred")
    known = {
        "workload": this,
        "mine": mine,
        "other": other,
        "theirs": theirs,
        "of_another_operator": of_another_operator,
    }
    speak_for(db, app, by)
    with refused(db, errors.CheckViolation, rule):
        db.execute(statement, known)  # type: ignore[arg-type]
        db.execute("set constraints all immediate")
    for step in ("running", "completed"):
        become(db, this, step)
        db.execute("set constraints all immediate; set constraints all deferred")
    released = db.execute("select released_at is not null from app.workload_placements where placement_id = %s", [mine])
    assert released.fetchone() == (True,)


@pytest.mark.parametrize("status", ["pending", "cancelled", "completed", "failed"])
def test_a_workload_that_will_not_run_holds_no_capacity(app: Database, db: psycopg.Connection, status: str) -> None:  # noqa: F811
    by = operator(db)
    speak_for(db, app, by)
    this, _ = scheduled(db, by)
    for step in (*(("running",) if status in ("completed", "failed") else ()), status):
        become(db, this, step)
    db.execute("set constraints all immediate; set constraints all deferred")
    with refused(db, errors.CheckViolation, "workload_booking"):
        place(db, this, at=START + 5 * HOUR)
        db.execute("set constraints all immediate")
    with refused(db, errors.CheckViolation, "placement_is_kept"):
        db.execute("update app.workload_placements set released_at = null where workload_id = %s", [this])


def test_a_placement_takes_what_its_workload_needs(app: Database, db: psycopg.Connection) -> None:  # noqa: F811
    by = operator(db)
    speak_for(db, app, by)
    more: dict[str, Any]
    for more, rule in (
        ({"power_kw": 5e6, "capacity_kw": 1e9}, "placement_power"),
        ({"power_kw": 1}, "placement_power"),
        ({"energy_kwh": 1}, "placement_power"),
        ({"venue": "window:large", "window_id": "small"}, "placement_window"),
    ):
        with refused(db, errors.CheckViolation, rule):
            place(db, workload(db, by), **more)


def test_a_window_carries_no_more_than_its_catalogue_ever_said(energy: Energy) -> None:
    energy.refresh("beckn")
    window, most = energy.query(
        "select window_id, max(available_capacity_mw) * 1000 from grid_snapshots "
        "group by 1 having max(available_capacity_mw) > 1 limit 1"
    )[0]
    with energy.database.connect() as owner:
        by = operator(owner)
    with energy.database.connect(role=Role.SERVICE) as service, service.transaction(force_rollback=True):
        service.execute("select set_config('energy.operator_id', %s, true)", [str(by)])
        in_window = {"venue": f"window:{window}", "window_id": window}
        with refused(service, errors.CheckViolation, "placement_capacity"):
            place(service, workload(service, by), capacity_kw=most + 1, **in_window)
        place(service, workload(service, by), capacity_kw=most, **in_window)


def test_what_the_service_writes_in_one_transaction_is_looked_at_as_it_ends(energy: Energy) -> None:
    """Not only in a test that asks: a connection of the service that commits."""
    with energy.database.connect() as owner:
        by = operator(owner)

    def committed(change: Callable[[psycopg.Connection], Any]) -> None:
        with energy.database.connect(role=Role.SERVICE, autocommit=False) as service:
            service.execute("select set_config('energy.operator_id', %s, true)", [str(by)])
            change(service)

    committed(lambda service: scheduled(service, by))
    with pytest.raises(errors.CheckViolation, match="holds the placement that it names"):
        committed(lambda service: service.execute("update app.workload_placements set released_at = now()"))
    assert energy.query(
        "select status, released_at from app.compute_workloads join app.workload_placements using (placement_id)"
    ) == [("scheduled", None)]


def test_a_database_from_before_gets_the_rules_and_the_logins_and_loses_what_had_leaked(
    empty_database: Database,
) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["database"] = empty_database
    command.upgrade(config, "20261123_2200")
    with empty_database.connect() as owner:
        by = operator(owner)
        this, mine = scheduled(owner, by)
        leaked = place(owner, workload(owner, by), at=START + HOUR)
    prepare(empty_database)
    if existing_roles(empty_database):
        assert set(logins(empty_database)) == set(Role)
    with empty_database.connect() as owner:
        held = owner.execute("select placement_id from app.workload_placements where released_at is null").fetchall()
        assert held == [(mine,)] and leaked != mine
        with pytest.raises(errors.CheckViolation):
            place(owner, workload(owner, by), at=START + HOUR)
        become(owner, this, "running")
