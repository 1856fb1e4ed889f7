"""How slowly a client may take a file."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from service.series.asked import series_of, understand
from service.series.columns import Streams
from service.series.pace import GRACE_SECONDS, LEAST_BYTES_A_SECOND, Pace
from service.series.streamed import Streamed
from tests.service.series.test_files import YEAR
from warehouse.database import Database


def waits_until_cut_off(size: int, seconds: float) -> int:
    """How often a client may take so many bytes in so many seconds before patience ends; 1000 if it never does."""
    pace = Pace()
    for times in range(1000):
        if seconds > pace.patience:
            return times
        pace.took(size, seconds)
    return 1000


def test_whoever_takes_less_than_the_least_rate_is_cut_off_however_it_spreads_it() -> None:
    assert waits_until_cut_off(64 * 1024, 29) == 1, "it took something in time each time, but too little"
    assert waits_until_cut_off(LEAST_BYTES_A_SECOND // 2, 1) <= 2 * GRACE_SECONDS
    assert waits_until_cut_off(LEAST_BYTES_A_SECOND, 1) == 1000
    assert waits_until_cut_off(500_000, 12) == 1000


def test_what_was_taken_quickly_is_no_credit_for_hours() -> None:
    pace = Pace()
    pace.took(1 << 30, 1)
    assert pace.patience == GRACE_SECONDS


def test_a_client_that_takes_each_part_in_time_but_all_of_it_too_slowly_loses_its_slot(grid: Database) -> None:
    with grid.connect() as connection:
        connection.execute(YEAR)
    taken: list[int] = []

    async def take_slowly(message: Any) -> None:
        await asyncio.sleep(0.2)
        taken.append(len(message.get("body", b"")))

    async def read() -> None:
        start = datetime(2024, 1, 1, tzinfo=UTC)
        series = series_of("carbon_intensity_regional_forecast")
        asked = understand(series, now=datetime.now(UTC), start=start, limit=1_000_000)
        streams = Streams(grid)
        for _ in range(streams.kind.connections + 1):
            columns = await streams.open(asked)
            schema = await streams.in_thread(columns.schema)
            slow = Pace(grace_seconds=0.5, least=50_000_000)
            answer = Streamed(streams, columns, schema, "csv", about={}, headers={}, pace=slow)
            scope = {"type": "http", "asgi": {"spec_version": "2.4"}}
            with pytest.raises((TimeoutError, ClientDisconnect)):
                await answer(scope, asyncio.Event().wait, take_slowly)  # type: ignore[arg-type]
        streams.close()

    asyncio.run(read())
    assert 0 < sum(taken) < 10_000_000, "it had begun, and was broken off"
