"""Every tool through the official client, over HTTP and over stdio; who may see what; what is refused, in words."""

import os
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import httpx
import pytest
from mcp import Client, StdioServerParameters

from service import tokens
from tests.service.conftest import TOKEN, Api, instant
from tests.service.mcp.calling import error, over_http, result
from warehouse.database import Database
from warehouse.settings import PROJECT_ROOT

TOOLS = {
    "grid_now", "forecast", "best_window", "compare_places", "submit_task", "workload_status", "cancel_task", "explain_decision",
    "data_trust", "trace_value", "describe_tables", "query",
}  # fmt: skip
CHANGE = {"submit_task", "cancel_task"}


async def every_tool(client: Client) -> dict[str, dict[str, Any]]:
    """What each tool gives."""
    now = datetime.now(UTC)
    replies = {
        "grid_now": await result(client, "grid_now", place="London"),
        "forecast": await result(client, "forecast", place="EN2", hours=24),
        "best_window": await result(client, "best_window", hours=4, deadline=(now + timedelta(hours=30)).isoformat()),
        "compare_places": await result(client, "compare_places", places=["Leeds", "aws:eu-west-2", "1"], hours=2),
        "data_trust": await result(client, "data_trust"),
        "describe_tables": await result(client, "describe_tables", table="carbon_intensity_regional"),
        "query": await result(client, "query", sql="select region_id, name from regions order by 1", limit=3),
    }
    task = {"request": "Train a model for 2 hours", "places": ["13"], "power_kw": 5, "idempotency_key": "one"}
    replies["submit_task"] = await result(client, "submit_task", **task)
    again = await result(client, "submit_task", **task)
    workload_id = replies["submit_task"]["workload_id"]
    assert again["workload_id"] == workload_id, "the key makes it once"
    replies["explain_decision"] = await result(client, "explain_decision", workload_id=workload_id)
    replies["cancel_task"] = await result(client, "cancel_task", workload_id=workload_id)
    replies["workload_status"] = await result(client, "workload_status", workload_id=workload_id)
    (row,) = (
        await result(
            client, "query",
            sql="select region_id::text, period_start::text from carbon_intensity_regional order by period_start, region_id",
            limit=1,
        )
    )["rows"]  # fmt: skip
    replies["trace_value"] = await result(client, "trace_value", table="carbon_intensity_regional", key=row)
    return replies


def holds(replies: dict[str, dict[str, Any]]) -> None:
    """What must be true of these results."""
    assert set(replies) == TOOLS
    assert replies["grid_now"]["place"]["region_id"] == 13 and replies["grid_now"]["intensity"]["unit"] == "gCO2/kWh"
    assert 1 <= replies["grid_now"]["place_rank"] <= 14
    points = replies["forecast"]["points"]
    assert replies["forecast"]["place"]["region_id"] == 10 and 45 <= len(points) <= 49
    assert replies["forecast"]["lowest"]["gco2_kwh"] == min(
        point["gco2_kwh"] for point in points if point["gco2_kwh"] is not None
    )
    best = replies["best_window"]["windows"]
    assert [window["rank"] for window in best] == [1, 2, 3, 4, 5]
    assert instant(best[0]["ends_at"]) - instant(best[0]["starts_at"]) == timedelta(hours=4)
    compared = replies["compare_places"]["windows"]
    assert len(compared) == 3 and [w["mean_gco2_kwh"] for w in compared] == sorted(w["mean_gco2_kwh"] for w in compared)
    placed = replies["submit_task"]
    assert (
        placed["status"] == "scheduled"
        and placed["placement"]["region_id"] == 13
        and placed["placement"]["carbon_kg"] > 0
    )
    assert all({"constraint", "in_words"} <= set(one) for one in replies["explain_decision"]["constraints"])
    assert replies["explain_decision"]["is_same"] and len(replies["explain_decision"]["reasons"]) >= 3
    assert replies["cancel_task"]["status"] == replies["workload_status"]["status"] == "cancelled"
    (piece,) = replies["workload_status"]["details"]["placement"]["chunks"]
    assert piece["started_at"] is None and piece["stopped_at"] is None, "nobody ran it"
    assert (
        replies["trace_value"]["payload_origin"] == "live"
        and replies["trace_value"]["records"]
        and replies["trace_value"]["checks_met"]
    )
    assert "/regional/" in replies["trace_value"]["request_url"]
    assert replies["data_trust"]["is_ready"] and replies["data_trust"]["last_seven_days"]
    (described,) = replies["describe_tables"]["tables"]
    assert "forecast_gco2_kwh" in {column["name"] for column in described["columns"] if column["description"]}
    assert replies["query"]["columns"] == ["region_id", "name"] and replies["query"]["is_truncated"]


