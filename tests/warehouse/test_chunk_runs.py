"""When chunks really ran: one after the other, under the claim that holds their workload, each started and stopped once."""

from uuid import UUID

import psycopg
import pytest
from psycopg import errors

from tests.warehouse.app_rows import HOUR, START, become, operator, place, refused, speak_for, workload
from tests.warehouse.test_chunks import of_two_hours, split
from warehouse.database import Database

THREE = [(0.0, 1.0), (3.0, 3 + 2 / 3), (6.0, 6 + 2 / 3)]
"""Hours after START: two hours of work, and ten minutes for each of two resumptions"""


def held(db: psycopg.Connection, this: UUID, placed: UUID) -> int:
    """Have a workload run by a placement under a claim; its token."""
    become(db, this, "scheduled", placement_id=placed)
    become(db, this, "running", attempts=1)
    return claimed(db, this)


def claimed(db: psycopg.Connection, this: UUID) -> int:
    row = db.execute(
        "insert into app.workload_claims (workload_id, operator_id, attempt, runner, lease_seconds, leased_until) "
        "select workload_id, operator_id, 1, 'a runner', 60, %s from app.compute_workloads where workload_id = %s "
        "returning token",
        [START + HOUR, this],
    ).fetchone()
    assert row
    return int(row[0])


def start(db: psycopg.Connection, placed: UUID, number: int, token: int, hours: float) -> None:
    db.execute(
        "insert into app.workload_chunk_runs (placement_id, number, token, workload_id, operator_id, started_at) "
        "select %s, %s, token, workload_id, operator_id, %s from app.workload_claims where token = %s",
        [placed, number, START + hours * HOUR, token],
    )


def stop(db: psycopg.Connection, placed: UUID, number: int, hours: float) -> None:
    db.execute(
        "update app.workload_chunk_runs set stopped_at = %s where placement_id = %s and number = %s",
        [START + hours * HOUR, placed, number],
    )


def ran(db: psycopg.Connection) -> list[tuple[int, float, float | None]]:
    """Number, start and stop of each, in hours after START."""
    rows = db.execute("select number, started_at, stopped_at from app.workload_chunk_runs order by number").fetchall()
    return [(number, (a - START) / HOUR, None if b is None else (b - START) / HOUR) for number, a, b in rows]


def test_chunks_run_one_after_the_other_and_each_once(app: Database, db: psycopg.Connection) -> None:
    by = operator(db)
    speak_for(db, app, by)
    placed = split(db, this := of_two_hours(db, by), THREE)
    token = held(db, this, placed)
    start(db, placed, 1, token, 0.25)
    with refused(db, errors.CheckViolation, "workload_chunk_runs_start"):
        start(db, placed, 2, token, 3)  # the first has not stopped
    with refused(db, errors.CheckViolation, "workload_chunk_runs_check"):
        stop(db, placed, 1, 0.2)
    stop(db, placed, 1, 1.25)
    with refused(db, errors.CheckViolation, "workload_chunk_runs_stop"):
        stop(db, placed, 1, 1.5)
    with refused(db, errors.CheckViolation, "workload_chunk_runs_start"):
        start(db, placed, 3, token, 1)  # while the first ran
    start(db, placed, 3, token, 6)
    stop(db, placed, 3, 6.5)
    with refused(db, errors.CheckViolation, "workload_chunk_runs_start"):
        start(db, placed, 2, token, 7)  # after a later one
    with refused(db, errors.UniqueViolation, "workload_chunk_runs"):
        start(db, placed, 3, token, 7)
    with refused(db, errors.ForeignKeyViolation, "workload_chunk_runs"):
        start(db, placed, 4, token, 7)
        db.execute("set constraints all immediate")
    assert ran(db) == [(1, 0.25, 1.25), (3, 6, 6.5)]


def test_a_chunk_is_of_the_placement_that_its_workload_runs_by(app: Database, db: psycopg.Connection) -> None:
    by = operator(db)
    speak_for(db, app, by)
    whole = workload(db, by)
    in_one = place(db, whole)
    token = held(db, whole, in_one)
    with refused(db, errors.CheckViolation, "workload_chunk_runs_start"):
        start(db, in_one, 1, token, 0)
    others = split(db, of_two_hours(db, by), THREE)
    with refused(db, errors.CheckViolation, "workload_chunk_runs_start"):
        start(db, others, 1, token, 0)


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_the_end_of_a_workload_is_the_end_of_its_chunk(app: Database, db: psycopg.Connection, status: str) -> None:
    by = operator(db)
    speak_for(db, app, by)
    placed = split(db, this := of_two_hours(db, by), THREE)
    token = held(db, this, placed)
    start(db, placed, 1, token, 0)
    stop(db, placed, 1, 1)
    start(db, placed, 2, token, 3)
    become(db, this, status, at=START + 4 * HOUR)
    (first, (number, began, ended)) = ran(db)
    assert first == (1, 0, 1) and (number, began) == (2, 3)
    ((said,),) = db.execute("select ended_at from app.workload_claims").fetchall()
    assert ended == (said - START) / HOUR
    with refused(db, errors.CheckViolation, "workload_chunk_runs_start"):
        start(db, placed, 3, token, 10**6)


def test_of_a_lease_that_was_lost_nobody_knows_when_its_chunk_stopped(app: Database, db: psycopg.Connection) -> None:
    by = operator(db)
    speak_for(db, app, by)
    placed = split(db, this := of_two_hours(db, by), THREE)
    token = held(db, this, placed)
    start(db, placed, 1, token, 0)
    db.execute("update app.workload_claims set ended_at = %s, outcome = 'lost' where token = %s", [START + HOUR, token])
    become(db, this, "pending")
    assert ran(db) == [(1, 0, None)]
