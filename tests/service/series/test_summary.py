"""What there is of each series, while the database keeps everyone waiting or is away."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from service.series.summary import Summaries
from service.tenancy import KEPT, Kind, pool
from tests.service.conftest import Api
from warehouse.database import Database

IMPATIENT = Kind("impatient", connections=2, wait_seconds=1, statement_seconds=1, total_seconds=2)


def test_however_many_wait_they_share_one_time_out(grid: Database) -> None:
    async def ask() -> tuple[list[object], float]:
        async with pool(grid, IMPATIENT) as connections:
            summaries = Summaries(connections)
            begun = time.monotonic()
            found = await asyncio.gather(*(summaries.now() for _ in range(20)), return_exceptions=True)
            return list(found), time.monotonic() - begun

    with grid.connect() as holder:
        holder.execute("begin; lock table public.carbon_intensity_national in access exclusive mode")
        found, seconds = asyncio.run(ask())
        holder.execute("rollback")
    assert {isinstance(one, psycopg.Error | TimeoutError) for one in found} == {True}
    assert seconds < 2 * IMPATIENT.total_seconds


def test_what_was_read_last_is_given_while_the_database_cannot_be_read(grid: Database) -> None:
    async def ask() -> None:
        async with pool(grid, IMPATIENT) as connections:
            summaries = Summaries(connections, seconds=0.01)
            first = await summaries.now()
            await asyncio.sleep(0.02)
            with grid.connect() as holder:
                holder.execute("begin; lock table public.carbon_intensity_national in access exclusive mode")
                assert await summaries.now() == first
                holder.execute("rollback")
            await asyncio.sleep(0.02)
            assert [one["name"] for one in await summaries.now()] == [one["name"] for one in first]

    asyncio.run(ask())


@pytest.mark.slow
def test_the_list_of_series_has_one_wait_for_all(api: Api) -> None:
    with api.database.connect() as holder, ThreadPoolExecutor(10) as threads:
        holder.execute("begin; lock table public.carbon_intensity_national in access exclusive mode")
        begun = time.monotonic()
        statuses = {one.status_code for one in threads.map(api.client.get, ["/series"] * 10)}
        assert time.monotonic() - begun < KEPT.total_seconds + 1
        assert statuses == {503}
        holder.execute("rollback")
    assert api.client.get("/series").status_code == 200
