"""operator_summary and user_workload_summary against plain counts of random populations; what a run emitted and cost."""

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import errors
from psycopg.rows import dict_row

from tests.dbt_project.test_best_windows import CLOCK_CHANGES, Grid, connection, grid  # noqa: F401  (fixtures)
from tests.dbt_project.test_views import HALF_HOUR
from tests.energy import Energy
from tests.warehouse.app_rows import HOUR, ROADS, START, add, become, operator, place, workload
from tests.warehouse.test_bookings import TWO_HOURS, in_chunks
from warehouse.prepare import limit_regions

Row = dict[str, Any]


@pytest.fixture
def db(energy: Energy) -> Iterator[psycopg.Connection]:
    with energy.database.connect() as opened:
        opened.execute("truncate app.operators cascade")  # the examples
        limit_regions(opened, 999_999)
        yield opened


def rows(db: psycopg.Connection, view: str, key: str) -> dict[UUID, Row]:
    with db.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(f"select * from {view}").fetchall()  # type: ignore[arg-type]
    assert len({row[key] for row in found}) == len(found)
    return {row[key]: row for row in found}


def some_workload(db: psycopg.Connection, chance: random.Random, by: UUID, user: UUID | None) -> Row:
    """A workload somewhere on its road: its status, energy, carbon and cost as a person would say them."""
    kw = Decimal(chance.randrange(1, 5000)) / 100
    this = workload(db, by, kw=kw, minutes=60, user_id=user)
    carbon = Decimal(chance.randrange(9999)) / 1000
    cost = chance.choice((None, Decimal(chance.randrange(-99, 999)) / 100))
    status = chance.choice(tuple(ROADS))
    said: Row = {"status": status, "energy": kw, "carbon": None, "cost": None, "user": user}
    back = status == "pending" and chance.random() < 0.3  # had a place, and gave it back
    for step in ("scheduled", "pending") if back else ROADS[status]:
        if step == "scheduled":
            placed = place(db, this, carbon_kg=carbon, cost_gbp=cost, capacity_kw=999_999)
            become(db, this, step, placement_id=placed)
            said |= {"carbon": carbon, "cost": cost}
        elif step in ("completed", "failed") and chance.random() < 0.6:
            said |= {"carbon": carbon * 2, "cost": Decimal(7)}
            become(db, this, step, at=START + HOUR, actual_carbon_kg=carbon * 2, actual_cost_gbp=7)
        else:
            become(db, this, step)
            if step in ("completed", "failed"):  # at the moment in which it began: it used nothing
                said |= {"energy": Decimal(0)}
    if back:
        said |= {"carbon": None, "cost": None}
    created = db.execute("select created_at from app.compute_workloads where workload_id = %s", [this]).fetchone()
    return said | {"created_at": created[0] if created else None}


def total(values: list[Decimal | None]) -> Decimal | None:
    known = [value for value in values if value is not None]
    return sum(known, Decimal(0)) if known else None


def of_operator(users: int, assets: list[tuple[int, bool]], workloads: list[Row]) -> Row:
    statuses = [one["status"] for one in workloads]
    return {
        "user_count": users, "asset_count": len(assets), "workload_count": len(workloads),
        "active_asset_count": len([kw for kw, is_active in assets if is_active]),
        "rated_power_kw": sum(kw for kw, is_active in assets if is_active), "active_workloads": statuses.count("running"),
        "waiting_workloads": statuses.count("pending") + statuses.count("scheduled"),
    }  # fmt: skip


def of_user(workloads: list[Row]) -> Row:
    statuses = [one["status"] for one in workloads]
    kept = [one for one in workloads if one["status"] != "cancelled"]
    counts = {
        f"{status}_workloads": statuses.count(status) for status in ("running", "completed", "failed", "cancelled")
    }
    return counts | {
        "total_workloads": len(workloads), "pending_workloads": statuses.count("pending") + statuses.count("scheduled"),
        "total_energy_kwh": sum(one["energy"] for one in kept), "total_carbon_kg": total([one["carbon"] for one in kept]),
        "total_cost_gbp": total([one["cost"] for one in kept]),
        "last_submitted_at": max((one["created_at"] for one in workloads), default=None),
    }  # fmt: skip


@pytest.mark.parametrize("seeds", [range(25), range(25, 50)], ids=str)
def test_both_summaries_count_as_plain_python_does(db: psycopg.Connection, seeds: range) -> None:
    for seed in seeds:
        chance = random.Random(seed)
        by_operator: dict[UUID, Row] = {}
        by_user: dict[UUID, Row] = {}
        with db.transaction(force_rollback=True):
            for _ in range(chance.randrange(5)):
                by = operator(db)
                users = [
                    add(db, "users", email=f"{n}@{by}.example.com", operator_id=by) for n in range(chance.randrange(5))
                ]
                assets = [(chance.randrange(1, 99), chance.random() < 0.6) for _ in range(chance.randrange(5))]
                for n, (kw, is_active) in enumerate(assets):
                    rack = {"name": str(n), "rated_power_kw": kw, "is_active": is_active, "region_id": 13}
                    add(db, "compute_assets", operator_id=by, **rack)
                made = [
                    some_workload(db, chance, by, chance.choice([None, *users])) for _ in range(chance.randrange(13))
                ]
                by_operator[by] = of_operator(len(users), assets, made)
                by_user |= {user: of_user([one for one in made if one["user"] == user]) for user in users}
            for view, key, wanted in (
                ("operator_summary", "operator_id", by_operator), ("user_workload_summary", "user_id", by_user),
            ):  # fmt: skip
                found = rows(db, view, key)
                assert set(found) == set(wanted)
                for one, row in found.items():
                    assert {column: row[column] for column in wanted[one]} == wanted[one], (seed, view)


