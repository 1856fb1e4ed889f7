"""`GET /workloads` a page at a time, by filters; and contexts whose cost is bounded by `limit`."""

from typing import Any

import pytest

from tests.service.conftest import Api


@pytest.fixture
def seven(api: Api) -> list[str]:
    """Seven workloads, the newest first: some created at one instant, every second one waiting."""
    api.operator("House", is_default=True)
    ids = [
        api.submit(power_kw=1, **({"carbon_cap_gco2_kwh": 0} if n % 2 else {"user_email": "a@example.com"}))[
            "workload_id"
        ]
        for n in range(7)
    ]
    api.query("update app.compute_workloads set created_at = date_trunc('day', now()) where status = 'pending'")
    rows = api.query("select workload_id from app.compute_workloads order by created_at desc, workload_id desc")
    assert sorted(str(row[0]) for row in rows) == sorted(ids)
    return [str(row[0]) for row in rows]


def pages(api: Api, **params: Any) -> list[list[str]]:
    """Every page of a listing, followed by its cursors."""
    found: list[list[str]] = []
    while True:
        answer = api.get("/workloads", params=params)
        found.append([row["workload_id"] for row in answer["workloads"]])
        if answer["next_cursor"] is None:
            return found
        params["cursor"] = answer["next_cursor"]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_neither_repeat_nor_skip(api: Api, seven: list[str], limit: int) -> None:
    found = pages(api, limit=limit)
    assert [one for page in found for one in page] == seven
    assert all(len(page) == limit for page in found[:-1]) and found[-1]


def test_a_workload_that_is_new_meanwhile_moves_no_page(api: Api, seven: list[str]) -> None:
    first = api.get("/workloads", params={"limit": 3})
    api.submit(power_kw=1)
    rest = api.get("/workloads", params={"cursor": first["next_cursor"]})
    assert [row["workload_id"] for row in (*first["workloads"], *rest["workloads"])] == seven


def test_filters_choose_by_status_user_and_time(api: Api, seven: list[str]) -> None:
    pending = [one for page in pages(api, status="pending", limit=2) for one in page]
    scheduled = [one for page in pages(api, status="scheduled", user_email="a@example.com") for one in page]
    assert (len(pending), len(scheduled)) == (3, 4) and sorted(pending + scheduled) == sorted(seven)
    assert pages(api, status=["pending", "scheduled"])[0] == seven
    assert pages(api, status="completed") == [[]]
    middle = api.query("select max(created_at) from app.compute_workloads where status = 'pending'")[0][0].isoformat()
    assert pages(api, created_to=middle) == [[]] and pages(api, created_from=middle)[0] == seven
    for bad in ({"status": "lost"}, {"cursor": "x"}, {"cursor": "é"}, {"cursor": "MQ"}, {"created_from": "2026-01-01"}):
        api.get("/workloads", 422, params=bad)


def test_what_waits_is_chosen_before_it_is_computed(api: Api, seven: list[str]) -> None:
    api.query(
        "update app.compute_workloads set deadline = deadline + interval '1 hour' where workload_id = %s", seven[-1]
    )
    for limit in (1, 2, 6):
        waiting = api.get("/agents/head/context", params={"limit": limit})["waiting"]
        wanted = api.query(
            "select workload_id from app.compute_workloads where status in ('pending', 'scheduled') and is_deferrable "
            "order by deadline, workload_id limit %s",
            limit,
        )
        assert {row["workload_id"] for row in waiting} == {str(row[0]) for row in wanted}, "the nearest deadlines"


def test_a_read_that_waits_too_long_is_stopped_and_says_so(api: Api, seven: list[str]) -> None:
    with api.database.connect(autocommit=False) as holder:
        holder.execute("lock table app.agent_negotiations in access exclusive mode")
        answer = api.client.get("/agents/head/context")
    assert answer.status_code == 503 and "took too long" in answer.json()["detail"]
    assert answer.headers["retry-after"]
