"""Many tasks in one request: each as if it were sent alone, all in one transaction."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.service.conftest import Api
from tests.service.test_submission import on_the_hour


def submit(api: Api, tasks: list[Any], status: int = 200, **headers: str) -> Any:
    answer = api.client.post("/submit_tasks", json={"tasks": tasks}, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json() if status != 200 else answer.json()["results"]


def test_each_is_placed_after_those_before_it_and_answered_as_if_alone(api: Api) -> None:
    api.asset(api.operator("House", is_default=True), kw=2)
    start = on_the_hour()
    within = {"earliest_start": start.isoformat(), "deadline": (start + timedelta(hours=2)).isoformat()}
    task = {"request": "Train it", "power_kw": 1, "duration_minutes": 60, "user_email": "ada@example.com", **within}
    results = submit(api, [task] * 6)
    assert [result["status"] for result in results] == [201] * 6
    assert [result["answer"]["status"] for result in results] == ["scheduled"] * 4 + ["pending"] * 2
    assert [result["answer"]["user"]["is_new"] for result in results] == [True] + [False] * 5
    alone = api.submit(**{**task, "request": "Train it"})
    assert alone.keys() == results[0]["answer"].keys()
    kept = api.query(
        "select answer::text from app.compute_workloads where workload_id = %s", results[0]["answer"]["workload_id"]
    )
    assert json.loads(kept[0][0]) == results[0]["answer"]
    assert api.query("select count(distinct xmin::text) from app.compute_workloads") == [(2,)], (
        "one transaction, and that alone"
    )


def test_one_that_is_refused_leaves_the_others_and_nothing_of_itself(api: Api) -> None:
    api.operator("House", is_default=True)
    bad: list[Any] = [
        {"request": ""}, 7, {"request": "x", "duration_minutes": "60"}, {"request": "x", "unknown": 1},
        {"request": "x", "duration_minutes": 60, "power_kw": 1, "energy_kwh": 5, "user_email": "eve@example.com"},
        {"request": "x", "idempotency_key": "with space"}, {"request": "x", "asset_id": "00000000-0000-0000-0000-000000000001"},
    ]  # fmt: skip
    results = submit(api, [{"request": "a"}, *bad, {"request": "b"}])
    assert [result["status"] for result in results] == [201, *[422] * len(bad), 201]
    assert all(result["problem"]["detail"] for result in results[1:-1])
    assert "energy_kwh (5) is not" in results[5]["problem"]["detail"]
    assert api.query("select request from app.compute_workloads order by request") == [("a",), ("b",)]
    assert api.query("select count(*) from app.users") == [(0,)]


def test_a_key_counts_within_a_batch_and_across(api: Api) -> None:
    api.operator("House", is_default=True)
    one = {"request": "a", "idempotency_key": "one"}
    first = submit(api, [one, one, {**one, "request": "b"}])
    assert [result["status"] for result in first] == [201, 200, 409]
    assert first[0]["answer"] == first[1]["answer"]
    assert submit(api, [one])[0] == {"status": 200, "answer": first[0]["answer"]}
    assert api.submit("a", status=200, headers={"Idempotency-Key": "one"}) == first[0]["answer"]
    assert api.query("select count(*) from app.compute_workloads") == [(1,)]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"{", 422, "is not JSON"),
        (b"[]", 422, ""),
        (b'{"tasks": []}', 422, "tasks"),
        (json.dumps({"tasks": [{"request": "x"}] * 1001}).encode(), 422, "tasks"),
        (json.dumps({"tasks": [{"request": "x" * 9000}] * 600}).encode(), 413, "send fewer tasks at a time"),
        (b'{"tasks": [{}], "more": 1}', 422, "more"),
        (b"[" * 100_000, 422, "is not JSON"),
    ],
)
def test_what_is_no_batch_is_refused_whole(api: Api, body: bytes, status: int, words: str) -> None:
    answer = api.client.post("/submit_tasks", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status and words in answer.json()["detail"], answer.text
    assert api.query("select count(*) from app.compute_workloads") == [(0,)]


def test_without_a_token_the_body_is_not_read(api: Api) -> None:
    answer = api.client.post("/submit_tasks", content=b"x" * 10_000_000, headers={"Authorization": "Bearer made-up"})
    assert answer.status_code == 401


def test_a_thousand_are_taken_in_while_others_are_answered(served: httpx.Client, grid: Any) -> None:
    table = Api(None, grid)  # type: ignore[arg-type]
    tasks = [{"request": "Train it", "duration_minutes": 30 + n % 90, "power_kw": 0.5} for n in range(1000)]
    answer = served.post("/submit_tasks", json={"tasks": tasks})
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [result["status"] for result in results] == [201] * 1000
    assert len({result["answer"]["workload_id"] for result in results}) == 1000
    assert table.query("select count(*) from app.compute_workloads") == [(1000,)]
    kept = table.query("select request_sha256 is not null, count(*) from app.compute_workloads group by 1")
    assert kept == [(True, 1000)]