def test_every_tool_and_resource_over_http(served: httpx.Client) -> None:
    async def use(client: Client) -> None:
        listed = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(listed) == TOOLS
        for name, tool in listed.items():
            assert tool.output_schema and tool.description and tool.annotations
            assert tool.annotations.read_only_hint is (name not in CHANGE)
            assert ("SIDE EFFECT" if name in CHANGE else "Read-only") in tool.description.replace(
                "read-only", "Read-only"
            )
        holds(await every_tool(client))
        glossary = await client.read_resource("energy://glossary")
        assert "gCO2/kWh" in glossary.contents[0].text  # type: ignore[union-attr]
        table = await client.read_resource("energy://tables/wholesale_prices")
        assert "`price_gbp_mwh`" in table.contents[0].text  # type: ignore[union-attr]
        assert "wholesale_prices" in (await client.read_resource("energy://tables")).contents[0].text  # type: ignore[union-attr]
        with pytest.raises(Exception, match="no such table"):
            await client.read_resource("energy://tables/users")

    over_http(served, use)
    over_http(served, lambda client: result(client, "grid_now"), mode="legacy")  # the handshake of earlier versions


@pytest.mark.slow
def test_every_tool_over_stdio(grid: Database, session_dir: Any) -> None:
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "service.mcp"], cwd=str(PROJECT_ROOT),
        env={**os.environ, "DATABASE_URL": grid.address(), "DATA_DIR": str(session_dir)},
    )  # fmt: skip

    async def use() -> None:
        async with Client(server) as client:
            holds(await every_tool(client))

    anyio.run(use)


CAPTURE = """
insert into intermediate.int_carbon_intensity__captures
    (region_id, payload_id, known_at, first_period_start, forecasts_gco2_kwh, are_isolated, is_synthetic, fetched_at, updated_at)
select 13, gen_random_uuid(), %(known_at)s, date_bin('30 minutes', %(known_at)s, '2000-01-01'),
    %(values)s::smallint[], array_fill(false, array[cardinality(%(values)s::smallint[])]), %(is_synthetic)s, %(known_at)s,
    %(known_at)s
"""
BANDS = """
insert into intermediate.int_carbon_intensity__bands (known_on, region_id, lead_from_hours, known_at, days, errors,
    centre_gco2_kwh, slope, error_p10_gco2_kwh, error_p50_gco2_kwh, error_p90_gco2_kwh, updated_at)
select %(known_at)s::date, 13, n, %(known_at)s, 30, 100, 100, 0, -10, 2, 10, now() from generate_series(0, 96) as n
"""
SKILL = """
insert into intermediate.int_forecast_skill__months (month, series, region_id, forecast_type, lead_hours, forecasts, error_sum,
    absolute_error_sum, squared_error_sum, updated_at)
select '2026-01-01', 'carbon_intensity', 13, '', n, 10, 0, 70, 700, now() from generate_series(0, 96) as n on conflict do nothing
"""


