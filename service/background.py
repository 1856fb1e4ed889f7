"""Work of the service that goes on beside its requests: over and over, until the service ends."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import psycopg
import psycopg_pool

logger = logging.getLogger("service")
TROUBLE = (psycopg.Error, psycopg_pool.PoolTimeout, TimeoutError)
"""What the database, or the way to it, raises; it passes by itself"""


class Background:
    """Does `once`, pauses, and does it again, from `start` to `stop`.

    While the database is away that is said once, not each time. A defect is logged, and ends no later round: one row that nobody
    expected must not end all of them. `waits` says in words what does not happen meanwhile.
    """

    def __init__(self, once: Callable[[], Awaitable[None]], pause: Callable[[], Awaitable[None]], *, waits: str):
        self._once, self._pause, self._waits = once, pause, waits
        self._task: asyncio.Task[None] | None = None
        self._is_ending = self._is_away = False

    def start(self, *, pause_first: bool = False) -> None:
        """Begin, at once or after a pause."""
        self._task = asyncio.create_task(self._run(pause_first=pause_first))

    async def stop(self) -> None:
        """End; what is being done is cancelled."""
        self._is_ending = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self, *, pause_first: bool) -> None:
        if pause_first:
            await self._pause()
        await self._round()
        while not self._is_ending:  # a library may swallow the cancellation
            await self._pause()
            await self._round()

    async def _round(self) -> None:
        try:
            await self._once()
            self._is_away = False
        except TROUBLE as error:
            if not self._is_away:
                logger.warning("%s: the database cannot be read (%s)", self._waits, type(error).__name__)
            self._is_away = True
        except Exception:
            logger.exception("%s: a defect", self._waits)