def test_two_running_workloads_three_assets_and_four_users_are_two_three_and_four(db: psycopg.Connection) -> None:
    by = operator(db)
    for n in range(4):
        add(db, "users", email=f"{n}@example.com", operator_id=by)
    for n in range(3):
        add(db, "compute_assets", operator_id=by, name=str(n), region_id=13, rated_power_kw=5)
    for _ in range(2):
        this = workload(db, by)
        with db.transaction():  # a placement and the workload that holds it come together
            become(db, this, "scheduled")
        become(db, this, "running")
    row = rows(db, "operator_summary", "operator_id")[by]
    assert (row["active_workloads"], row["asset_count"], row["user_count"]) == (2, 3, 4)


def test_an_address_has_one_row_however_it_is_written(db: psycopg.Connection) -> None:
    by = operator(db)
    add(db, "users", email="ada@example.com", operator_id=by)
    for again, error in (("ADA@example.com", errors.CheckViolation), ("ada@example.com", errors.UniqueViolation)):
        with pytest.raises(error):
            add(db, "users", email=again, operator_id=by)
    assert [row["user_email"] for row in rows(db, "user_workload_summary", "user_id").values()] == ["ada@example.com"]


def test_a_view_shows_whoever_reads_it_no_more_than_its_own_rights(db: psycopg.Connection) -> None:
    both = [operator(db), operator(db)]
    for by in both:
        workload(
            db, by, user_id=add(db, "users", email=f"a@{by}.example.com", operator_id=by), deadline=START + 9999 * HOUR
        )
    for view in ("operator_summary", "user_workload_summary", "workload_opportunities"):
        for says, sees in (*((str(by), {by}) for by in both), ("all", set(both)), ("", set())):
            with db.transaction(force_rollback=True):
                db.execute("set local role energy_service")
                db.execute("select set_config('energy.operator_id', %s, true)", [says])
                assert {one for (one,) in db.execute(f"select operator_id from {view}")} == sees
        with pytest.raises(errors.InsufficientPrivilege), db.transaction():
            db.execute("set local role energy_reader")
            db.execute(f"select * from {view}")


def exact(values: dict[Any, Any], hours: dict[Any, Fraction], power: Decimal) -> Fraction | None:
    """Values (per MWh) over the hours that they held; None where one is not known, or synthetic."""
    if any(values.get(at, (None, False))[0] is None or values[at][1] for at in hours):
        return None
    return sum((Fraction(values[at][0]) * h for at, h in hours.items()), Fraction(0)) * Fraction(power) / 1000


