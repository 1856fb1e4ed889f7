"""The event stream: two hundred readers hear what is new, while others are served; and none holds up the end."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from service.assembly import assemble, opened
from service.pages.kept import KeptPages
from service.settings import ServiceSettings
from tests.service.conftest import Api
from warehouse.database import Database

READERS = 200
NEW_RUN = (
    "insert into ops.runs (run_id, flow, status, started_at, ended_at) "
    "values (gen_random_uuid(), 'refresh', 'completed', clock_timestamp(), clock_timestamp()) returning ended_at"
)


@pytest.mark.slow
def test_two_hundred_readers_hear_of_it_while_others_are_served(served: httpx.Client, grid: Database) -> None:
    newest, others, status = asyncio.run(follow(str(served.base_url), grid))
    assert len(newest) == READERS and len(set(newest)) == 1
    assert others and all(code == 200 for code in others)
    assert status == 200


async def follow(address: str, grid: Database) -> tuple[list[str], list[int], int]:
    """The event that each reader had after a run ended; what those were answered who asked meanwhile, and who asked after."""
    limits = httpx.Limits(max_connections=READERS + 10)
    async with httpx.AsyncClient(base_url=address, timeout=120, limits=limits) as client:
        first = asyncio.Semaphore(0)
        wanted: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        async def read() -> str:
            async with client.stream("GET", "/events") as response:
                assert response.headers["content-type"].startswith("text/event-stream")
                is_first = True
                async for line in response.aiter_lines():
                    if not line.startswith("data: "):
                        continue
                    if is_first:
                        is_first = False
                        first.release()
                    if wanted.done() and line.removeprefix("data: ") >= wanted.result():
                        return line
            raise AssertionError("the stream ended")

        readers = [asyncio.create_task(read()) for _ in range(READERS)]
        for _ in range(READERS):
            await asyncio.wait_for(first.acquire(), 60)
        with grid.connect() as connection:
            row = connection.execute(NEW_RUN).fetchone()
        assert row
        wanted.set_result(f"{row[0].astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z")
        others = [(await client.get("/")).status_code for _ in range(5)]
        newest = await asyncio.wait_for(asyncio.gather(*readers), 90)
        return list(newest), others, (await client.get("/healthz")).status_code


def test_an_instant_of_an_event_is_spelled_as_pages_spell_theirs(api: Api) -> None:
    html = api.client.get("/").text
    known = html.split('data-known-at="')[1].split('"')[0]
    assert datetime.strptime(known, "%Y-%m-%dT%H:%M:%S.%fZ")
    assert len(known) == len("2026-11-26T15:08:47.706388Z")


def test_a_page_is_made_once_for_all_who_ask_at_once_and_a_failure_is_not_kept() -> None:
    made: list[str] = []

    async def make() -> Any:
        made.append("x")
        await asyncio.sleep(0.01)
        if len(made) == 1:
            raise TimeoutError
        return httpx_like()

    async def ask() -> list[Any]:
        kept = KeptPages()
        failed = await asyncio.gather(*(kept.get("/", make) for _ in range(5)), return_exceptions=True)
        answered = await asyncio.gather(*(kept.get("/", make) for _ in range(5)))
        return [*failed, *answered]

    answers = asyncio.run(ask())
    assert [type(one) for one in answers[:5]] == [TimeoutError] * 5
    assert [one.body for one in answers[5:]] == [b"page"] * 5 and len(made) == 2


def test_a_page_made_before_an_event_is_shown_to_nobody_after_it(grid: Database) -> None:
    made: list[str] = []

    async def make() -> Any:
        made.append("x")
        return httpx_like()

    async def ask() -> None:
        service, kept = assemble(grid, ServiceSettings()), KeptPages(seconds=3600)
        async with opened(service):
            await kept.get("/", make)
            await kept.get("/", make)
            assert len(made) == 1
            async for _ in service.live.follow(service.kept, service.outlooks, kept):
                break
            await kept.get("/", make)

    asyncio.run(ask())
    assert len(made) == 2


def httpx_like() -> Any:
    from fastapi.responses import HTMLResponse

    return HTMLResponse("page", headers={"X-A": "1"})
