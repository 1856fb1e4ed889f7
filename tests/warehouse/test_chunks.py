"""Placements in several pieces: they do the work of their workload, and each piece keeps the capacity of its venue."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from psycopg import errors

from tests.warehouse.app_rows import HOUR, START, operator, place, refused, speak_for, workload
from warehouse.database import Database
from warehouse.prepare import MIGRATIONS, prepare

SPLIT = {"is_interruptible": True, "max_chunks": 3, "min_chunk_minutes": 30, "resume_overhead_minutes": 10}
Piece = tuple[float, float]
"""from, until: hours after START"""


def split(db: psycopg.Connection, this: UUID, pieces: list[Piece], **more: Any) -> UUID:
    """A placement in pieces, looked at as at the end of a transaction."""
    starts, ends = START + pieces[0][0] * HOUR, START + pieces[-1][1] * HOUR
    placed = place(db, this, at=starts, **{"ends_at": ends, "chunks": len(pieces), **more})
    for number, (begins, until) in enumerate(pieces, start=1):
        db.execute(
            "insert into app.placement_chunks (placement_id, number, operator_id, starts_at, ends_at, power_kw) "
            "select placement_id, %s, operator_id, %s, %s, power_kw from app.workload_placements where placement_id = %s",
            [number, START + begins * HOUR, START + until * HOUR, placed],
        )
    db.execute("set constraints app.chunks_hold, app.placement_chunks_hold immediate")
    db.execute("set constraints all deferred")
    return placed


def of_two_hours(db: psycopg.Connection, by: UUID, **more: Any) -> UUID:
    return workload(db, by, kw=10, minutes=120, **{**SPLIT, **more})


def test_a_run_in_one_piece_has_its_chunk_by_itself(app: Database, db: psycopg.Connection) -> None:
    by = operator(db)
    speak_for(db, app, by)
    placed = place(db, workload(db, by))
    rows = db.execute(
        "select number, starts_at, ends_at, power_kw from app.placement_chunks where placement_id = %s", [placed]
    )
    assert rows.fetchall() == [(1, START, START + HOUR, 10)]
    with refused(db, errors.CheckViolation, "placement_chunks"):
        db.execute(
            "insert into app.placement_chunks (placement_id, number, operator_id, starts_at, ends_at, power_kw) "
            "select placement_id, 2, operator_id, ends_at + interval '1 hour', ends_at + interval '2 hours', 1 "
            "from app.workload_placements where placement_id = %s",
            [placed],
        )
        db.execute("set constraints app.chunks_hold immediate")


WRONG: list[tuple[list[Piece], dict[str, Any]]] = [
    ([(0, 1), (3, 4)], {}),  # without the minutes that a resumption takes
    ([(0, 1), (3, 4.5)], {}),  # longer than the work
    ([(0, 1.75), (3, 3.25 + 1 / 6)], {}),  # the second does a quarter of an hour of the work
    ([(0, 1), (1, 2 + 1 / 6)], {}),  # no gap
    ([(2, 3), (0, 1 + 1 / 6)], {"ends_at": START + 3 * HOUR}),  # out of order
    ([(0, 1), (3, 4 + 1 / 6)], {"chunks": 3}),  # one is missing
    ([(0, 1), (3, 4 + 1 / 6)], {"ends_at": START + 6 * HOUR}),
    ([(0, 0.5), (1, 1.5 + 1 / 6), (2, 2.5 + 1 / 6), (3, 3.5 + 1 / 6)], {}),  # more than it may have
]


@pytest.mark.parametrize(("pieces", "more"), WRONG)
def test_chunks_that_do_not_do_the_work_are_refused(
    app: Database,
    db: psycopg.Connection,
    pieces: list[Piece],
    more: dict[str, Any],
) -> None:
    by = operator(db)
    speak_for(db, app, by)
    split(db, of_two_hours(db, by), [(0, 1), (3, 4 + 1 / 6)])
    with refused(db, errors.CheckViolation, "placement_chunks"):
        split(db, of_two_hours(db, by), pieces, **more)


def test_a_gap_between_chunks_is_free_for_others_and_a_chunk_is_not(app: Database, db: psycopg.Connection) -> None:
    by = operator(db)
    speak_for(db, app, by)
    split(db, of_two_hours(db, by), [(0, 1), (3, 4 + 1 / 6)], capacity_kw=15)
    place(db, workload(db, by), at=START + HOUR, capacity_kw=15)
    for at in (0.5, 2.5, 3.5):
        with refused(db, errors.CheckViolation, "placement_capacity"):
            place(db, workload(db, by), at=START + at * HOUR, capacity_kw=15)
    with refused(db, errors.CheckViolation, "placement_capacity"):
        split(db, of_two_hours(db, by), [(1.5, 2.5), (5, 6 + 1 / 6)], capacity_kw=15)
    taken = db.execute(
        "select extract(epoch from instant - %s)::float8 / 3600, change_kw::float8 from app.capacity_taken(array[%s], %s, %s)",
        [START, f"region:{by}/13", START, START + 9 * HOUR],
    ).fetchall()
    assert taken == [(0, 10), (1, 0), (2, -10), (3, 10), (pytest.approx(4 + 1 / 6), -10)], (
        "at 1 the other takes its place"
    )


def test_power_that_varies_is_counted_as_it_varies(app: Database, db: psycopg.Connection) -> None:
    by = operator(db)
    speak_for(db, app, by)
    profile = [18.0, 2.0]
    this = workload(db, by, kw=10, minutes=60, power_profile_kw=profile)
    with refused(db, errors.CheckViolation, "placement_chunks"):
        place(db, this)
    with refused(db, errors.CheckViolation, "placement_capacity"):
        place(db, this, power_profile_kw=profile, capacity_kw=17)
    place(db, this, power_profile_kw=profile, capacity_kw=20)
    with refused(db, errors.CheckViolation, "placement_capacity"):
        place(db, workload(db, by, minutes=30), capacity_kw=20)
    place(db, workload(db, by, minutes=30), at=START + HOUR / 2, capacity_kw=20)
    with refused(db, errors.CheckViolation, "placement_capacity"):
        place(db, workload(db, by, minutes=30), at=START + HOUR / 2, capacity_kw=20)


def test_chunks_are_neither_changed_nor_taken_away(app: Database, db: psycopg.Connection) -> None:
    by = operator(db)
    split(db, of_two_hours(db, by), [(0, 1), (3, 4 + 1 / 6)])
    with refused(db, errors.CheckViolation, "placement_is_kept"):
        db.execute("update app.placement_chunks set ends_at = ends_at + interval '1 minute'")


def test_a_move_names_what_it_replaced_once(app: Database, db: psycopg.Connection) -> None:
    by = operator(db)
    speak_for(db, app, by)
    this = workload(db, by)
    old = place(db, this)
    db.execute("update app.workload_placements set released_at = now() where placement_id = %s", [old])
    place(db, this, at=START + HOUR, reason="replanned", replaces=old, gain_gbp=0.1, released_at=START)
    with refused(db, errors.UniqueViolation):
        place(db, this, at=START + HOUR, reason="replanned", replaces=old)
    with refused(db, errors.CheckViolation):
        place(db, this, at=START + HOUR, reason="on a whim")


def test_a_database_from_before_has_one_chunk_for_each_placement(empty_database: Database) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["database"] = empty_database
    command.upgrade(config, "20261126_1110")
    with empty_database.connect() as owner:
        by = operator(owner)
        this = workload(owner, by)
        owner.execute("begin")
        placed = place(owner, this)
        owner.execute(
            "update app.compute_workloads set status = 'scheduled', placement_id = %s where workload_id = %s",
            [placed, this],
        )
        owner.execute("commit")
    prepare(empty_database)
    with empty_database.connect() as owner:
        chunks = owner.execute("select placement_id, number, ends_at - starts_at from app.placement_chunks").fetchall()
    assert chunks == [(placed, 1, timedelta(hours=1))]
