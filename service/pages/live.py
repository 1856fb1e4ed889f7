"""Says to open pages when there is something new to show: one look at the database for all of them.

An event holds an instant, `2026-11-26T15:30:00.000000Z`: what a page knew before it is out of date. It is that of the newest run
that ended, or the beginning of this half-hour. No page that was made before is shown to those who then ask.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import psycopg
from sse_starlette import ServerSentEvent

from placement.spine import HALF_HOUR
from service.connections import most_connections
from service.outlook import Outlooks
from service.pages.kept import KeptPages
from service.problems import Problem
from service.tenancy import Pool, connected

LOOK_SECONDS = 5.0
MOST = min(1000, most_connections() // 2)
"""Readers at once. Each is a connection, and they never take those of everyone else"""
_NEWEST = "select max(ended_at) as ended_at from ops.runs where started_at > now() - interval '2 days'"


def instant(at: datetime) -> str:
    """As events and pages spell it: texts in the order of time."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


class Live:
    """The readers of one service, and the task that looks for news while there are any."""

    def __init__(self) -> None:
        self._readers: set[asyncio.Queue[str]] = set()
        self._newest = ""
        self._task: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """How many read."""
        return len(self._readers)

    def check(self) -> None:
        """Raise Problem 503 beyond so many readers."""
        if len(self) >= MOST:
            raise Problem(503, "too many pages follow this service; try again later", headers={"Retry-After": "60"})

    async def follow(self, connections: Pool, outlooks: Outlooks, pages: KeptPages) -> AsyncIterator[ServerSentEvent]:
        """Events, until the reader goes. The first says what is newest now."""
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._readers.add(queue)
        if self._newest:
            queue.put_nowait(self._newest)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look(connections, outlooks, pages))
        try:
            while True:
                yield ServerSentEvent(await queue.get(), event="data", retry=5000)
        finally:
            self._readers.discard(queue)

    async def _look(self, connections: Pool, outlooks: Outlooks, pages: KeptPages) -> None:
        while self._readers:
            try:
                newest = await _newest(connections, outlooks)
            except (psycopg.Error, TimeoutError):  # pages find out by themselves that their data grows old
                newest = self._newest
            if newest > self._newest:
                self._newest = newest
                pages.forget()
                for queue in self._readers:
                    queue.put_nowait(newest)
            await asyncio.sleep(LOOK_SECONDS)


async def _newest(connections: Pool, outlooks: Outlooks) -> str:
    """The newest instant that the service's own outlook already knows; a page that is made now would not be older."""
    outlook = await outlooks.now()
    half_hour = datetime.fromtimestamp(int(outlook.known_at.timestamp()) // HALF_HOUR * HALF_HOUR, UTC)
    async with connected(connections) as connection:
        row = await (await connection.execute(_NEWEST)).fetchone()
    ended = row["ended_at"] if row else None
    known = [at for at in (half_hour, ended) if at is not None and at <= outlook.known_at]
    return max((instant(at) for at in known), default="")
