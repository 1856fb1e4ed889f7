"""Claims: a runner holds what it took, an old token nothing, and a lease that ends gives the workload back."""

from typing import Any

import psycopg
import pytest

from tests.service.conftest import Api, instant

NOW = {"is_deferrable": False, "power_kw": 1, "duration_minutes": 60}
"""A task that is due as soon as it is submitted"""


def claim(api: Api, status: int = 200, **more: Any) -> list[dict[str, Any]]:
    answer = api.client.post("/workloads/claim", json={"runner": "r", **more})
    assert answer.status_code == status, answer.text
    return list(answer.json().get("claims", ()))


def say(api: Api, held: dict[str, Any], what: str, status: int = 200, **more: Any) -> dict[str, Any]:
    answer = api.client.post(f"/workloads/{held['workload_id']}/{what}", json={"token": held["token"], **more})
    assert answer.status_code == status, answer.text
    return dict(answer.json())


def end_leases(api: Api) -> None:
    api.query(
        "update app.workload_claims set leased_until = clock_timestamp() - interval '1 second' where ended_at is null"
    )


def test_what_is_due_is_shown_and_taken_once(api: Api) -> None:
    made = [api.submit(**NOW)["workload_id"] for _ in range(3)]
    later = api.submit(**NOW, earliest_start="2099-01-01T00:00:00Z", deadline="2099-01-02T00:00:00Z")
    assert later["status"] == "pending"
    assert [one["workload_id"] for one in api.get("/workloads/due")["workloads"]] == made
    first = claim(api, limit=2)
    assert [one["workload_id"] for one in first] == made[:2] and first[0]["token"] < first[1]["token"]
    assert first[0]["workload"]["status"] == "running" and first[0]["attempt"] == 1
    assert [one["workload_id"] for one in claim(api, limit=100)] == made[2:]
    assert claim(api) == [] and api.get("/workloads/due")["workloads"] == []
    done = say(api, first[0], "finish")
    assert done["status"] == "completed" and done["actual_start"] and done["actual_end"]
    assert say(api, first[0], "finish") == done, "an end that is said twice is one end"
    assert say(api, first[1], "fail", reason="no disk")["failed_because"] == "no disk"
    for what in ("heartbeat", "fail"):
        assert "holds nothing any more" in say(api, first[0], what, 409)["detail"]
    assert "none of this workload's" in say(api, {**first[0], "token": 10**6}, "finish", 409)["detail"]


def test_a_heartbeat_begins_the_lease_anew(api: Api) -> None:
    api.submit(**NOW)
    (held,) = claim(api, lease_seconds=60)
    beat = say(api, held, "heartbeat", lease_seconds=600)
    assert instant(beat["leased_until"]) > instant(held["leased_until"]) and beat["token"] == held["token"]


def test_a_lease_that_ends_gives_the_workload_back_and_its_old_token_nothing(api: Api) -> None:
    workload_id = api.submit(**NOW, max_attempts=2)["workload_id"]
    (old,) = claim(api, runner="first")
    end_leases(api)
    api.get("/workloads/due")
    again = api.get(f"/workloads/{workload_id}")
    assert again["status"] == "scheduled" and again["actual_start"] is None and again["attempts"] == 1
    reasons = api.query("select reason, released_at is null from app.workload_placements order by placed_at")
    assert reasons == [("submitted", False), ("returned", True)]
    for what in ("heartbeat", "finish", "fail"):
        assert "(lost)" in say(api, old, what, 409)["detail"]
    (new,) = claim(api, runner="second")
    assert new["workload_id"] == workload_id and new["token"] > old["token"] and new["attempt"] == 2
    assert "another runner" in say(api, old, "finish", 409)["detail"]
    end_leases(api)
    assert claim(api) == []
    failed = api.get(f"/workloads/{workload_id}")
    assert failed["status"] == "failed"
    assert failed["failed_because"] == "attempt 2 of 2 was the last: runner second gave no sign until its lease ended"
    say(api, new, "finish", 409)
    outcomes = api.query("select outcome from app.workload_claims order by token")
    assert outcomes == [("lost",), ("lost",)]


def test_a_runner_may_give_a_workload_back(api: Api) -> None:
    workload_id = api.submit(**NOW, max_attempts=2)["workload_id"]
    (held,) = claim(api)
    assert say(api, held, "fail", reason="the host goes down", is_retried=True)["status"] == "scheduled"
    assert say(api, held, "fail", reason="the host goes down", is_retried=True)["status"] == "scheduled", "said twice"
    (held,) = claim(api)
    last = say(api, held, "fail", reason="again", is_retried=True)
    assert last["status"] == "failed" and last["failed_because"] == "attempt 2 of 2 was the last: again"
    assert last["workload_id"] == workload_id


def test_a_workload_that_names_what_runs_it_is_no_one_elses(api: Api) -> None:
    mine = api.submit(**NOW, run={"runner": "mine"})["workload_id"]
    api.submit(**NOW, run={"deployment": "example-job/example-job", "parameters": {"name": "x"}})
    assert claim(api, runner="other", limit=100) == []
    assert [one["workload_id"] for one in claim(api, runner="mine", limit=100)] == [mine]
    for run in (
        {},
        {"deployment": "no slash"},
        {"runner": "a", "deployment": "a/b"},
        {"runner": "a", "parameters": {}},
    ):
        api.submit(status=422, **NOW, run=run)


