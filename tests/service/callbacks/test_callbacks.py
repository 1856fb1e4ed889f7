"""Callbacks of workloads: nothing is lost, their order is kept, nobody waits for a receiver, and no secret gets out."""

import logging
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service import tokens
from service.app import create
from service.callbacks import deliveries, subscriptions
from service.settings import ServiceSettings
from tests.conftest import copy_database
from tests.service.callbacks.receiver import Receiver, receiving, until, verify
from tests.service.conftest import TOKEN, Api
from warehouse.database import Database, existing_roles
from warehouse.errors import UsageError

NOW = {"is_deferrable": False, "power_kw": 1, "duration_minutes": 60}
"""A task that is due as soon as it is submitted"""
QUICK = {
    "service_callback_networks": "127.0.0.0/8",
    "service_callback_retry_seconds": 0.05,
    "service_callback_seconds": 2,
}


@contextmanager
def serving(grid: Database, **settings: Any) -> Iterator[Api]:
    tokens.register(grid, TOKEN, label="tests")
    app = create(grid, ServiceSettings(**{**QUICK, **settings}))
    with TestClient(app, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        yield Api(client, grid)


@pytest.fixture(scope="module")
def copied(server: Database, grid_template: Database) -> Iterator[Database]:
    """A copy of `grid` for all tests of this module."""
    fresh = replace(grid_template, name=f"{grid_template.name}_callbacks")
    copy_database(server, grid_template, fresh)
    yield fresh
    with server.connect() as connection:
        connection.execute(f'drop database if exists "{fresh.name}" with (force)')


@pytest.fixture
def grid(copied: Database) -> Database:
    """Without an operator, and so without a workload."""
    existing_roles.cache_clear()
    with copied.connect() as connection:
        connection.execute("truncate app.operators cascade")
        connection.execute("insert into app.operators (name, is_default) values ('House', true)")
    return copied


@pytest.fixture
def api(grid: Database) -> Iterator[Api]:
    with serving(grid) as made:
        yield made


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def call_back(api: Api, url: str | None, status: int = 200, **more: Any) -> dict[str, Any]:
    ((operator_id,),) = api.query("select operator_id::text from app.operators where is_default")
    answer = api.client.put("/callback", params={"operator_id": operator_id}, json={"url": url, **more})
    assert answer.status_code == status, answer.text
    return dict(answer.json())


def change(api: Api, workload_id: str, status: str) -> None:
    answer = api.client.patch(f"/workloads/{workload_id}", json={"status": status})
    assert answer.status_code == 200, answer.text


def waiting(api: Api) -> int:
    return int(
        api.query(
            "select count(*) from app.callback_events where delivered_at is null and given_up_at is null and happened_at <= now()"
        )[0][0]
    )


def test_the_events_of_a_workload_are_sent_from_its_place_to_its_end(api: Api, receiver: Receiver) -> None:
    secret = call_back(api, receiver.url)["secret"]
    made = api.submit(**NOW)
    workload_id = made["workload_id"]
    for status in ("running", "completed"):
        change(api, workload_id, status)
    until(lambda: receiver.types(workload_id) == ["placed", "due", "finished"])
    assert all(verify(secret, headers, body) for headers, body in receiver.requests)
    placed, due, finished = (event["data"] for event in receiver.events)
    assert [event["number"] for event in (placed, due, finished)] == [1, 2, 3]
    assert (
        placed["placement"]["starts_at"] == made["placement"]["starts_at"]
        and placed["placement"]["synthetic_share"] == 0
    )
    assert len(placed["placement"]["chunks"]) == 1 and placed["placement"]["reason"] == "submitted"
    assert receiver.events[1]["timestamp"] == made["placement"]["starts_at"]
    assert finished["finished"]["status"] == "completed" and finished["finished"]["actual_end"].endswith("Z")
    kept = api.get(f"/workloads/{workload_id}")
    assert finished["finished"]["actual_carbon_kg"] == kept["actual_carbon_kg"]
    assert waiting(api) == 0


def test_a_move_takes_back_the_start_that_was_ahead(api: Api, receiver: Receiver) -> None:
    call_back(api, receiver.url)
    workload_id = api.submit(power_kw=1, duration_minutes=60, earliest_start=in_hours(3))["workload_id"]
    until(lambda: receiver.types(workload_id) == ["placed"])
    assert api.client.post(f"/workloads/{workload_id}/placement").status_code == 200
    until(lambda: receiver.types(workload_id) == ["placed", "moved"])
    events = "select event, number from app.callback_events order by number"
    assert api.query(events) == [("placed", 1), ("moved", 2), ("due", 3)]
    change(api, workload_id, "cancelled")
    until(lambda: receiver.types(workload_id) == ["placed", "moved", "finished"])
    assert [event["data"]["number"] for event in receiver.events] == [1, 2, 3]


def in_hours(hours: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600 * hours))


