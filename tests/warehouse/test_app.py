"""Schema `app`: what the database never allows, whoever writes; examples; and the same without the right to make roles.

Every rule is tried in two databases: one with our roles, and one whose user owns it and no more, as on a hosted PostgreSQL.
"""

import random
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import errors
from psycopg.types.json import Jsonb

from tests.warehouse.app_rows import (
    HOUR,
    ROADS,
    START,
    STEPS,
    add,
    become,
    operator,
    place,
    refused,
    workload,
)


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