def test_what_a_run_emitted_and_cost_is_what_plain_python_adds_up(grid: Grid, connection: psycopg.Connection) -> None:  # noqa: F811
    chance = random.Random(7)
    of_region: dict[int, dict[Any, Any]] = defaultdict(dict)
    for (region, at), value in grid.intensity.items():
        of_region[region][at] = value
    known = 0
    for _ in range(400):
        region = chance.choice((1, 2, 5, 7, 13, 14, 14, 3))
        offset = timedelta(seconds=chance.randrange(-129_600, 129_600, chance.choice((1, 1800))))
        began = chance.choice(CLOCK_CHANGES) + offset
        ended = began + timedelta(seconds=chance.choice((1, 600, 1800, 3600, 5000, 8000, 14_400)))
        power = Decimal(chance.choice(("6.5", "0.001", "1000", "33.333333")))
        query = "select kg, gbp from workload_emissions(%s::smallint, %s, %s, %s)"
        found = connection.execute(query, [region, began, ended, power]).fetchall()
        first = began - (began - CLOCK_CHANGES[0]) % HALF_HOUR
        spine = [first + n * HALF_HOUR for n in range(20) if first + n * HALF_HOUR < ended]
        hours = {
            at: Fraction((min(ended, at + HALF_HOUR) - max(began, at)) // timedelta(seconds=1), 3600) for at in spine
        }
        for value, values in zip(found[0], (of_region[region], grid.price), strict=True):
            wanted = exact(values, hours, power)
            assert (value is None) == (wanted is None), (region, began, ended)
            if wanted is not None:
                assert abs(Fraction(value) - wanted) <= Fraction(1, 20_000) + Fraction(1, 10**9)
                known += 1
    assert 200 < known < 800


def test_a_run_that_ended_before_it_began_did_not_take_carbon_out_of_the_air(
    grid: Grid,  # noqa: F811
    connection: psycopg.Connection,  # noqa: F811
) -> None:
    known = {at for region, at in grid.intensity if region == 13}
    for at in sorted(known)[:20]:
        for ended in (at + timedelta(minutes=5), at, at - timedelta(days=1)):
            query = "select kg, gbp from workload_emissions(13::smallint, %s, %s, 10)"
            found = connection.execute(query, [at + timedelta(minutes=10), ended]).fetchall()
            assert found == [(None, None)], (at, ended)


def test_a_run_draws_what_its_chunks_draw_minute_by_minute(db: psycopg.Connection) -> None:
    """Whenever it is said to have begun and ended: nothing between chunks; before the first and after the last as they draw."""
    chance = random.Random(20261126)
    with db.transaction(force_rollback=True):
        by = operator(db)
        profile = [Decimal(20), Decimal(0), Decimal(10), Decimal(10)]
        split = workload(db, by, minutes=120, power_profile_kw=profile, **TWO_HOURS | {"resume_overhead_minutes": 0})
        chunks = [
            {"begins": 0, "ends": 60, "kw": 20, "profile": profile[:2]},
            {"begins": 120, "ends": 180, "kw": 10, "profile": profile[2:]},
        ]
        in_pieces = in_chunks(db, split, chunks)
        whole = place(db, workload(db, by, minutes=120, power_profile_kw=profile), power_profile_kw=profile)
        planned = [20] * 30 + [0] * 30 + [0] * 60 + [10] * 60
        for _ in range(60):
            began = chance.randrange(-90, 200)
            ended = began + chance.randrange(1, 300)
            early, late = [20] * max(0, -began), [10] * max(0, ended - 180)
            of_chunks = [*early, *planned, *late][began + len(early) : ended + len(early)]
            of_profile = [*[20] * 30, *[0] * 30, *[10] * 300][: ended - began]
            for placement_id, minutes in ((in_pieces, of_chunks), (whole, of_profile)):
                ((kwh,),) = db.execute(
                    "select coalesce(sum(power_kw * extract(epoch from ends_at - starts_at) / 3600), 0) "
                    "from workload_run(%s, %s, %s)",
                    [placement_id, START + timedelta(minutes=began), START + timedelta(minutes=ended)],
                ).fetchall()
                assert kwh == pytest.approx(Decimal(sum(minutes)) / 60, abs=Decimal("1e-9")), (began, ended)


def test_a_chunk_that_was_reported_draws_from_when_it_started_until_it_stopped(db: psycopg.Connection) -> None:
    """Placed 0-60 (20 kW, then 0) and 120-180 (10 kW), in minutes; run from 10 to 200."""
    profile = [Decimal(20), Decimal(0), Decimal(10), Decimal(10)]
    chunks = [
        {"begins": 0, "ends": 60, "kw": 20, "profile": profile[:2]},
        {"begins": 120, "ends": 180, "kw": 10, "profile": profile[2:]},
    ]
    cases: list[tuple[dict[int, tuple[int, int | None]], list[tuple[int, int, int]]]] = [
        ({}, [(10, 30, 20), (120, 150, 10), (150, 200, 10)]),
        ({1: (15, 40), 2: (100, 190)}, [(15, 40, 20), (100, 130, 10), (130, 190, 10)]),
        ({1: (15, 50)}, [(15, 45, 20), (120, 150, 10), (150, 200, 10)]),
        ({1: (15, 130)}, [(15, 45, 20), (130, 150, 10), (150, 200, 10)]),
        ({2: (20, None)}, [(10, 20, 20), (20, 50, 10), (50, 200, 10)]),
        ({1: (0, 5)}, [(120, 150, 10), (150, 200, 10)]),
    ]
    for reported, drawn in cases:
        with db.transaction(force_rollback=True):
            by = operator(db)
            this = workload(db, by, minutes=120, power_profile_kw=profile, **TWO_HOURS | {"resume_overhead_minutes": 0})
            placed = in_chunks(db, this, chunks)
            (token,) = db.execute(
                "insert into app.workload_claims (workload_id, operator_id, attempt, runner, lease_seconds, leased_until, "
                "ended_at, outcome) values (%s, %s, 1, 'a runner', 60, now(), now(), 'lost') returning token",
                [this, by],
            ).fetchone() or (None,)
            db.execute("alter table app.workload_chunk_runs disable trigger user")
            for number, (started, stopped) in reported.items():
                values = {
                    "placement_id": placed,
                    "number": number,
                    "token": token,
                    "workload_id": this,
                    "operator_id": by,
                }
                stop = None if stopped is None else START + timedelta(minutes=stopped)
                add(db, "workload_chunk_runs", **values, started_at=START + timedelta(minutes=started), stopped_at=stop)
            found = db.execute(
                "select starts_at, ends_at, power_kw from workload_run(%s, %s, %s) order by starts_at",
                [placed, START + timedelta(minutes=10), START + timedelta(minutes=200)],
            ).fetchall()
            minutes = [
                ((a - START) / timedelta(minutes=1), (b - START) / timedelta(minutes=1), kw) for a, b, kw in found
            ]
            assert minutes == drawn, reported
