"""Re-planning: better places are taken and recorded, what is fixed stays, a plan that dies leaves the old one."""

import random
import threading
import time
from typing import Any

import psycopg
import pytest

from flows.replan import BUSY, Replanned, after_refresh, replan_all
from tests.service.conftest import Api, api  # noqa: F401
from warehouse import plans
from warehouse.database import Role
from warehouse.settings import DecisionSettings

ALWAYS = DecisionSettings(replan_gain_gbp=0, replan_gain_pct=0)
HELD = "select venue, starts_at from app.workload_placements where released_at is null and workload_id = %s"


@pytest.fixture
def house(api: Api) -> tuple[Api, dict[str, str]]:  # noqa: F811
    """One rack: the first task holds its best hours, the second the next best, and the third has no room at all."""
    operator = api.operator("House", is_default=True)
    api.asset(operator, kw=10)
    size = {"power_kw": 10, "duration_minutes": 240}
    names = {name: api.submit(f"Train {name}", **size)["workload_id"] for name in ("first", "second")}
    ((begins, ends),) = api.query(
        "select starts_at, ends_at from app.workload_placements where workload_id = %s", names["first"]
    )
    third = api.submit("Train third", **size, earliest_start=begins.isoformat(), deadline=ends.isoformat())
    assert third["status"] == "pending"
    return api, {**names, "third": third["workload_id"]}


def replanned(api: Api, settings: DecisionSettings = ALWAYS, **more: Any) -> Replanned:  # noqa: F811
    (found,) = replan_all(api.database, settings, **more)
    assert found.skipped is None, found.skipped
    return found


def cancel(api: Api, workload: str) -> None:  # noqa: F811
    assert api.client.patch(f"/workloads/{workload}", json={"status": "cancelled"}).status_code == 200


def test_a_place_that_is_free_again_is_taken_and_the_move_is_recorded(house: tuple[Api, dict[str, str]]) -> None:
    api, names = house  # noqa: F811
    before = api.query(HELD, names["second"])
    found = replanned(api)
    assert (found.considered, found.moved, found.placed, found.without_place) == (3, 0, 0, 1), "nothing better is free"
    for name in ("third", "first"):
        cancel(api, names[name])
    found = replanned(api)
    assert (found.considered, found.moved, found.placed) == (1, 1, 0)
    ((reason, gain, replaced, is_released, is_recent),) = api.query(
        "select new.reason, new.gain_gbp, old.starts_at, old.released_at is not null, new.known_at > now() - interval '1 minute' "
        "from app.workload_placements as new join app.workload_placements as old on new.replaces = old.placement_id "
        "where new.released_at is null"
    )
    assert (reason, replaced, is_released, is_recent) == ("replanned", before[0][1], True, True) and gain > 0
    assert api.query(HELD, names["second"]) != before
    kept = api.get(f"/workloads/{names['second']}")
    assert kept["status"] == "scheduled" and kept["placement"]["reason"] == "replanned"
    assert replanned(api).moved == 0, "a plan that stands is not changed"


def test_a_workload_without_a_place_is_tried_again(house: tuple[Api, dict[str, str]]) -> None:
    api, names = house  # noqa: F811
    for name in ("first", "second"):
        cancel(api, names[name])
    found = replanned(api)
    assert (found.moved, found.placed, found.without_place) == (0, 1, 0)
    rows = api.query("select reason, replaces from app.workload_placements where workload_id = %s", names["third"])
    assert rows == [("tried again", None)]
    assert api.get(f"/workloads/{names['third']}")["status"] == "scheduled"


@pytest.mark.parametrize("how", ["is_pinned = true", "freeze_minutes = 10080"])
def test_what_is_pinned_or_frozen_stays(house: tuple[Api, dict[str, str]], how: str) -> None:
    api, names = house  # noqa: F811
    cancel(api, names["third"])
    api.query(f"update app.compute_workloads set {how}")
    before = api.query(HELD, names["second"])
    cancel(api, names["first"])
    found = replan_all(api.database, ALWAYS)
    assert [(one.considered, one.moved) for one in found] == [(0, 0)]
    assert api.query(HELD, names["second"]) == before


def test_started_work_is_never_moved_and_a_small_gain_moves_nothing(house: tuple[Api, dict[str, str]]) -> None:
    api, names = house  # noqa: F811
    cancel(api, names["third"])
    cancel(api, names["first"])
    assert replanned(api, DecisionSettings(replan_gain_gbp=1e6)).moved == 0
    before = api.query(HELD, names["second"])
    api.query("update app.compute_workloads set status = 'running', actual_start = now() where status = 'scheduled'")
    assert replan_all(api.database, ALWAYS) == []
    assert api.query(HELD, names["second"]) == before


def test_a_dry_run_writes_nothing(house: tuple[Api, dict[str, str]]) -> None:
    api, names = house  # noqa: F811
    cancel(api, names["first"])
    count = "select count(*), count(released_at) from app.workload_placements"
    before = api.query(count)
    found = replanned(api, is_dry_run=True)
    assert api.query(count) == before
    again = replanned(api)
    assert (again.moved, again.placed) == (found.moved, found.placed)


def test_of_two_plans_at_once_one_is_skipped(house: tuple[Api, dict[str, str]]) -> None:
    api, _ = house  # noqa: F811
    ((operator,),) = api.query("select operator_id::text from app.operators")
    with api.database.connect(role=Role.SERVICE, autocommit=False) as other:
        other.execute(plans.LOCK, [operator])
        (found,) = replan_all(api.database, ALWAYS)
        assert found.skipped == BUSY
        assert after_refresh(api.database) == [], "that is no failure"
    replanned(api)


def test_a_plan_that_is_killed_leaves_the_old_one(house: tuple[Api, dict[str, str]]) -> None:
    api, names = house  # noqa: F811
    cancel(api, names["first"])
    dice, killed = random.Random(7), 0
    for _ in range(20):
        result: list[Any] = []

        def run(into: list[Any] = result) -> None:
            try:
                into.append(replan_all(api.database, ALWAYS))
            except psycopg.Error as error:
                into.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        time.sleep(dice.uniform(0, 0.15))
        while thread.is_alive():
            api.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'energy replan'")
            time.sleep(0.01)
        thread.join()
        killed += not isinstance(result[0], list) or any(one.skipped for one in result[0])
        ((scheduled, placed),) = api.query(
            "select count(*), count(placement.placement_id) from app.compute_workloads as workload left join "
            "app.workload_placements as placement on workload.placement_id = placement.placement_id "
            "and placement.released_at is null where workload.status = 'scheduled'"
        )
        assert scheduled == placed >= 1, "no workload is without the place that it had"
        ((twice,),) = api.query(
            "select count(*) from app.workload_placements as one join app.workload_placements as other "
            "on one.placement_id < other.placement_id and one.venue = other.venue and one.starts_at < other.ends_at "
            "and other.starts_at < one.ends_at where one.released_at is null and other.released_at is null"
        )
        assert twice == 0, "no capacity is given twice"
    assert killed >= 5
