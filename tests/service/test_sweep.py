"""What nobody asks for ends by itself: a lease whose runner has died, and work whose deadline has passed."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service import tokens
from service.app import create
from service.settings import ServiceSettings
from tests.service.conftest import TOKEN, Api
from tests.service.test_claims import NOW, claim
from warehouse.database import Database

PATIENCE = 30
PREFECTS = {"deployment": "example-job/example-job"}


@pytest.fixture
def api(grid: Database) -> Iterator[Api]:
    """A service that sweeps several times a second."""
    tokens.register(grid, TOKEN, label="tests")
    settings = ServiceSettings(service_sweep_seconds=0.1)
    with TestClient(create(grid, settings), headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        yield Api(client, grid)


def until(holds: Callable[[], Any]) -> None:
    ends = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.05)


def called_back(api: Api) -> None:
    """Each operator gets events, which go nowhere."""
    api.query(
        "insert into app.operator_callbacks (operator_id, url, secret) "
        "select operator_id, 'http://127.0.0.1:9/', 'whsec_' || repeat('A', 40) from app.operators"
    )


def finished(api: Api, workload_id: str) -> list[tuple[Any, ...]]:
    return api.query(
        "select facts ->> 'status', facts ->> 'failed_because' from app.callback_events "
        "where event = 'finished' and workload_id = %s",
        workload_id,
    )


def test_a_lease_that_ends_gives_back_though_nobody_asks_whosever_it_is(api: Api) -> None:
    for name in ("Alpha", "Beta"):
        api.asset(api.operator(name), name)
    called_back(api)
    last = api.submit(**NOW, headers=api.token("Alpha"), max_attempts=1)["workload_id"]
    again = api.submit(**NOW, headers=api.token("Beta"), max_attempts=2)["workload_id"]
    for workload_id in (last, again):
        assert claim(api, workload_id=workload_id, runner="gone", lease_seconds=1)
    until(lambda: api.get(f"/workloads/{last}")["status"] == "failed")
    until(lambda: api.get(f"/workloads/{again}")["status"] == "scheduled")
    because = "attempt 1 of 1 was the last: runner gone gave no sign until its lease ended"
    assert finished(api, last) == [("failed", because)]
    assert api.get(f"/workloads/{again}")["attempts"] == 1
    reasons = api.query("select reason from app.workload_placements where workload_id = %s order by placed_at", again)
    assert reasons == [("submitted",), ("returned",)]
    assert claim(api, workload_id=again)[0]["attempt"] == 2


def test_past_its_deadline_what_has_not_begun_ends_with_its_reason_and_its_event(api: Api) -> None:
    api.operator("Alpha", is_default=True)
    called_back(api)
    ids = {name: api.submit(**NOW)["workload_id"] for name in ("scheduled", "pending", "running")}
    ids["Prefect's"] = api.submit(**NOW, run=PREFECTS)["workload_id"]
    ids["without a place"] = api.submit(**NOW, run=PREFECTS)["workload_id"]
    handed_over(api, ids["Prefect's"])
    ids["in time"] = api.submit(**NOW)["workload_id"]
    for name in ("pending", "without a place"):
        api.client.patch(f"/workloads/{ids[name]}", json={"status": "pending"}).raise_for_status()
    assert claim(api, workload_id=ids["running"], lease_seconds=3600)
    days_pass(api, [workload_id for name, workload_id in ids.items() if name != "in time"])
    ended = ("scheduled", "pending", "without a place")
    until(lambda: {api.get(f"/workloads/{ids[name]}")["status"] for name in ended} == {"cancelled"})
    because = "its deadline passed before it began"
    for name in ended:
        assert api.get(f"/workloads/{ids[name]}")["failed_because"] == because
        assert finished(api, ids[name]) == [("cancelled", because)]
    statuses = {name: api.get(f"/workloads/{ids[name]}")["status"] for name in ids if name not in ended}
    assert statuses == {"running": "running", "Prefect's": "scheduled", "in time": "scheduled"}
    held = api.query("select count(*) from app.workload_placements where released_at is null")
    assert held == [(3,)], "what has ended holds no place"


def test_what_nothing_hands_to_prefect_ends_some_minutes_after_its_deadline(api: Api) -> None:
    api.operator("Alpha", is_default=True)
    called_back(api)
    ids = {name: api.submit(**NOW, run=PREFECTS)["workload_id"] for name in ("long ago", "just now", "begun", "ahead")}
    handed_over(api, ids["begun"])
    lies_back(api, [ids["long ago"], ids["begun"]], "11 minutes")
    lies_back(api, [ids["just now"]], "9 minutes")
    until(lambda: api.get(f"/workloads/{ids['long ago']}")["status"] == "cancelled")
    because = "its deadline passed before anything handed it to Prefect: is dispatch running? (make up)"
    assert api.get(f"/workloads/{ids['long ago']}")["failed_because"] == because
    assert finished(api, ids["long ago"]) == [("cancelled", because)]
    found = {name: api.get(f"/workloads/{ids[name]}") for name in ("just now", "begun", "ahead")}
    assert {one["status"] for one in found.values()} == {"scheduled"}, "each may still have its run"
    assert "nothing has handed it to Prefect" in found["just now"]["next_step"]
    assert found["begun"]["next_step"] is None and found["ahead"]["next_step"] is None
    held = api.query("select count(*) from app.workload_placements where released_at is null")
    assert held == [(3,)], "what has ended holds no place"


def handed_over(api: Api, workload_id: str) -> None:
    """As `dispatch` notes it."""
    api.query("update app.compute_workloads set flow_run_id = gen_random_uuid() where workload_id = %s", workload_id)


def test_what_a_clock_that_was_ahead_wrote_waits_no_longer_than_it_would_have(api: Api) -> None:
    api.operator("Alpha", is_default=True)
    called_back(api)
    workload_id = api.submit(**NOW, max_attempts=1)["workload_id"]
    assert claim(api, workload_id=workload_id, runner="gone", lease_seconds=2)
    api.query("update app.workload_claims set leased_until = leased_until + interval '3 hours'")
    api.query("update app.callback_events set next_attempt_at = clock_timestamp() + interval '3 hours', attempts = 0")
    until(lambda: api.get(f"/workloads/{workload_id}")["status"] == "failed")
    assert api.query("select count(*) from app.callback_events where next_attempt_at > now() + interval '1 hour'") == [
        (0,)
    ]


def lies_back(api: Api, workload_ids: list[str], how_long: str) -> None:
    """Have the deadlines of these workloads have passed so long ago, and their places with them."""
    with api.database.connect(autocommit=False) as connection:
        values = {"ids": workload_ids, "ago": how_long}
        for table in ("compute_workloads", "workload_placements"):
            connection.execute(f"alter table app.{table} disable trigger user")
        connection.execute(
            "update app.workload_placements set ends_at = clock_timestamp() - %(ago)s::interval, "
            "starts_at = clock_timestamp() - %(ago)s::interval - (ends_at - starts_at) "
            "where workload_id = any(%(ids)s::uuid[])",
            values,
        )
        connection.execute(
            "update app.compute_workloads set deadline = clock_timestamp() - %(ago)s::interval, "
            "earliest_start = clock_timestamp() - %(ago)s::interval - make_interval(mins => duration_minutes) "
            "where workload_id = any(%(ids)s::uuid[])",
            values,
        )
        for table in ("compute_workloads", "workload_placements"):
            connection.execute(f"alter table app.{table} enable trigger user")


def days_pass(api: Api, workload_ids: list[str]) -> None:
    """Have these workloads and their places lie thirty days further back."""
    with api.database.connect(autocommit=False) as connection:
        for table, columns in (
            ("compute_workloads", ("earliest_start", "deadline")), ("workload_placements", ("starts_at", "ends_at")),
        ):  # fmt: skip
            back = ", ".join(f"{column} = {column} - interval '30 days'" for column in columns)
            connection.execute(f"alter table app.{table} disable trigger user")
            connection.execute(f"update app.{table} set {back} where workload_id = any(%s::uuid[])", [workload_ids])
            connection.execute(f"alter table app.{table} enable trigger user")