def test_a_receiver_that_was_down_misses_nothing_and_the_order_is_kept(api: Api) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    call_back(api, f"http://127.0.0.1:{port}/hook")
    tasks = [api.submit(**NOW)["workload_id"] for _ in range(20)]
    for workload_id in tasks:
        change(api, workload_id, "running")
        change(api, workload_id, "completed")
    until(lambda: api.query("select max(attempts) >= 3 from app.callback_events")[0][0])
    assert waiting(api) == 60
    with receiving(port) as receiver:
        receiver.status = 503
        time.sleep(0.3)
        receiver.status = 200
        until(lambda: waiting(api) == 0)
        assert {tuple(receiver.types(workload_id)) for workload_id in tasks} == {("placed", "due", "finished")}
        assert len(receiver.requests) == 60


def test_a_decision_does_not_wait_for_a_receiver_and_a_slow_one_holds_up_no_other(api: Api, receiver: Receiver) -> None:
    """The slow one is held for far longer than all of the rest takes."""
    call_back(api, receiver.url)
    with receiving() as slow:
        slow.seconds = 30
        begun = time.monotonic()
        held = [api.submit(**NOW, callback_url=slow.url)["workload_id"] for _ in range(30)]
        assert time.monotonic() - begun < 15
        quick = [api.submit(**NOW)["workload_id"] for _ in range(10)]
        until(lambda: all(receiver.types(one) == ["placed", "due"] for one in quick))
        assert not slow.requests and not any(receiver.types(one) for one in held)


def test_a_callback_goes_to_no_private_address_and_follows_no_redirect(grid: Database, receiver: Receiver) -> None:
    with serving(grid, service_callback_networks="") as api, receiving() as private:
        for url in (receiver.url, "http://localhost/", "http://169.254.169.254/latest/meta-data"):
            assert "public" in call_back(api, url, 422)["detail"]
        call_back(api, None)
        assert "public" in api.submit(status=422, **NOW, callback_url=receiver.url)["detail"]
        workload_id = api.submit(**NOW, callback_url=receiver.url.replace("127.0.0.1", "localhost"))["workload_id"]
        until(lambda: failures(api) == {"refused: its host must lead to public addresses alone, and does not "
                                        "(SERVICE_CALLBACK_NETWORKS allows private networks)"})  # fmt: skip
        assert receiver.requests == []
        api.query("delete from app.compute_workloads")
    with serving(grid, service_callback_networks="127.0.0.1/32") as api, receiving() as private:
        receiver.status, receiver.location = 307, private.url
        workload_id = api.submit(**NOW, callback_url=receiver.url)["workload_id"]
        until(lambda: failures(api) == {"the receiver answers 307, and redirects are not followed"})
        receiver.status, receiver.location = 200, None
        until(lambda: receiver.types(workload_id) == ["placed", "due"])
        assert private.requests == []


def failures(api: Api) -> set[str]:
    return {row[0] for row in api.query("select last_failure from app.callback_events where last_failure is not null")}


def test_what_cannot_be_delivered_is_given_up_after_its_time(grid: Database) -> None:
    with serving(grid, service_callback_hours=1 / 3600) as api:
        api.query(
            "insert into app.operator_callbacks select operator_id, 'http://127.0.0.1:1025/', 'whsec_' || repeat('a', 44) "
            "from app.operators"
        )
        api.submit(**NOW)
        until(lambda: api.query("select count(*) from app.callback_events where given_up_at is not null") == [(2,)])
        ((operator_id,),) = api.query("select operator_id::text from app.operators")
        shown = api.get("/callback", params={"operator_id": operator_id})
        assert (shown["waiting"], shown["given_up"]) == (0, 2) and "cannot be reached" in shown["last_failure"]


def test_what_no_service_could_send_for_days_is_sent_once_and_what_waits_behind_another_waits_as_long(
    grid: Database, receiver: Receiver
) -> None:
    with serving(grid) as api:
        receiver.status = 500
        call_back(api, receiver.url)
        tried, untried = (api.submit(**NOW)["workload_id"] for _ in range(2))
        until(lambda: len(failures(api)) == 1)
    api.query(
        "update app.callback_events set happened_at = happened_at - interval '3 days', next_attempt_at = now(), "
        "attempts = case when workload_id = %s then 0 else attempts end",
        untried,
    )
    receiver.status = 200
    with serving(grid) as api:
        until(lambda: receiver.types(untried) == ["placed", "due"])
        until(lambda: waiting(api) == 0)
        assert receiver.types(tried) == ["due"], "its first was tried, and is too old"
        receiver.status = 500
        later = api.submit(**NOW)["workload_id"]
        until(lambda: api.query("select attempts > 0 from app.callback_events where workload_id = %s", later)[0][0])
        pushed = "select bool_and(next_attempt_at > now() - interval '1 second') from app.callback_events where workload_id = %s"
        until(lambda: api.query(pushed, later) == [(True,)])


