"""What the service cannot do to its own bookings, whatever SQL it sends: raise a capacity, take another's place, leak one."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import errors

from placement.chunks import Work
from placement.task import Task
from tests.energy import Energy
from tests.warehouse.app_rows import HOUR, START, become, operator, place, refused, speak_for, workload
from warehouse.database import Database, Role, existing_roles, logins
from warehouse.prepare import MIGRATIONS, limit_regions, prepare

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
    (WORKLOAD.format("max_chunks = 3, is_interruptible = true"), "workload_demand"),
)

# what only the owner of the database registers: capacity, domains, and what a user may do
OWNERS_ONLY = (
    "insert into app.compute_assets (operator_id, name, region_id, rated_power_kw) values (%(operator)s, 'x', 13, 9e8)",
    "insert into app.operators (operator_id, name, email_domains) values (%(operator)s, 'x', '{victim.example}')",
    "insert into app.users (email, operator_id, role) values ('boss@example.com', %(operator)s, 'admin')",
    "insert into app.users (email, operator_id, preferences) values ('x@example.com', %(operator)s, '{\"a\": 1}')",
    "update app.users set role = 'admin'",
    "update app.compute_assets set rated_power_kw = 9e8",
    "update app.operators set is_default = true",
)


def scheduled(db: psycopg.Connection, by: UUID) -> tuple[UUID, UUID]:
    """A workload of that operator that has a place; both ids."""
    this = workload(db, by)
    become(db, this, "scheduled")
    row = db.execute("select placement_id from app.compute_workloads where workload_id = %s", [this]).fetchone()
    assert row
    return this, row[0]


@pytest.mark.parametrize(("statement", "rule"), ATTACKS)
def test_a_booking_is_what_was_decided(app: Database, db: psycopg.Connection, statement: str, rule: str) -> None:
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


@pytest.mark.parametrize("statement", OWNERS_ONLY)
def test_the_service_registers_no_capacity_no_operator_and_no_rights(
    app: Database,
    db: psycopg.Connection,
    statement: str,
) -> None:
    by = operator(db)
    if not existing_roles(app):
        pytest.skip("without roles the service has the owner's rights")
    speak_for(db, app, by)
    with refused(db, errors.InsufficientPrivilege):
        db.execute(statement, {"operator": by})  # type: ignore[arg-type]


@pytest.mark.parametrize("status", ["pending", "cancelled", "completed", "failed"])
def test_a_workload_that_will_not_run_holds_no_capacity(app: Database, db: psycopg.Connection, status: str) -> None:
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


def test_a_placement_takes_what_its_workload_needs(app: Database, db: psycopg.Connection) -> None:
    by = operator(db)
    speak_for(db, app, by)
    more: dict[str, Any]
    for more, rule in (
        ({"power_kw": 5e6, "capacity_kw": 1e9}, "placement_capacity"),
        ({"power_kw": 500}, "placement_power"),
        ({"power_kw": 1}, "placement_power"),
        ({"energy_kwh": 1}, "placement_power"),
        ({"venue": "window:large", "window_id": "small"}, "placement_window"),
        ({"ends_at": START + timedelta(seconds=1)}, "placement_length"),
        ({"region_id": 7}, "placement_venue"),
        ({"venue": f"region:{uuid4()}/13"}, "placement_venue"),
        ({"venue": f"region:{by}/7"}, "placement_venue"),
        ({"venue": f"region:{by}/13 "}, "placement_venue"),
    ):
        with refused(db, errors.CheckViolation, rule):
            place(db, workload(db, by), **more)


@pytest.mark.slow
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
        with refused(service, errors.CheckViolation, "placement_capacity"):
            place(service, workload(service, by), venue="window:of nobody", window_id="of nobody")
        place(service, workload(service, by), capacity_kw=most, **in_window)


def test_what_a_region_carries_is_the_owners_to_say(app: Database, db: psycopg.Connection) -> None:
    limit_regions(db, 25)
    by, another = operator(db), operator(db)
    for speaker in (by, another):  # each of them has as much
        speak_for(db, app, speaker)
        for capacity_kw in (10, 30, 40, 1e9):
            with suppress(errors.CheckViolation), db.transaction():
                place(db, workload(db, speaker), capacity_kw=capacity_kw)
        booked = db.execute(
            "select sum(power_kw), max(capacity_kw) from app.workload_placements where operator_id = %s", [speaker]
        )
        assert booked.fetchone() == (20, 25)
    if existing_roles(app):
        for statement in (
            "update app.region_limit set capacity_kw = 1e9",
            "insert into app.region_limit values (false, 1)",
        ):
            with refused(db, errors.InsufficientPrivilege):
                db.execute(statement)  # type: ignore[arg-type]
    limits = db.execute("reset role").execute("select capacity_kw from app.region_limit").fetchall()
    assert limits == [(25,)]


def test_region_capacity_kw_is_what_bookings_are_held_to(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for set_to, expected in (("15", 15), ("0.25", Decimal("0.25")), ("", 1000)):
        monkeypatch.setenv("REGION_CAPACITY_KW", set_to)
        prepare(empty_database)
        with empty_database.connect() as owner:
            assert owner.execute("select capacity_kw from app.region_limit").fetchall() == [(expected,)]


TWO_HOURS = {"is_interruptible": True, "max_chunks": 4, "min_chunk_minutes": 30, "resume_overhead_minutes": 10}


def in_chunks(db: psycopg.Connection, this: UUID, chunks: list[dict[str, Any]], **more: Any) -> UUID:
    """A placement in chunks (`begins` and `ends` in minutes after START; power), looked at as at the end of a transaction."""
    starts, ends = START + timedelta(minutes=chunks[0]["begins"]), START + timedelta(minutes=chunks[-1]["ends"])
    placed = place(db, this, at=starts, **{"ends_at": ends, "chunks": len(chunks), **more})
    for number, chunk in enumerate(chunks, start=1):
        db.execute(
            "insert into app.placement_chunks (placement_id, number, operator_id, starts_at, ends_at, power_kw, profile_kw) "
            "select placement_id, %s, operator_id, %s, %s, %s, %s from app.workload_placements where placement_id = %s",
            [
                number, START + timedelta(minutes=chunk["begins"]), START + timedelta(minutes=chunk["ends"]),
                chunk["kw"], chunk.get("profile"), placed,
            ],
        )  # fmt: skip
    db.execute("set constraints app.chunks_hold, app.placement_chunks_hold immediate")
    db.execute("set constraints all deferred")
    return placed


SPAN = ({"begins": 0, "ends": 60}, {"begins": 180, "ends": 250})
POWERS: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    ({"kw": 0.001}, {"kw": 0.001}),
    ({"kw": 10}, {"kw": 0.001}),
    ({"kw": 10, "profile": [0, 0]}, {"kw": 10, "profile": [0, 0, 0]}),
    ({"kw": 10, "profile": [10, 10]}, {"kw": 10, "profile": [10, 10, 0]}),
    ({"kw": 10, "profile": [10]}, {"kw": 10}),
    ({"kw": 10, "profile": [10, 10, 10]}, {"kw": 10}),
    ({"kw": 10, "profile": [10, None]}, {"kw": 10}),
    ({"kw": 20}, {"kw": 10}),
    ({"kw": 0.001, "profile": [10, 10]}, {"kw": 10}),
)


@pytest.mark.parametrize("powers", POWERS)
def test_chunks_take_the_power_of_their_workload(
    app: Database,
    db: psycopg.Connection,
    powers: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    by = operator(db)
    speak_for(db, app, by)
    said = [{**span, **power} for span, power in zip(SPAN, powers, strict=True)]
    with refused(db, errors.CheckViolation, "placement_chunks"):
        in_chunks(db, workload(db, by, minutes=120, **TWO_HOURS), said)
    honest = [{**span, "kw": 10} for span in SPAN]
    in_chunks(db, workload(db, by, minutes=120, **TWO_HOURS), honest, capacity_kw=15)
    with refused(db, errors.CheckViolation, "placement_capacity"):
        in_chunks(db, workload(db, by, minutes=120, **TWO_HOURS), honest, capacity_kw=15)


def test_a_workload_does_not_grow_between_its_place_and_its_last_step(app: Database, db: psycopg.Connection) -> None:
    by = operator(db)
    speak_for(db, app, by)
    this = workload(db, by, kw=1)
    placed = place(db, this)
    for grown in ("", ", status = 'scheduled', placement_id = %(placed)s"):
        with refused(db, errors.CheckViolation, "workload_demand"):
            db.execute(
                f"update app.compute_workloads set power_kw = 10, energy_kwh = 10 {grown} where workload_id = %(this)s",
                {"this": this, "placed": placed},
            )


def test_a_profile_is_the_energy_of_its_workload(app: Database, db: psycopg.Connection) -> None:
    by = operator(db)
    speak_for(db, app, by)
    for profile in ([0.0, 0.0], [20.0], [10.0, 10.0, 10.0], [20.0, 20.0]):
        with refused(db, errors.CheckViolation, "workload_profile"):
            workload(db, by, power_profile_kw=profile)
    workload(db, by, power_profile_kw=[20.0, 0.0])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_chunks_as_they_are_decided_are_taken_and_a_watt_less_is_not(
    app: Database,
    db: psycopg.Connection,
    data: st.DataObject,
) -> None:
    """Any profile, resumption and division into half-hours: the database and `placement.split` agree on each half-hour."""
    slots = data.draw(st.integers(2, 7), label="half-hours of work")
    minutes = 30 * slots - data.draw(st.integers(0, 29), label="of which are not used")
    profile = [
        kw / 1000 for kw in data.draw(st.lists(st.integers(0, 20_000), min_size=slots, max_size=slots).filter(any))
    ]
    energy = sum(kw * min(30, minutes - 30 * at) for at, kw in enumerate(profile)) / 60
    resumes = data.draw(st.integers(0, 29), label="minutes of a resumption")
    task = Task(
        power_kw=energy * 60 / minutes, duration=timedelta(minutes=minutes), earliest=START, deadline=START + 24 * HOUR,
        weight=1.0, power_profile_kw=tuple(profile), max_chunks=3, min_chunk_minutes=1, resume_overhead_minutes=resumes,
    )  # fmt: skip
    work, count = Work(task), data.draw(st.integers(2, 3), label="chunks")
    used, begins, chunks = 0, 0, []
    for number in range(1, count + 1):
        left = work.total(count) - 30 * used
        is_last = number == count
        length = left if is_last else 30 * data.draw(st.integers(1, 2))
        if length <= (resumes if number > 1 else 0) or not (is_last or left > length):
            return  # no such division
        powers = [work.draws(number, used, slot)[1] for slot in range(-(-length // 30))]
        chunks.append({"begins": begins, "ends": begins + length, "kw": max(powers), "profile": powers})
        used, begins = used + len(powers), begins + 30 * len(powers) + 30
    drawn = data.draw(
        st.sampled_from([(c, s) for c, one in enumerate(chunks) for s, kw in enumerate(one["profile"]) if kw])
    )
    less = [dict(chunk) for chunk in chunks]
    less[drawn[0]]["profile"] = [
        kw - 0.001 if slot == drawn[1] else kw for slot, kw in enumerate(chunks[drawn[0]]["profile"])
    ]
    more = {**TWO_HOURS, "min_chunk_minutes": 1, "resume_overhead_minutes": resumes, "power_profile_kw": profile}
    with db.transaction(force_rollback=True):
        by = operator(db)
        speak_for(db, app, by)
        this = workload(db, by, kw=Decimal(task.power_kw), minutes=minutes, energy_kwh=Decimal(energy), **more)
        with refused(db, errors.CheckViolation, "placement_chunks"):
            in_chunks(db, this, less)
        in_chunks(db, this, chunks)


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
