"""The loop that sends callbacks: many at once, a few to one URL, so that a slow receiver holds up nobody else.

It has a connection of its own: neither a decision nor its answer ever waits for it. What it claimed when it was killed is claimed
again, by whichever service, when its lease has ended.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

import httpx

from service.background import TROUBLE, Background
from service.callbacks import outbox
from service.callbacks.addresses import Network
from service.callbacks.outbox import Claimed
from service.callbacks.sending import Sender, client
from service.metrics import Metrics
from service.settings import ServiceSettings
from service.tenancy import Kind, Pool, pool
from warehouse.database import Database

logger = logging.getLogger("service")
CALLBACKS = Kind("callbacks", connections=1, wait_seconds=30, statement_seconds=10, total_seconds=40)
LOOK_SECONDS, GATHER_SECONDS = 1.0, 0.02
"""between two looks at the outbox; and after a callback ended, so that many that end together are one look"""
MOST_AT_ONCE = 256
LEASE_SPARE_SECONDS = 30.0
"""more than a callback may take: nobody else sends it meanwhile, unless this process stands still for so long"""
LONGEST_PAUSE_SECONDS = 900.0
KEPT_SECONDS, TIDY_SECONDS = 7 * 86400.0, 600.0
STOP_SECONDS = 2.0


def pause_seconds(attempts: int, first: float) -> float:
    """How long after so many failed attempts the next one is: twice as long each time, half to all of that by chance."""
    longest = min(LONGEST_PAUSE_SECONDS, first * 2.0 ** min(attempts - 1, 30))
    return longest * random.uniform(0.5, 1)  # noqa: S311  no secret depends on it


class Deliveries:
    """Sends what is in the outbox, from the beginning of its `async with` to the end."""

    def __init__(self, database: Database, settings: ServiceSettings, metrics: Metrics):
        self._pool: Pool = pool(database, CALLBACKS)
        self._settings, self._metrics = settings, metrics
        self._allowed: Sequence[Network] = settings.callback_networks
        self._urls: Counter[str] = Counter()
        self._operators: Counter[UUID] = Counter()
        self._sending: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._tidied = -TIDY_SECONDS
        self._looks = Background(self._look, self._until_the_next_look, waits="callbacks wait")

    async def __aenter__(self) -> "Deliveries":
        await self._pool.open(wait=False)  # a service whose database is away starts all the same
        self._client = client()
        self._looks.start()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self._looks.stop()
        if self._sending:
            _, late = await asyncio.wait(self._sending, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)
        await self._client.aclose()
        await self._pool.close()

    async def _look(self) -> None:
        self._wake.clear()
        now = asyncio.get_running_loop().time()
        if now - self._tidied >= TIDY_SECONDS:
            most = 3600 * self._settings.service_callback_hours
            await outbox.tidy(self._pool, kept_seconds=KEPT_SECONDS, most_seconds=most)
            self._tidied = now
        await self._send_ready()

    async def _until_the_next_look(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(min(LOOK_SECONDS, self._settings.service_callback_retry_seconds)):
                await self._wake.wait()
            await asyncio.sleep(GATHER_SECONDS)

    async def _send_ready(self) -> None:
        """Begin to send what can be; the tasks go on by themselves."""
        limit = MOST_AT_ONCE - len(self._sending)
        if limit <= 0:
            return
        found = await outbox.claim(
            self._pool,
            limit=limit,
            lease_seconds=self._settings.service_callback_seconds + LEASE_SPARE_SECONDS,
            full_urls=[url for url, count in self._urls.items() if count >= outbox.MOST_OF_URL],
            full_operators=[one for one, count in self._operators.items() if count >= outbox.MOST_OF_OPERATOR],
        )
        for event in found:
            self._urls[event.url] += 1
            self._operators[event.operator_id] += 1
            task = asyncio.create_task(self._deliver(event))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _deliver(self, event: Claimed) -> None:
        sender = Sender(self._client, self._settings.service_callback_seconds, self._allowed)
        try:
            failure = await sender.send(event.url, event.secret, str(event.event_id), event.body)
            self._metrics.called_back("delivered" if failure is None else "failed")
            if failure is None:
                await outbox.delivered(self._pool, event)
            else:
                logger.info("%r: %s", event, failure)
                pause = pause_seconds(event.attempts, self._settings.service_callback_retry_seconds)
                most = 3600 * self._settings.service_callback_hours
                await outbox.failed(self._pool, event, failure, pause_seconds=pause, most_seconds=most)
        except TROUBLE as error:  # it is sent again when its lease ends
            logger.warning("%r: how it ended cannot be written (%s)", event, type(error).__name__)
        except (httpx.HTTPError, RuntimeError) as error:  # the client is being closed
            logger.warning("%r: %s", event, type(error).__name__)
        finally:
            self._urls -= Counter([event.url])  # without what is down to nothing
            self._operators -= Counter([event.operator_id])
            self._wake.set()