def test_a_forecast_of_then_has_nothing_that_became_known_later(served: httpx.Client, grid: Database) -> None:
    then = datetime.now(UTC) - timedelta(hours=2)
    with grid.connect() as connection:
        for hours, value, half_hours, is_synthetic in ((3, 50, 60, True), (2, 111, 20, False), (-1, 222, 60, False)):
            known_at = then - timedelta(hours=hours)
            values = [value] * half_hours
            connection.execute(CAPTURE, {"known_at": known_at, "values": values, "is_synthetic": is_synthetic})
        connection.execute(BANDS, {"known_at": then - timedelta(hours=2)})
        connection.execute(SKILL)
    asked = {"place": "13", "hours": 48}
    found = over_http(served, lambda client: result(client, "forecast", as_of=then.isoformat(), **asked))
    real = [point for point in found["points"] if not point["is_synthetic"]]
    synthetic = [point for point in found["points"] if point["is_synthetic"]]
    assert {point["gco2_kwh"] for point in real} == {111} and {point["gco2_kwh"] for point in synthetic} == {50}
    bands = {(point["p10_gco2_kwh"], point["p50_gco2_kwh"], point["p90_gco2_kwh"]) for point in real}
    assert bands == {(101, 109, 121)} and all(point["p10_gco2_kwh"] is None for point in synthetic)
    assert all(
        instant(point["known_at"]) < then and point["typical_error_gco2_kwh"] is None for point in found["points"]
    )
    data = found["data"]
    assert (data["age_seconds"], data["synthetic_age_seconds"]) == (2 * 3600, 3 * 3600)
    assert data["synthetic_share"] == len(synthetic) / len(found["points"]) and instant(data["known_at"]) == then
    now = over_http(served, lambda client: result(client, "forecast", **asked))
    assert {point["typical_error_gco2_kwh"] for point in now["points"]} >= {7} and now["data"]["synthetic_share"] == 0
    assert "has not come yet" in over_http(
        served, lambda client: error(client, "forecast", place="13", as_of="2099-01-01T00:00Z")
    )


@pytest.fixture
def uneven(grid: Database) -> None:
    """The forecast of London is low for two hours, high for two, and so on: four hours run best in pieces."""
    with grid.connect() as connection:
        values = [10, 10, 10, 10, 300, 300, 300, 300] * 12
        connection.execute(CAPTURE, {"known_at": datetime.now(UTC), "values": values, "is_synthetic": False})


@pytest.mark.usefixtures("uneven")
def test_a_window_of_work_that_may_be_split_is_that_of_the_route(served: httpx.Client) -> None:
    earliest = datetime.now(UTC) + timedelta(minutes=90)
    within = {"earliest": earliest.isoformat(), "deadline": (earliest + timedelta(hours=30)).isoformat()}
    split = {"is_interruptible": True, "max_chunks": 3, "min_chunk_minutes": 30, "resume_overhead_minutes": 5}
    found = over_http(served, lambda client: result(client, "best_window", hours=4, place="13", **within, **split))[
        "windows"
    ]
    asked = {**within, **split, "duration_minutes": 240, "limit": 5, "region_id": 13}
    expected = served.get("/windows/best", params={**asked, "is_interruptible": "true"}).json()["windows"]
    assert [(w["region_id"], w["starts_at"], w["chunks"]) for w in found] == [
        (w["region_id"], w["starts_at"], w["chunks"]) for w in expected
    ]
    assert len(found[0]["chunks"]) > 1
    whole = over_http(served, lambda client: result(client, "best_window", hours=4, **within))["windows"]
    assert {window["chunks"] for window in whole} == {None}
    words = over_http(served, lambda client: error(client, "best_window", hours=4, max_chunks=3))
    assert "max_chunks" in words and "is_interruptible" in words


