"""Wherever a response holds a null cost, the reason stands beside it; over a grid for which no auction was published."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.costs import why_unknown
from service.settings import ServiceSettings
from tests.flows.settling import HOUR, Past
from tests.service.conftest import Api, in_process
from tests.service.test_answers import CONTEXTS, within
from warehouse.database import Database
from warehouse.periods import floor

NO_AUCTION = "delete from wholesale_prices"
ESTIMATES = ("cost_unknown_because", "cost_estimate_gbp", "cost_estimate_error_gbp", "estimate_basis")


def nulls(found: Any, route: str) -> set[str]:
    """The names of null costs and prices of windows; each has its reason beside it."""
    names = set()
    for path, value in within(found):
        for name in value if isinstance(value, dict) else ():
            if value[name] is None and (name.endswith("cost_gbp") or name == "mean_price_gbp_mwh"):
                reason = f"{name.removesuffix('gbp')}unknown_because"
                if name == "mean_price_gbp_mwh":
                    reason = "cost_unknown_because" if "cost_gbp" in value else "price_unknown_because"
                assert value.get(reason), f"{route}{path}.{name} is null without a reason"
                names.add(name)
    return names


@pytest.fixture
def unpriced(grid: Database) -> Iterator[Api]:
    """The service over a grid without a price; it plans anew for however small a gain."""
    with in_process(grid, ServiceSettings(replan_gain_gbp=0, replan_gain_pct=0)) as api:
        api.query(NO_AUCTION)
        yield api


def test_a_null_cost_has_its_reason_beside_it_on_every_route(unpriced: Api) -> None:
    api = unpriced
    api.asset(api.operator("House", is_default=True), kw=10)
    headers = api.token("House")
    first, second = (api.submit(f"Train {n}", power_kw=10, duration_minutes=240) for n in (1, 2))
    one, path = second["workload_id"], f"/workloads/{second['workload_id']}"
    found = {
        "/submit_task": first,
        f"{path} cancelled": api.client.patch(
            f"/workloads/{first['workload_id']}", json={"status": "cancelled"}
        ).json(),
    }
    plan = api.client.post("/plan", json={"dry_run": False}, headers=headers).json()
    assert one in {move["workload_id"] for move in plan["moves"]}
    found |= {"/plan": plan, "again": api.client.post(f"{path}/placement").json()}
    tasks = {"tasks": [{"request": "Train", "power_kw": 1}]}
    found["/submit_tasks"] = api.client.post("/submit_tasks", json=tasks).json()
    for route in ("/windows/best", "/workloads", path, f"{path}/decision"):
        found[route] = api.get(route)
    found["interrupted"] = api.get(
        "/windows/best", params={"is_interruptible": True, "max_chunks": 2, "duration_minutes": 120}
    )
    now = api.submit(power_kw=1, duration_minutes=30, is_deferrable=False)["workload_id"]
    claimed = api.client.post("/workloads/claim", json={"runner": "tests", "workload_id": now}).json()
    found["/workloads/claim"] = claimed
    token = claimed["claims"][0]["token"]
    for step in ("heartbeat", "finish"):
        found[step] = api.client.post(f"/workloads/{now}/{step}", json={"token": token}).json()
    for route, whole in found.items():
        assert nulls(whole, route), f"{route} has no null cost: this shows nothing"
    assert {"cost_gbp", "gain_cost_gbp"} <= nulls(plan, "/plan")
    assert "actual_cost_gbp" in nulls(found["finish"], "finish")
    for route in CONTEXTS:
        nulls(api.get(route), route)


def test_a_null_cost_of_a_receipt_has_its_reason(unpriced: Api) -> None:
    with unpriced.database.connect() as connection:
        past = Past(unpriced.database, connection)
        begins = floor(datetime.now(UTC)) - timedelta(hours=60)  # so long ago that a missing price counts as missing
        this = past.workload(begins, region_ids=None)
        past.place(this, (begins + 4 * HOUR, begins + 6 * HOUR))
        past.run(this, begins + 4 * HOUR, begins + 6 * HOUR)
        assert past.settle()["kept"] == 1
        receipt = unpriced.get(f"/workloads/{this}/receipt")
    assert receipt["realised"]["cost_gbp"] is None and receipt["savings"]["by_time"]["cost_gbp"] is None
    assert nulls(receipt, "receipt") and "4 of the 4 half-hours" in receipt["realised"]["cost_unknown_because"]


def test_a_placement_has_its_estimate_wherever_it_is_shown(api: Api) -> None:
    api.price()
    api.query("update wholesale_prices set is_synthetic = false where market = 'n2ex_day_ahead'")
    api.query("delete from wholesale_prices where period_start > now()")
    fresh = api.submit(power_kw=10, duration_minutes=60)
    path = f"/workloads/{fresh['workload_id']}"
    assert fresh["placement"]["cost_gbp"] is None and fresh["placement"]["cost_estimate_gbp"] is not None
    shown = (
        api.get(path)["placement"],
        next(row for row in api.get("/workloads")["workloads"] if row["workload_id"] == fresh["workload_id"])[
            "placement"
        ],
        api.get(f"{path}/decision")["decided_then"],
    )
    for placed in shown:
        assert set(ESTIMATES) <= set(placed)
        for name in ESTIMATES[1:]:
            assert placed[name] == fresh["placement"][name], name
        assert placed["cost_unknown_because"]
    api.price()
    known = api.submit(power_kw=10, duration_minutes=60)
    placed = api.get(f"/workloads/{known['workload_id']}")["placement"]
    if known["placement"]["cost_gbp"] is not None:
        assert [placed[name] for name in ESTIMATES] == [known["placement"][name] for name in ESTIMATES] == [None] * 4


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"cost_gbp": None}, "no price"),
        ({"cost_gbp": None, "replaces": None}, "when it was placed"),
        ({"gain_cost_gbp": None, "replaces": None}, "no place before"),
        ({"gain_cost_gbp": None, "replaces": "x"}, "one of the two"),
        ({"actual_cost_gbp": None, "status": "running"}, "only a completed run"),
        ({"actual_cost_gbp": None, "status": "completed", "actual_start": 1, "actual_end": 1}, "no time"),
        ({"actual_cost_gbp": None, "status": "completed", "actual_start": 1, "actual_end": 2}, "real price"),
        ({"total_cost_gbp": None}, "no completed run"),
    ],
)
def test_each_null_cost_has_a_reason_of_its_own(found: dict[str, Any], words: str) -> None:
    (reason,) = why_unknown(found).values()
    assert words in reason
    assert why_unknown({name: 0.0 if value is None else value for name, value in found.items()}) == {}
    (name,) = (name for name in found if name.endswith("cost_gbp"))
    assert why_unknown({**found, f"{name.removesuffix('gbp')}unknown_because": "known"}) == {}
