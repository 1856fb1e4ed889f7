"""Routes that need no token: what they use is never what token holders need, and they keep nobody from it."""

import asyncio
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from starlette.routing import Mount, Route

from service.access import Service
from service.aside import PLACING, PLANS, WINDOWS, WORDS
from service.series.asked import series_of, understand
from service.series.columns import Columns
from tests.service.conftest import Api

VALUES = {
    "region_id": "13", "name": "carbon_intensity_national_forecast", "ending": "csv", "version": "x", "page": "index.html",
    "workload_id": "00000000-0000-0000-0000-000000000000", "operator_id": "00000000-0000-0000-0000-000000000000",
}  # fmt: skip
MORE = (
    "/when?split=true", "/data?table=regions", "/data/regions.parquet", "/trust?day=2026-01-01",
    "/gsf/emissions/bylocation?location=13", "/gsf/emissions/bylocations?location=13&location=1",
    "/gsf/emissions/bylocations/best?location=13", "/gsf/emissions/forecasts/current?location=13",
    "/gsf/emissions/average-carbon-intensity?location=13&startTime=2026-01-01&endTime=2026-01-02", "/no/such/page",
)  # fmt: skip
ENDLESS = {"/events"}


def addresses(routes: list[Any], before: str = "") -> Iterator[str]:
    """An address of every route that takes GET."""
    for one in iter_route_contexts(routes):
        route = one.original_route
        if isinstance(route, Mount):
            yield from addresses(list(route.routes), before + route.path)
        elif isinstance(route, Route) and "GET" in (route.methods or {"GET"}):
            yield before + re.sub(r"{(\w+)(:\w+)?}", lambda found: VALUES.get(found[1], "x"), one.path or "")


@contextmanager
def everything_taken(client: TestClient, state: Service) -> Iterator[None]:
    """Connections, streams and threads of token holders are all in use."""
    ends = threading.Event()
    stack = AsyncExitStack()
    columns: list[Columns] = []
    asides: list[asyncio.Task[Any]] = []

    async def take() -> None:
        for pool in (state.pool, state.heavy, state.writes, state.tokens):
            for _ in range(pool.kind.connections):
                await stack.enter_async_context(pool.connection())
        asked = understand(series_of("carbon_intensity_national_forecast"), now=datetime.now(UTC))
        for _ in range(state.streams.kind.connections):
            columns.append(await state.streams.open(asked))
        asides.extend(asyncio.create_task(_waits(aside, ends)) for aside in (WINDOWS, PLANS, WORDS, PLACING))
        asides.extend(asyncio.create_task(asyncio.to_thread(ends.wait, 60)) for _ in range(64))

    async def give_back() -> None:
        ends.set()
        await asyncio.gather(*asides)
        for one in columns:
            await state.streams.give_back(one)
        await stack.aclose()

    assert client.portal
    client.portal.call(take)
    try:
        yield
    finally:
        client.portal.call(give_back)


async def _waits(aside: Any, ends: threading.Event) -> None:
    try:
        await aside(ends.wait, 60)
    except TimeoutError:
        pass


def test_no_open_route_uses_what_token_holders_need(api: Api) -> None:
    state: Service = api.client.app.state.service  # type: ignore[attr-defined]
    asked = [*addresses(api.client.app.routes), *MORE]  # type: ignore[attr-defined]
    del api.client.headers["authorization"]
    found: dict[str, tuple[int, float]] = {}
    with everything_taken(api.client, state):
        for path in asked:
            if path not in ENDLESS:
                begun = time.monotonic()
                found[path] = api.client.get(path).status_code, time.monotonic() - begun
    late = {path: one for path, one in found.items() if one[0] >= 500 or one[1] > 4}
    assert late == {}
    assert sum(status == 200 for status, _ in found.values()) > 20, found
    assert sum(status == 401 for status, _ in found.values()) > 5, "what needs a token was asked for without"


@contextmanager
def held(api: Api, table: str) -> Iterator[None]:
    """Whoever reads this table waits."""
    with api.database.connect() as connection:
        connection.execute(f"begin; lock table {table} in access exclusive mode")
        try:
            yield
        finally:
            connection.execute("rollback")


@pytest.mark.slow
def test_files_without_a_token_take_no_slot_of_those_with_one(api: Api) -> None:
    with held(api, "public.demand_actual_national"), ThreadPoolExecutor(8) as threads:
        waiting = [threads.submit(api.client.get, "/data/demand_national_actual.csv") for _ in range(8)]
        time.sleep(0.5)
        assert api.client.get("/series/carbon_intensity_national_forecast?format=csv").status_code == 200
        assert not all(one.done() for one in waiting)
        api.query(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'energy-service files'"
        )


@pytest.mark.slow
def test_json_of_series_keeps_nobody_from_being_let_in(api: Api) -> None:
    with held(api, "public.demand_actual_national"), ThreadPoolExecutor(20) as threads:
        waiting = [threads.submit(api.client.get, "/series/demand_national_actual") for _ in range(20)]
        time.sleep(0.5)
        new = api.token(_operator(api))  # never used: it is looked up
        assert api.client.get("/workloads", headers=new).status_code == 200
        assert api.submit()["workload_id"]
        assert not all(one.done() for one in waiting)


def _operator(api: Api) -> str:
    api.operator("House", is_default=True)
    return "House"