def test_bad_arguments_are_refused_in_words(served: httpx.Client, grid: Database) -> None:
    wrong: list[Any] = []

    async def use(client: Client) -> None:
        for tool, arguments, words in (
            ("forecast", {"place": "Belfast"}, "outside Great Britain"),
            ("forecast", {"place": "nowhere at all"}, "not known by its name"),
            ("forecast", {"place": "13", "hours": 1000}, "hours"),
            ("forecast", {"place": "13", "as_of": "yesterday"}, "as_of"),
            ("best_window", {"hours": 4, "place": "18"}, "aggregate"),
            ("best_window", {"hours": 4, "deadline": datetime.now(UTC).isoformat()}, "deadline is before"),
            ("best_window", {}, "hours"),
            ("compare_places", {"places": [], "hours": 1}, "places"),
            ("submit_task", {"request": "x", "user_email": "nobody"}, "e-mail"),
            ("submit_task", {"request": "x", "deadline": "soon"}, "deadline"),
            ("submit_task", {"request": "x", "duration": "2h"}, "duration: is not an argument of submit_task"),
            ("submit_task", {"request": "x", "duration_minutes": True}, "duration_minutes: "),
            ("submit_task", {"request": "x", "duration_minutes": "60"}, "duration_minutes: "),
            ("submit_task", {"request": "x", "power_kw": True}, "power_kw: "),
            ("workload_status", {"workload_id": "1"}, "workload_id"),
            ("workload_status", {"workload_id": "00000000-0000-0000-0000-000000000000"}, "there is no workload"),
            ("trace_value", {"table": "carbon_intensity_regional", "key": ["13"]}, "region_id, period_start"),
            ("trace_value", {"table": "users", "key": ["13"]}, "no clean table"),
            ("trace_value", {"table": 'x"; drop', "key": ["13"]}, "table"),
            ("describe_tables", {"table": "users"}, "no such table"),
            ("query", {"sql": "select nothing from regions"}, 'column "nothing" does not exist'),
            ("query", {"sql": "select 1", "limit": 100_000}, "limit"),
            ("nonsense", {}, "nonsense"),
        ):
            said = await error(client, tool, **arguments)
            if words not in said or "Traceback" in said:
                wrong.append((tool, arguments, said))

    over_http(served, use)
    assert not wrong
    assert Api(served, grid).query("select count(*) from app.compute_workloads") == [(0,)]  # type: ignore[arg-type]


def test_an_operator_sees_and_cancels_its_own_workloads_alone(served: httpx.Client, grid: Database) -> None:
    api = Api(served, grid)  # type: ignore[arg-type]
    for name in ("North", "South"):
        api.operator(name)
    north, south = (tokens.make(grid, operator=name, label=name) for name in ("North", "South"))

    async def submit(client: Client) -> str:
        return str((await result(client, "submit_task", request="Render a film for 3 hours"))["workload_id"])

    workload_id = over_http(served, submit, token=north)

    async def refused(client: Client) -> None:
        for tool in ("workload_status", "cancel_task", "explain_decision"):
            assert "there is no workload" in await error(client, tool, workload_id=workload_id)

    over_http(served, refused, token=south)
    found = over_http(served, lambda client: result(client, "workload_status", workload_id=workload_id), token=north)
    assert found["status"] == "scheduled"


def test_without_a_token_or_from_elsewhere_nobody_is_let_in(served: httpx.Client) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    accept = {"Accept": "application/json, text/event-stream"}
    for headers in ({"Authorization": ""}, {"Authorization": "Bearer wrong"}):
        answer = served.post("/mcp", json=body, headers={**accept, **headers})
        assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
    assert served.post("/mcp", json=body, headers=accept).status_code == 200
    assert served.post("/mcp", json=body, headers={**accept, "Host": "rebound.example"}).status_code == 421
    assert served.post("/mcp", json=body, headers={**accept, "Host": "127.0.0.1.rebound.example:80"}).status_code == 421
    assert served.post("/mcp", json=body, headers={**accept, "Origin": "https://evil.example"}).status_code == 403
    assert served.post("/mcp", json=body, headers={**accept, "Origin": "http://localhost:3000"}).status_code == 200
    assert served.post("/mcp", content=b"{" * 100_000, headers=accept).status_code == 413
    assert (
        served.post("/mcp", content=b"not json", headers={**accept, "Content-Type": "application/json"}).status_code
        == 400
    )
    for method in ("GET", "DELETE", "PUT"):
        assert served.request(method, "/mcp", headers=accept).status_code == 405
    assert TOKEN not in served.get("/metrics").text
