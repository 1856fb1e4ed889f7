"""Schema `app`: what the database never allows, whoever writes; examples; and the same without the right to make roles.

Every rule is tried in two databases: one with our roles, and one whose user owns it and no more, as on a hosted PostgreSQL.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from psycopg import errors
from psycopg.types.json import Jsonb
from sqlalchemy import MetaData

from warehouse.database import Database, Role, existing_roles
from warehouse.examples import add_examples
from warehouse.prepare import MIGRATIONS, prepare, set_up

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


@pytest.fixture(scope="module", params=KINDS)
def app(request: pytest.FixtureRequest, server: Database) -> Iterator[Database]:
    with made(server, request.param) as database:
        yield database


@pytest.fixture
def db(app: Database) -> Iterator[psycopg.Connection]:
    """A transaction that is undone afterwards."""
    with app.connect() as connection, connection.transaction(force_rollback=True):
        yield connection


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


def test_an_impossible_step_is_refused_and_the_possible_ones_are_named(db: psycopg.Connection) -> None:
    for before, road in ROADS.items():
        for after in set(STEPS) - {before}:
            this = workload(db, operator(db))
            for step in road:
                become(db, this, step)
            if after in STEPS[before]:
                become(db, this, after)
                continue
            with refused(db, errors.CheckViolation, "workload_status_step") as caught:
                db.execute("update app.compute_workloads set status = %s where workload_id = %s", [after, this])
            assert f"that is {before} cannot become {after}" in caught.value.diag.message_primary
            named = caught.value.diag.message_hint.removeprefix("from here: ").split(", ")
            assert set(named) == (STEPS[before] or {"nothing"})


def test_a_workload_begins_as_waiting_and_says_when_it_ran(db: psycopg.Connection) -> None:
    by = operator(db)
    for status in ("running", "completed", "failed", "cancelled"):
        with refused(db, errors.CheckViolation, "workload_status_step"):
            workload(db, by, status=status, actual_start=START, actual_end=START)
    with refused(db, errors.CheckViolation):
        workload(db, by, status="scheduled")  # without a place
    this = workload(db, by)
    become(db, this, "scheduled")
    for sets in ("status = 'running'", "status = 'running', actual_start = now(), actual_end = now()"):
        with refused(db, errors.CheckViolation):
            db.execute(f"update app.compute_workloads set {sets} where workload_id = %s", [this])
    become(db, this, "running", at=START)
    with refused(db, errors.CheckViolation):
        become(db, this, "completed", at=START - HOUR)
    become(db, this, "completed", at=START + HOUR)


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("operators", {"operator_type": "bank"}), ("operators", {"region_id": 19}), ("operators", {"name": " spaced"}),
    ("operators", {"email_domains": ["Example.com"]}), ("operators", {"metadata": Jsonb([])}),
    ("users", {"role": "king"}), ("users", {"email": "Ada@example.com"}), ("users", {"email": "no address"}),
    ("compute_assets", {"rated_power_kw": 0}), ("compute_assets", {"rated_power_kw": -5}),
    ("compute_assets", {"region_id": 15}), ("compute_assets", {"zone_id": "both"}), ("compute_assets", {"region_id": None}),
    ("compute_assets", {"max_deferral_minutes": -1}), ("compute_assets", {"carbon_cap_gco2_kwh": -1}),
    ("compute_workloads", {"workload_type": "mining"}), ("compute_workloads", {"priority": "now"}),
    ("compute_workloads", {"status": "lost"}), ("compute_workloads", {"energy_kwh": -10}),
    ("compute_workloads", {"kw": -10}), ("compute_workloads", {"minutes": 0}), ("compute_workloads", {"minutes": 10_081}),
    ("compute_workloads", {"energy_kwh": 20}), ("compute_workloads", {"energy_kwh": Decimal("9.98")}),
    ("compute_workloads", {"carbon_cap_gco2_kwh": -1}), ("compute_workloads", {"carbon_to_cost_weight": 2}),
    ("compute_workloads", {"region_ids": [13, 15]}), ("compute_workloads", {"deadline": START + HOUR / 2}),
    ("compute_workloads", {"request": ""}),
    ("workload_placements", {"venue": "moon:1"}), ("workload_placements", {"venue": "asset:1"}),
    ("workload_placements", {"region_id": 18}), ("workload_placements", {"ends_at": START}),
    ("workload_placements", {"power_kw": -1}), ("workload_placements", {"synthetic_share": 2}),
    ("workload_placements", {"capacity_kw": 9}), ("workload_placements", {"window_id": "w"}),
    ("agent_negotiations", {"agent": "boss"}), ("agent_negotiations", {"stance": "maybe"}),
    ("agent_negotiations", {"round": 0}), ("agent_negotiations", {"proposals": Jsonb({})}),
]  # fmt: skip


def test_wrong_words_negative_units_and_energy_that_is_not_power_by_time_are_refused(db: psycopg.Connection) -> None:
    by = operator(db)
    this = workload(db, by)
    said = {"workload_id": this, "operator_id": by, "round": 1, "agent": "head", "stance": "decided", "known_at": START}
    make: dict[str, Any] = {
        "operators": lambda **v: operator(db, **v),
        "users": lambda **v: add(db, "users", **{"email": "ada@example.com", "operator_id": by, **v}),
        "compute_assets": lambda **v: add(
            db, "compute_assets", **{"operator_id": by, "name": "rack", "region_id": 13, "rated_power_kw": 5, **v}
        ),
        "compute_workloads": lambda **v: workload(db, by, **v),
        "workload_placements": lambda **v: place(db, this, **v),
        "agent_negotiations": lambda **v: add(db, "agent_negotiations", **{**said, **v}),
    }
    for table, made_of in make.items():
        with db.transaction(force_rollback=True):
            made_of()
        for values in (v for name, v in WRONG if name == table):
            with refused(db, errors.CheckViolation) as caught:
                made_of(**values)
            assert caught.value.diag.table_name in (table, None), (table, values)  # None: by a trigger
    workload(db, by, energy_kwh=Decimal("10.009"))  # a rounding's worth off is the same


def test_an_address_is_one_user_however_it_is_written(db: psycopg.Connection) -> None:
    by, other = operator(db), operator(db)
    add(db, "users", email="ada@example.com", operator_id=by)
    with refused(db, errors.CheckViolation):
        add(db, "users", email="ADA@example.com", operator_id=by)
    with refused(db, errors.UniqueViolation):
        add(db, "users", email="ADA@example.com".lower(), operator_id=by)
    assert add(db, "users", email="ada@example.com", operator_id=other), (
        "nobody can tell by it that another has the address"
    )


def test_what_belongs_to_one_operator_is_of_no_use_to_another(db: psycopg.Connection) -> None:
    by, other = operator(db), operator(db)
    user = add(db, "users", email="ada@example.com", operator_id=by)
    asset = add(db, "compute_assets", operator_id=by, name="rack", region_id=13, rated_power_kw=50)
    for mine in ({"user_id": user}, {"asset_id": asset}):
        workload(db, by, **mine)
        with refused(db, errors.ForeignKeyViolation):
            workload(db, other, **mine)
    with refused(db, errors.ForeignKeyViolation):
        place(db, workload(db, other), asset_id=asset)


def test_the_deadline_the_deferral_and_the_asset_that_is_not_active_hold(db: psycopg.Connection) -> None:
    by = operator(db)
    rack = {"operator_id": by, "region_id": 13, "rated_power_kw": 50}
    patient = add(db, "compute_assets", name="patient", **rack)
    hasty = add(db, "compute_assets", name="hasty", max_deferral_minutes=90, **rack)
    idle = add(db, "compute_assets", name="idle", is_active=False, **rack)
    for where, at, constraint in (
        ({}, START - timedelta(seconds=1), "placement_deadline"),
        ({}, START + 23 * HOUR + timedelta(seconds=1), "placement_deadline"),
        ({"asset_id": idle}, START, "placement_asset"),
        ({"asset_id": hasty}, START + timedelta(minutes=91), "placement_deferral"),
    ):
        with refused(db, errors.CheckViolation, constraint):
            place(db, workload(db, by), at=at, **where)
    place(db, workload(db, by), at=START + 23 * HOUR)
    place(db, workload(db, by), at=START + timedelta(minutes=90), asset_id=hasty)
    place(db, workload(db, by), at=START + 23 * HOUR, asset_id=patient)


def test_a_capacity_is_never_given_twice_and_back_to_back_is_fine(db: psycopg.Connection) -> None:
    by = operator(db)
    asset = add(db, "compute_assets", operator_id=by, name="rack", region_id=13, rated_power_kw=30)
    _, second = (place(db, workload(db, by, kw=20), at=START + n * HOUR, asset_id=asset) for n in (0, 1))
    capacities = db.execute("select distinct capacity_kw from app.workload_placements").fetchall()
    assert capacities == [(30,)], "the asset says what it can carry, not who writes"
    for at in (START, START + HOUR / 2, START + HOUR * 1.99):
        with refused(db, errors.CheckViolation, "placement_capacity"):
            place(db, workload(db, by, kw=Decimal("10.001")), at=at, asset_id=asset)
    place(db, workload(db, by, minutes=120), asset_id=asset)  # what is left, over both
    db.execute("update app.workload_placements set released_at = now() where placement_id = %s", [second])
    place(db, workload(db, by, kw=20), at=START + HOUR, asset_id=asset)


def test_two_that_begin_at_one_instant_are_counted_once_each(db: psycopg.Connection) -> None:
    by = operator(db)
    for _ in range(2):
        place(db, workload(db, by, kw=10), at=START + HOUR, capacity_kw=30)
    place(db, workload(db, by, kw=10, minutes=120), capacity_kw=30)


def test_the_most_that_is_taken_at_any_instant_counts(db: psycopg.Connection) -> None:
    """Random bookings: taken exactly where plain Python finds room at every instant."""
    chance = random.Random(30)
    for capacity in (10, 25, 40):
        by, kept, refusals = operator(db), list[tuple[int, int, int]](), 0
        for _ in range(60):
            kw, begins, minutes = chance.randint(1, 9), chance.randrange(600), chance.choice((1, 30, 60, 200))
            moments = [begins, *(b for b, _, _ in kept if begins < b < begins + minutes)]
            peak = max(sum(k for b, e, k in kept if b <= moment < e) for moment in moments)
            this = workload(db, by, kw=kw, minutes=minutes)
            at = {"at": START + timedelta(minutes=begins), "capacity_kw": capacity}
            if peak + kw <= capacity:
                place(db, this, **at)
                kept.append((begins, begins + minutes, kw))
            else:
                refusals += 1
                with refused(db, errors.CheckViolation, "placement_capacity"):
                    place(db, this, **at)
        steps = db.execute("select instant, change_kw from app.capacity_taken(%s, %s, %s)", [
            [f"region:{by}/13"], START, START + 24 * HOUR
        ]).fetchall()  # fmt: skip
        for minute in range(0, 900, 7):
            moment = START + timedelta(minutes=minute)
            assert sum(kw for instant, kw in steps if instant <= moment) == sum(
                k for b, e, k in kept if b <= minute < e
            )
        assert 3 < refusals < 57


def test_a_capacity_is_not_given_twice_by_a_change_either(db: psycopg.Connection) -> None:
    by = operator(db)
    asset = add(db, "compute_assets", operator_id=by, name="rack", region_id=13, rated_power_kw=30)
    released = place(db, workload(db, by, kw=20), asset_id=asset)
    db.execute("update app.workload_placements set released_at = now() where placement_id = %s", [released])
    place(db, workload(db, by, kw=20), asset_id=asset)
    later = place(db, workload(db, by, kw=20), at=START + HOUR, asset_id=asset)
    for change, placement in (
        ("released_at = null", released),
        ("starts_at = starts_at - interval '1 hour', ends_at = ends_at - interval '1 hour'", later),
    ):
        with refused(db, errors.CheckViolation, "placement_is_kept"):
            db.execute(f"update app.workload_placements set {change} where placement_id = %s", [placement])


def test_a_workload_has_one_place_at_a_time_and_a_last_step_gives_it_back(db: psycopg.Connection) -> None:
    by = operator(db)
    for steps in (
        ("cancelled",),
        ("pending",),
        ("running", "cancelled"),
        ("running", "failed"),
        ("running", "completed"),
    ):
        this = workload(db, by)
        become(db, this, "scheduled")
        with refused(db, errors.UniqueViolation):
            place(db, this, at=START + 5 * HOUR)
        query = "select released_at is null from app.workload_placements where workload_id = %s"
        for step in steps:
            assert db.execute(query, [this]).fetchall() == [(True,)]
            become(db, this, step)
        assert db.execute(query, [this]).fetchall() == [(False,)], steps
        if steps == ("pending",):
            become(db, this, "scheduled", at=START + 5 * HOUR)
            assert len(db.execute(query, [this]).fetchall()) == 2


TABLES = (
    *("operators", "users", "compute_assets", "compute_workloads", "workload_placements", "placement_chunks"),
    *("workload_counts", "agent_negotiations", "receipts", "workload_claims", "operator_callbacks", "callback_events"),
    "workload_chunk_runs",
)


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


CATALOGUE = """
select 'table', oid::regclass::text, concat(relacl, relrowsecurity, relforcerowsecurity, relkind) from pg_class
where relnamespace::regnamespace::text in ('app', 'ops', 'public', 'staging', 'staging_incoming', 'intermediate')
union all select 'column', attrelid::regclass::text, concat(attname, attnum, atttypid, attnotnull) from pg_attribute
where attrelid in (select oid from pg_class where relnamespace::regnamespace::text in ('app', 'ops'))
union all select 'function', oid::regprocedure::text, concat(proacl, md5(prosrc)) from pg_proc
where pronamespace::regnamespace::text in ('app', 'public')
union all select 'policy', policyname, concat(tablename, roles, qual, with_check) from pg_policies
union all select 'constraint', conname, pg_get_constraintdef(oid) from pg_constraint
union all select 'trigger', tgname, pg_get_triggerdef(oid) from pg_trigger
union all select 'schema', nspname, nspacl::text from pg_namespace where nspname not like 'pg\\_%'
union all select 'setting', setrole::text, setconfig::text from pg_db_role_setting
union all select 'database', datname, datacl::text from pg_database where datname = current_database()
union all select 'version', version_num, '' from ops.alembic_version
union all select 'operator', name, metadata::text from app.operators
order by 1, 2, 3
"""


def test_preparing_again_changes_nothing_of_what_there_is(app: Database) -> None:
    with app.connect() as connection:
        before = connection.execute(CATALOGUE).fetchall()
        prepare(app)
        set_up(app)
        assert connection.execute(CATALOGUE).fetchall() == before
    assert {kind for kind, _, _ in before} >= {"table", "column", "function", "policy", "trigger", "setting", "version"}


def test_autogenerate_looks_at_schemas_app_and_ops_alone(app: Database) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["database"] = app
    script = ScriptDirectory.from_config(config)
    found: list[Any] = []

    def look(_revision: Any, context: Any) -> list[Any]:
        found.extend(compare_metadata(context, MetaData()))
        return []

    with app.connect() as connection:
        connection.execute("create schema theirs create table one (n int) create index on one (n)")
        connection.execute("create table public.of_dbt (n int); create table staging.of_dlt (n int)")
        with EnvironmentContext(config, script, fn=look):
            script.run_env()
        connection.execute("drop schema theirs cascade; drop table public.of_dbt, staging.of_dlt")
    tables = {(thing.schema, thing.name) for kind, thing in found if kind == "remove_table"}
    assert {schema for schema, _ in tables} == {"app", "ops"}
    assert {name for schema, name in tables if schema == "app"} == {*TABLES, "operator_tokens", "region_limit"}
    assert ("ops", "alembic_version") not in tables


def test_examples_come_once_and_into_an_embedded_database_alone(server: Database, app: Database) -> None:
    def operators(database: Database) -> list[tuple[Any, ...]]:
        with database.connect() as connection:
            return connection.execute("select name, metadata from app.operators").fetchall()

    assert operators(app) == [], "a database that was given is nobody's playground"
    if existing_roles(app) == frozenset():
        return
    with made(server, "with roles", is_embedded=True) as embedded:
        assert len(operators(embedded)) == 3 and all(
            metadata == {"example": True} for _, metadata in operators(embedded)
        )
        with embedded.connect() as connection:
            users = connection.execute("select email from users order by 1")
            assert [email for (email,) in users] == ["ada@example.net", "grace@example.org"]
            connection.execute("truncate app.operators cascade")
        prepare(embedded)
        assert operators(embedded) == []
        with embedded.connect() as connection:
            operator(connection, name="a real one")
        add_examples(embedded)
        assert operators(embedded) == [("a real one", {})]