@pytest.mark.parametrize("name", ["job/job\t", "job/job\n", "a\x00/b", "a/b\x7f", "a%2f/b", "a?b/c", "a/b#c", "a/<b>"])
def test_a_deployment_that_prefect_cannot_find_is_refused(api: Api, name: str) -> None:
    refused = api.submit(status=422, **NOW, run={"deployment": name})
    assert "run.deployment" in refused["detail"]


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        (r'{"n": "x\u0000y"}', "NUL"), (r'{"x\u0000": 1}', "NUL"), (r'{"deep": [1, {"n": ["\u0000"]}]}', "NUL"),
        (r'{"n": "\ud800"}', ""), ('{"n": [1e999]}', "finite"), ('{"n": NaN}', "finite"),
    ],
)  # fmt: skip
def test_parameters_that_cannot_be_kept_are_refused(api: Api, parameters: str, words: str) -> None:
    task = f'{{"request": "x", "power_kw": 1, "duration_minutes": 60, "run": {{"deployment": "a/b", "parameters": {parameters}}}}}'
    json_type = {"Content-Type": "application/json"}
    refused = api.client.post("/submit_task", content=task, headers=json_type)
    assert refused.status_code == 422 and words in refused.json()["detail"], refused.text
    among = api.client.post("/submit_tasks", content=f'{{"tasks": [{task}]}}', headers=json_type)
    assert among.status_code == 422 or [one["status"] for one in among.json()["results"]] == [422], among.text


def test_a_runner_without_a_printable_name_is_shown_nothing(api: Api) -> None:
    for name in ("\x00", "a\tb"):
        assert "runner" in api.get("/workloads/due", 422, params={"runner": name})["detail"]
    assert api.get("/workloads/due", params={"runner": ""})["workloads"] == []


def test_a_run_of_prefect_in_pieces_is_refused(api: Api) -> None:
    pieces = {"power_kw": 1, "duration_minutes": 240, "is_interruptible": True, "run": {"deployment": "a/b"}}
    assert "energy run --split" in api.submit(status=422, **pieces)["detail"]
    whole = api.submit(**pieces, max_chunks=1)
    assert len(whole["placement"]["chunks"]) == 1


def test_a_claim_names_a_place_or_one_workload(api: Api) -> None:
    asset_id = api.asset(api.operator("House", is_default=True), region_id=13)
    one, other = (api.submit(**NOW)["workload_id"] for _ in range(2))
    assert claim(api, region_ids=[1]) == claim(api, asset_id="00000000-0000-0000-0000-000000000000") == []
    assert [held["workload_id"] for held in claim(api, workload_id=other)] == [other]
    assert [held["workload_id"] for held in claim(api, asset_id=asset_id, region_ids=[13])] == [one]


def test_an_operator_claims_its_own_alone(api: Api) -> None:
    for name in ("Alpha", "Beta"):
        api.asset(api.operator(name), name)
        api.submit(**NOW, headers=api.token(name))
    alpha = api.token("Alpha")
    answer = api.client.post("/workloads/claim", json={"runner": "r", "limit": 100}, headers=alpha)
    (held,) = answer.json()["claims"]
    assert (
        api.client.post(
            f"/workloads/{held['workload_id']}/finish", json={"token": held["token"]}, headers=api.token("Beta")
        ).status_code
        == 404
    )
    assert api.query("select count(*) from app.workload_claims") == [(1,)]


def test_a_workload_that_is_cancelled_is_held_no_more(api: Api) -> None:
    api.submit(**NOW)
    (held,) = claim(api)
    assert api.client.patch(f"/workloads/{held['workload_id']}", json={"status": "cancelled"}).status_code == 200
    for what in ("heartbeat", "finish"):
        assert "the workload is cancelled" in say(api, held, what, 409)["detail"]


def test_the_database_gives_back_only_what_a_lease_held_and_keeps_claims(api: Api) -> None:
    api.submit(**NOW)
    (held,) = claim(api)
    refused = [
        ("update app.compute_workloads set status = 'pending'", "cannot become pending"),
        ("update app.workload_claims set runner = 'x'", "a claim ends once"),
        ("insert into app.workload_claims (workload_id, operator_id, attempt, runner, lease_seconds, leased_until) "
         "select workload_id, operator_id, 2, 'x', 1, now() from app.workload_claims", "workload_claims_workload_id"),
    ]  # fmt: skip
    for statement, words in refused:
        with pytest.raises(psycopg.errors.IntegrityError, match=words):
            api.query(statement)
    say(api, held, "finish")
    with pytest.raises(psycopg.errors.CheckViolation, match="a claim ends once"):
        api.query("update app.workload_claims set ended_at = null, outcome = null")
    api.submit(**NOW)
    with pytest.raises(psycopg.errors.CheckViolation, match="held by a lease is running"):
        api.query(
            "insert into app.workload_claims (workload_id, operator_id, attempt, runner, lease_seconds, leased_until) "
            "select workload_id, operator_id, 1, 'x', 1, now() from app.compute_workloads where status = 'scheduled'"
        )
