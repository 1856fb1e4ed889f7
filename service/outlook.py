"""The outlook of this moment, or of an instant that has passed: read from the database, kept for some seconds."""

import asyncio
from datetime import UTC, datetime

from placement.outlook import Outlook, from_rows
from service.tenancy import Connection, Pool, connected
from warehouse import known


async def read(connection: Connection, known_at: datetime | None = None) -> Outlook:
    """The outlook of an instant, from the vintages; now, if none is given."""
    if known_at is None:
        row = await (await connection.execute("select clock_timestamp() as instant")).fetchone()
        known_at = row["instant"] if row else datetime.now(UTC)
    at = {"known_at": known_at}
    intensities = await (await connection.execute(known.INTENSITY, at)).fetchall()
    priced = await (await connection.execute(known.PRICE, at)).fetchall()
    windows = await (await connection.execute(known.WINDOWS)).fetchall()
    names = await (await connection.execute(known.NAMES)).fetchall()
    zones = await (await connection.execute(known.ZONES)).fetchall()
    last_real = None
    if all(row["is_synthetic"] for row in intensities):
        last = await (await connection.execute(known.LAST_REAL, at)).fetchone()
        last_real = last["fetched_at"] if last else None
    return from_rows(
        known_at, intensities=intensities, priced=priced, windows=windows, names=names, zones=zones, last_real=last_real
    )


def is_fresh(outlook: Outlook, instant: datetime, seconds: float) -> bool:
    """Whether it is of this half-hour and no older than so many seconds.

    One that is known from later on is not: a clock was set back, and its age cannot be known.
    """
    return 0 <= (instant - outlook.known_at).total_seconds() < seconds and outlook.position(instant) < 1


class Outlooks:
    """The present outlook, read again when it is older than so many seconds."""

    def __init__(self, connections: Pool, seconds: float):
        self._pool, self._seconds = connections, seconds
        self._kept: Outlook | None = None
        self._reading: asyncio.Task[Outlook] | None = None

    async def now(self, within: float | None = None) -> Outlook:
        """The outlook of this moment. Raises TimeoutError after `within` seconds; what it waited for goes on for the others."""
        if self._kept and is_fresh(self._kept, datetime.now(UTC), self._seconds):
            return self._kept
        if self._reading is None or self._reading.done():  # one reads, the others wait for what it reads
            self._reading = asyncio.create_task(self._read())
            self._reading.add_done_callback(lambda task: task.cancelled() or task.exception())
        async with asyncio.timeout(within):
            return await asyncio.shield(self._reading)

    async def _read(self) -> Outlook:
        async with connected(self._pool) as connection:
            self._kept = await read(connection)
        return self._kept

    async def __aenter__(self) -> "Outlooks":
        return self

    async def __aexit__(self, *_exception: object) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])
