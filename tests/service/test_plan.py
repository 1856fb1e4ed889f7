"""`POST /plan`: says what would be moved, moves it when asked to, and speaks for one operator."""

import time

import pytest

from tests.service.conftest import Api


def test_a_plan_is_said_first_and_carried_out_on_request(api: Api) -> None:
    operator = api.operator("House", is_default=True)
    api.asset(operator, kw=10)
    first, second = (api.submit(f"Train {n}", power_kw=10, duration_minutes=240)["workload_id"] for n in (1, 2))
    assert api.client.patch(f"/workloads/{first}", json={"status": "cancelled"}).status_code == 200
    headers = api.token("House")
    before = api.get(f"/workloads/{second}")["placement"]
    said = api.client.post("/plan", json={}, headers=headers).json()
    assert said["dry_run"] and said["considered"] == 1 and said["without_place"] == 0 and said["gap"] is not None
    assert api.get(f"/workloads/{second}")["placement"] == before, "a dry run writes nothing"
    done = api.client.post("/plan", json={"dry_run": False}, headers=headers).json()
    assert [(m["workload_id"], m["starts_at"]) for m in done["moves"]] == [
        (m["workload_id"], m["starts_at"]) for m in said["moves"]
    ]
    after = api.get(f"/workloads/{second}")["placement"]
    for move in done["moves"]:
        assert (after["starts_at"], after["replaces"]) == (move["starts_at"], before["placement_id"])
        assert move["gain_gbp"] > 0 and move["region_name"]


def test_a_plan_is_of_one_operator(api: Api) -> None:
    alpha, beta = api.operator("Alpha"), api.operator("Beta")
    assert api.client.post("/plan", json={}).status_code == 422
    assert api.client.post("/plan", json={"operator_id": alpha}).status_code == 200
    refused = api.client.post("/plan", json={"operator_id": beta}, headers=api.token("Alpha"))
    assert refused.status_code == 422 and "another operator" in refused.json()["detail"]


@pytest.mark.slow
def test_a_plan_that_waits_for_a_lock_ends_and_the_next_one_is_made(api: Api) -> None:
    api.operator("House", is_default=True)
    headers = api.token("House")
    api.submit("Train", power_kw=1)
    with api.database.connect() as holder:
        holder.execute("begin; lock table app.compute_workloads in access exclusive mode")
        begun = time.monotonic()
        assert api.client.post("/plan", json={}, headers=headers).status_code == 503
        assert time.monotonic() - begun < 25
        holder.execute("rollback")
    assert api.client.post("/plan", json={}, headers=headers).status_code == 200
