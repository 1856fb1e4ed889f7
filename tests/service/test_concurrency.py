"""Many at once: nothing is made twice, no capacity is given twice, nobody sees an error of the server."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from service import tokens
from service.app import create
from service.settings import ServiceSettings
from tests.service.conftest import TOKEN, Api, client_of
from tests.service.test_submission import on_the_hour
from warehouse.database import Database

MOST_TAKEN = """
select coalesce(max(taken), 0)::float8 from (
    select sum(other.power_kw) as taken
    from app.workload_placements as moment
    inner join app.workload_placements as other
        on moment.asset_id = other.asset_id and other.starts_at <= moment.starts_at and other.ends_at > moment.starts_at
    where moment.released_at is null and other.released_at is null
    group by moment.placement_id
) as moments
"""


Request = Callable[[httpx.Client], httpx.Response]


def at_once(served: httpx.Client, requests: Sequence[Request], *others: httpx.Client) -> list[httpx.Response]:
    """Send them all at the same moment, each over a connection of its own; to each of several services by turns."""
    ready = threading.Barrier(len(requests))

    def send(request: Request, to: httpx.Client) -> httpx.Response:
        with httpx.Client(base_url=to.base_url, headers=to.headers, timeout=60, verify=False) as client:
            ready.wait(60)
            return request(client)

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(send, requests, cycle([served, *others])))


def submission(key: str | None = None, **body: Any) -> Request:
    """A request to submit, yet to be sent."""
    headers = {"Idempotency-Key": key} if key else {}
    return lambda client: client.post("/submit_task", json={"request": "Train ResNet-50", **body}, headers=headers)


@pytest.fixture
def table(grid: Database) -> Api:
    """The database of `served`, to look into and to put operators and assets into."""
    return Api(None, grid)  # type: ignore[arg-type]


def test_the_same_key_fifty_times_at_once_is_one_workload_and_one_answer(served: httpx.Client, table: Api) -> None:
    table.operator("House", is_default=True)
    answers = at_once(served, [submission("one", user_email="researcher@example.com")] * 50)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 49}
    assert {answer.json()["workload_id"] for answer in answers} == {answers[0].json()["workload_id"]}
    for answer in answers[1:]:
        assert answer.json() == answers[0].json()
    for name, count in (("compute_workloads", 1), ("workload_placements", 1), ("agent_negotiations", 3), ("users", 1)):
        assert table.query(f"select count(*) from app.{name}") == [(count,)]


@pytest.mark.slow
def test_two_hundred_at_once_share_an_asset_that_has_room_for_some(served: httpx.Client, table: Api) -> None:
    table.asset(table.operator("House", is_default=True), kw=10)
    start = on_the_hour()
    within = {"earliest_start": start.isoformat(), "deadline": (start + timedelta(hours=4)).isoformat()}
    answers = at_once(
        served,
        [submission(f"key-{number}", power_kw=1 + number % 3, duration_minutes=60, **within) for number in range(200)],
    )
    assert Counter(answer.status_code for answer in answers) == {201: 200}
    bodies = [answer.json() for answer in answers]
    assert len({answer["workload_id"] for answer in bodies}) == 200
    statuses = Counter(answer["status"] for answer in bodies)
    assert statuses["scheduled"] >= 12 and statuses["pending"] >= 100 and statuses.total() == 200
    assert all("capacity: " in answer["unplaced_because"] for answer in bodies if answer["status"] == "pending")
    assert dict(table.query("select status, count(*) from app.compute_workloads group by 1")) == statuses
    assert 8 < table.query(MOST_TAKEN)[0][0] <= 10


def test_steps_and_tasks_at_once_never_give_a_place_twice(served: httpx.Client, table: Api) -> None:
    table.asset(table.operator("House", is_default=True), kw=2)
    start = on_the_hour()
    within = {"earliest_start": start.isoformat(), "deadline": (start + timedelta(hours=1)).isoformat()}
    task = {"power_kw": 1, "duration_minutes": 60, **within}
    first = [submission(**task)(served).json()["workload_id"] for _ in range(2)]
    cancel = [lambda client, w=w: client.patch(f"/workloads/{w}", json={"status": "cancelled"}) for w in first]
    answers = at_once(served, [*[submission(**task)] * 20, *cancel, *[submission(**task)] * 20])
    assert {answer.status_code for answer in answers} == {200, 201}
    assert submission(**task)(served).json()["status"] in ("scheduled", "pending")
    assert table.query(MOST_TAKEN)[0][0] <= 2
    assert table.query("select count(*) from app.workload_placements where released_at is not null") == [(2,)]


@pytest.fixture
def second(grid: Database, session_dir: Path, tmp_path: Path) -> Iterator[httpx.Client]:
    """Another process of the service over the database of `served`."""
    with client_of(grid, session_dir, tmp_path / "second.log") as client:
        yield client


@pytest.mark.slow
def test_two_processes_never_give_a_place_twice(served: httpx.Client, second: httpx.Client, table: Api) -> None:
    table.asset(table.operator("House", is_default=True), kw=10)
    start = on_the_hour()
    within = {"earliest_start": start.isoformat(), "deadline": (start + timedelta(hours=1)).isoformat()}
    tasks = [submission(f"key-{n}", power_kw=1, duration_minutes=60, **within) for n in range(60)]
    answers = at_once(served, tasks, second)
    assert {answer.status_code for answer in answers} == {201}
    assert Counter(answer.json()["status"] for answer in answers) == {"scheduled": 10, "pending": 50}
    assert table.query(MOST_TAKEN)[0][0] == 10
    placed_by = [answer.url.port for answer in answers]
    assert Counter(placed_by) == {served.base_url.port: 30, second.base_url.port: 30}


@pytest.mark.slow
def test_the_same_key_to_two_processes_is_one_workload(served: httpx.Client, second: httpx.Client, table: Api) -> None:
    table.operator("House", is_default=True)
    for number in range(5):
        answers = at_once(served, [submission(f"key-{number}")] * 20, second)
        assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 19}
        assert all(answer.json() == answers[0].json() for answer in answers)
        assert at_once(second, [submission(f"key-{number}")])[0].json() == answers[0].json()
    assert table.query("select count(*) from app.compute_workloads") == [(5,)]


def test_one_step_is_taken_once_by_many(served: httpx.Client, table: Api) -> None:
    workload_id = submission()(served).json()["workload_id"]
    now = datetime.now(UTC)
    steps = [{"status": "running", "at": (now + timedelta(milliseconds=number)).isoformat()} for number in range(30)]
    answers = at_once(served, [lambda client, s=s: client.patch(f"/workloads/{workload_id}", json=s) for s in steps])
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 29}
    again = at_once(served, [lambda client: client.patch(f"/workloads/{workload_id}", json={"status": "running"})] * 30)
    assert {answer.status_code for answer in again} == {200}
    assert len({answer.json()["actual_start"] for answer in again}) == 1, "all get the one that was first"


def test_placing_again_and_cancelling_at_once_end_in_one_of_both(served: httpx.Client, table: Api) -> None:
    for _ in range(5):
        path = f"/workloads/{submission()(served).json()['workload_id']}"
        again = [lambda client, p=path: client.post(f"{p}/placement")] * 5
        cancel = [lambda client, p=path: client.patch(p, json={"status": "cancelled"})] * 5
        answers = at_once(served, [*again, *cancel])
        assert {answer.status_code for answer in answers} <= {200, 409}
    assert table.query("select distinct status from app.compute_workloads") == [("cancelled",)]
    assert table.query("select count(*) from app.workload_placements where released_at is null") == [(0,)]


def test_two_bodies_under_one_key_at_once_are_one_workload_and_a_conflict(served: httpx.Client, table: Api) -> None:
    table.operator("House", is_default=True)
    answers = at_once(served, [submission("one", power_kw=kw) for kw in (1, 2) for _ in range(10)])
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 9, 409: 10}
    assert table.query("select count(*) from app.compute_workloads") == [(1,)]


@pytest.mark.parametrize(
    "other", [{"request": "Render a film"}, {"power_kw": 2}, {"user_email": "ada@example.org"}], ids=str
)
def test_the_same_key_with_another_body_is_refused(api: Api, other: dict[str, Any]) -> None:
    api.operator("House", is_default=True)
    key = {"headers": {"Idempotency-Key": "one"}}
    first = api.submit(**key)
    assert api.submit(status=200, **key) == first
    detail = api.submit(**{"request": "Train ResNet-50 on ImageNet", **other}, **key, status=409)["detail"]
    assert detail == "this Idempotency-Key was used for another request; use a new one"
    assert api.query("select count(*) from app.compute_workloads") == [(1,)]


def test_a_key_is_an_operator_s_own(api: Api) -> None:
    api.operator("Lab")
    api.operator("Cloud")
    key = {"Idempotency-Key": "one"}
    lab, cloud = (api.submit(headers={**api.token(name), **key}) for name in ("Lab", "Cloud"))
    assert lab["workload_id"] != cloud["workload_id"]


def test_a_key_of_the_platform_is_that_of_the_operator_whose_task_it_is(api: Api) -> None:
    lab = api.operator("Lab", domains=("lab.example.org",))
    house = api.operator("House", is_default=True)
    key = {"Idempotency-Key": "one"}
    theirs = api.submit("Render a film", headers={**api.token("Lab"), **key})
    ours = api.submit(headers=key)
    assert (theirs["operator_id"], ours["operator_id"]) == (lab, house)
    assert api.submit(headers=key, status=200) == ours, "neither a conflict with another operator's task nor its answer"
    of_lab = {"user_email": "ada@lab.example.org", "headers": key}
    assert "used for another request" in api.submit(**of_lab, status=409)["detail"]
    assert api.submit("Render a film", headers={**api.token("Lab"), **key}, status=200) == theirs


def test_a_submission_waits_no_longer_than_is_said_and_none_that_was_answered_is_lost(grid: Database) -> None:
    tokens.register(grid, TOKEN, label="tests")
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with TestClient(create(grid, ServiceSettings(service_wait_seconds=0.2)), headers=headers) as client:
        client.post("/submit_task", json={"request": "x"})
        with grid.connect(autocommit=False) as other, ThreadPoolExecutor(12) as crowd:
            other.execute("select app.lock_capacity()")
            waiting = [crowd.submit(client.post, "/submit_task", json={"request": "x"}) for _ in range(12)]
            wait(waiting, timeout=60, return_when=FIRST_COMPLETED)
            assert client.get("/workloads").status_code == 200, "reads go on"
            other.rollback()
            answers = [answer.result(60) for answer in waiting]
        statuses = Counter(answer.status_code for answer in answers)
        assert set(statuses) <= {201, 503} and statuses[201] and statuses[503]
        for answer in answers:
            if answer.status_code == 503:
                assert answer.headers["retry-after"] and "queue of submissions" in answer.json()["detail"]
        with grid.connect() as connection:
            assert connection.execute("select count(*) from app.compute_workloads").fetchone() == (1 + statuses[201],)


def test_fifty_clients_of_all_kinds_are_answered_or_asked_to_come_again(served: httpx.Client, table: Api) -> None:
    table.operator("House", is_default=True)
    paths = ("/workloads", "/windows/best", "/regions/opportunities", "/agents/head/context?limit=1")
    reads: list[Request] = [lambda client, p=path: client.get(p) for path in paths * 8]  # type: ignore[misc]
    answers = at_once(served, [*reads, *[submission()] * 18])
    for answer in answers:
        assert answer.status_code in (200, 201) or (answer.status_code in (429, 503) and answer.headers["retry-after"])
    kept = sum(answer.status_code == 201 for answer in answers)
    assert kept and table.query("select count(*) from app.compute_workloads") == [(kept,)]


def test_the_first_tasks_of_all_share_one_default_operator(table: Api) -> None:
    ask = "select app.operator_for('researcher@example.com')::text"
    with table.database.connect(autocommit=False) as first, ThreadPoolExecutor(1) as pool:
        made = first.execute(ask).fetchall()
        second = pool.submit(table.query, ask)
        for _ in range(100):  # until it waits for the first
            if table.query(
                "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
            ):
                break
        first.commit()
        assert second.result(20) == made


def test_the_first_fifty_at_once_are_all_taken_in(served: httpx.Client, table: Api) -> None:
    answers = at_once(served, [submission(user_email=f"user{number}@example.com") for number in range(50)])
    assert Counter(answer.status_code for answer in answers) == {201: 50}
    assert all(answer.json()["user"]["tracked"] for answer in answers)
    assert table.query("select name, is_default from app.operators") == [("Default operator", True)]