def test_two_services_send_each_event_once_and_in_order(grid: Database, receiver: Receiver) -> None:
    with serving(grid) as api, serving(grid):
        call_back(api, receiver.url)
        tasks = [api.submit(**NOW)["workload_id"] for _ in range(20)]
        until(lambda: waiting(api) == 0)
        assert {tuple(receiver.types(one)) for one in tasks} == {("placed", "due")} and len(receiver.requests) == 40


def test_an_event_that_a_killed_service_had_claimed_is_sent_by_another(grid: Database, receiver: Receiver) -> None:
    with serving(grid) as api:
        receiver.status = 500
        call_back(api, receiver.url)
        workload_id = api.submit(**NOW)["workload_id"]
        until(lambda: failures(api))
    api.query("update app.callback_events set attempts = 7, next_attempt_at = now() + interval '1 second'")
    receiver.status = 200
    with serving(grid):
        until(lambda: receiver.types(workload_id) == ["placed", "due"])


def test_an_operator_sets_its_own_and_no_secret_is_shown_again(
    api: Api, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("Alpha", "Beta"):
        api.asset(api.operator(name), name)
    alpha, beta = api.token("Alpha"), api.token("Beta")
    assert api.client.get("/callback", headers=alpha).status_code == 404
    assert "secret" in api.client.post(
        "/submit_task", json={"request": "x", "callback_url": receiver.url}, headers=alpha
    ).json()["detail"]  # fmt: skip
    url = f"{receiver.url}?key=path-secret"
    made = api.client.put("/callback", json={"url": url}, headers=alpha)
    secret = made.json()["secret"]
    assert secret.startswith("whsec_")
    again = api.client.put("/callback", json={"url": url}, headers=alpha)
    assert again.json()["secret"] is None
    shown = api.client.get("/callback", headers=alpha)
    assert shown.json()["sends_to"] == receiver.url.removesuffix("/hook")
    assert api.client.get("/callback", headers=beta).status_code == 404
    ((other,),) = api.query("select operator_id::text from app.operators where name = 'Alpha'")
    assert api.client.get("/callback", params={"operator_id": other}, headers=beta).status_code == 422
    receiver.status = 500
    api.submit(**NOW, headers=alpha)
    until(lambda: failures(api))
    receiver.status = 200
    until(lambda: waiting(api) == 0)
    assert all(verify(secret, *one) for one in receiver.requests)
    renewed = api.client.put("/callback", json={"url": url, "is_renewed": True}, headers=alpha).json()["secret"]
    own = "whsec_" + "QUJD" * 12
    assert renewed not in (None, secret)
    assert api.client.put("/callback", json={"url": url, "secret": own}, headers=alpha).json()["secret"] is None
    assert api.client.put("/callback", json={"url": url, "secret": "whsec_x"}, headers=alpha).status_code == 422
    said = caplog.text + again.text + shown.text + str(failures(api))
    assert "path-secret" not in said and not any(one in said for one in (secret, renewed, own))
    assert api.client.delete("/callback", headers=alpha).json()["forgotten"] == 0
    api.submit(**NOW, headers=alpha)
    assert api.query("select count(*) from app.callback_events") == [(0,)]


def test_events_are_counted(api: Api, receiver: Receiver) -> None:
    call_back(api, receiver.url)
    api.submit(**NOW)
    until(lambda: waiting(api) == 0)
    assert 'energy_callbacks_total{outcome="delivered"} 2.0' in api.client.get("/metrics").text


def test_the_owner_sets_an_operator_up(grid: Database) -> None:
    secret = subscriptions.set_up(grid, operator="House", url="https://hooks.example.com/x", secret=None)
    assert secret is not None and secret.startswith("whsec_")
    assert subscriptions.set_up(grid, operator="House", url=None, secret=None) is None, "it keeps its secret"
    for wrong in ({"operator": "Nobody"}, {"url": "ftp://example.com"}, {"secret": "short"}):
        with pytest.raises(UsageError) as refused:
            subscriptions.set_up(grid, **{"operator": "House", "url": None, "secret": None, **wrong})
        assert "short" not in str(refused.value)
    assert subscriptions.take_down(grid, operator="House") and not subscriptions.take_down(grid, operator="House")


def test_each_pause_is_twice_as_long_and_no_longer_than_a_quarter_of_an_hour() -> None:
    for attempts, longest in ((1, 5), (2, 10), (3, 20), (8, 640), (9, 900), (31, 900), (10_000, 900)):
        pauses = {deliveries.pause_seconds(attempts, 5) for _ in range(100)}
        assert all(longest / 2 <= pause <= longest for pause in pauses), attempts
        assert len(pauses) > 1, "many that failed at once are not tried again at once"
