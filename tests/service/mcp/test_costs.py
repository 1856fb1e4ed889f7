"""Results of tools give the reason and the estimate beside a cost or a price that is null."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from mcp import Client

from service.mcp.results import Decided, Window
from service.models.workloads import Placement
from tests.service.mcp.calling import over_http, result
from tests.service.test_costs import ESTIMATES, NO_AUCTION, nulls
from warehouse.database import Database

HOURS = {"hours": 2}


def test_a_null_cost_of_a_tool_has_its_reason(grid: Database, served: httpx.Client) -> None:
    with grid.connect() as connection:
        connection.execute(NO_AUCTION)

    async def use(client: Client) -> dict[str, dict[str, Any]]:
        task = {"request": "Train a model for 2 hours", "power_kw": 5}
        submitted = await result(client, "submit_task", **task)
        deadline = (datetime.now(UTC) + timedelta(hours=30)).isoformat()
        one = {"workload_id": submitted["workload_id"]}
        return {
            "submit_task": submitted,
            "workload_status": await result(client, "workload_status", **one),
            "explain_decision": await result(client, "explain_decision", **one),
            "cancel_task": await result(client, "cancel_task", **one),
            "best_window": await result(client, "best_window", deadline=deadline, **HOURS),
            "compare_places": await result(client, "compare_places", places=["Leeds", "1"], **HOURS),
        }

    replies = over_http(served, use)
    for tool, reply in replies.items():
        assert nulls(reply, tool), f"{tool} has no null cost: this shows nothing"
    for tool in ("submit_task", "workload_status"):
        assert replies[tool]["placement"]["cost_gbp"] is None and replies[tool]["placement"]["cost_unknown_because"]
    assert all(window["price_unknown_because"] for window in replies["best_window"]["windows"])


def test_a_tool_drops_no_field_that_explains_a_null() -> None:
    assert set(ESTIMATES) <= set(Decided.model_fields) & set(Placement.model_fields)
    assert {name.replace("cost", "price").replace("_gbp", "_gbp_mwh") for name in ESTIMATES} <= set(Window.model_fields)
