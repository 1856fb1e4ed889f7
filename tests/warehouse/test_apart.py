"""One operator sees and writes its own rows alone, whoever writes."""

from uuid import UUID, uuid4

import psycopg
from psycopg import errors

from tests.warehouse.app_rows import (
    HOUR,
    START,
    TABLES,
    add,
    chunk_ran,
    operator,
    place,
    refused,
    settle,
    speak_for,
    workload,
)
from warehouse.database import Database


def populated(db: psycopg.Connection) -> UUID:
    """An operator with one row in each table."""
    by = operator(db)
    user = add(db, "users", email=f"{uuid4().hex}@example.com", operator_id=by)
    asset = add(db, "compute_assets", operator_id=by, name="rack", region_id=13, rated_power_kw=50)
    this = workload(db, by, user_id=user)
    placed = place(db, this, asset_id=asset)
    settle(db, this, placed)
    db.execute(
        "insert into app.workload_claims "
        "(workload_id, operator_id, attempt, runner, lease_seconds, leased_until, ended_at, outcome) "
        "values (%s, %s, 1, 'a runner', 60, %s, %s, 'lost')",
        [this, by, START, START],
    )
    chunk_ran(db, this)
    add(db, "operator_callbacks", operator_id=by, url="https://hooks.example.com/", secret="whsec_" + 44 * "a")
    event = {"number": 1, "event": "placed", "happened_at": START, "next_attempt_at": START}
    add(db, "callback_events", workload_id=this, operator_id=by, **event)
    said = {"round": 1, "agent": "head", "stance": "decided", "known_at": START}
    add(db, "agent_negotiations", workload_id=this, operator_id=by, **said)
    return by


def seen(db: psycopg.Connection) -> dict[str, set[UUID]]:
    return {t: {row[0] for row in db.execute(f"select operator_id from app.{t}")} for t in TABLES}


def test_who_speaks_for_an_operator_sees_and_writes_its_rows_alone(app: Database, db: psycopg.Connection) -> None:
    mine, theirs = populated(db), populated(db)
    for says, sees in ((mine, {mine}), (theirs, {theirs}), ("all", {mine, theirs}), (uuid4(), set())):
        speak_for(db, app, says)
        assert seen(db) == dict.fromkeys(TABLES, sees)
    speak_for(db, app, mine)
    workload(db, mine)
    for forbidden in (
        lambda: workload(db, theirs),
        lambda: add(db, "users", email="e@example.com", operator_id=theirs),
    ):
        with refused(db, errors.InsufficientPrivilege):
            forbidden()
    changed = db.execute("update app.compute_workloads set priority = 'low' where operator_id = %s", [theirs])
    assert changed.rowcount == 0


def test_who_sees_one_operator_cannot_book_what_another_has_taken(app: Database, db: psycopg.Connection) -> None:
    by, other = operator(db), operator(db)
    window = {"venue": "window:w1", "window_id": "w1", "capacity_kw": 15}
    for speaker in (by, other):
        speak_for(db, app, speaker)
        this = workload(db, speaker)
        if speaker == by:
            place(db, this, **window)
            continue
        with refused(db, errors.CheckViolation, "placement_capacity"):
            place(db, this, **window)
        steps = db.execute("select change_kw from app.capacity_taken('{window:w1}', %s, %s)", [START, START + HOUR * 2])
        assert steps.fetchall() == [(10,), (-10,)]
        assert seen(db)["workload_placements"] == set(), "it sees how much power is taken, and not by whom"


def test_a_user_comes_under_the_operator_of_its_domain_and_stays_there(app: Database, db: psycopg.Connection) -> None:
    by = operator(db, email_domains=["example.net"])
    speak_for(db, app, "all")
    of = {
        address: db.execute("select app.operator_for(%s)", [address]).fetchone()
        for address in ("a@example.net", "a@b.c")
    }
    assert of["a@example.net"] == (by,)
    default = db.execute("select operator_id from app.operators where is_default").fetchall()
    assert default == [of["a@b.c"]]
    link = "select is_new, failure from app.link_users('{a@example.net, b@example.net, a@example.net}', '{Ada, NULL, Ada}', %s)"
    linked = [db.execute(link, [to]).fetchall() for to in (by, by, default[0][0])]
    once, known = [(True, None), (True, None), (False, None)], [(False, None)] * 3
    assert linked == [once, known, once], "each operator has a user of its own by this address"
