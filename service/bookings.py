"""What is taken of every venue, kept in memory and caught up with the database while nobody else can book.

To read all bookings for each batch would make a submission slower with every workload that waits. `booking_number` grows in the
order of commits, so what was made since the last look is found by an index. A release is noticed at the next look; if its
transaction lasted longer than LONGEST_RELEASE, it is noticed when everything is read anew, after ANEW_AFTER; until then that
capacity counts as taken. Capacity is never given twice: the database checks each booking.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import psycopg
from psycopg.rows import DictRow

from placement.spine import Numbers
from placement.venues import NOTHING_TAKEN, Taken
from service.tenancy import Connection

LONGEST_RELEASE = timedelta(minutes=1)
ANEW_AFTER = timedelta(minutes=5)


@dataclass
class Bookings:
    """The bookings that are committed. Used by one batch at a time."""

    _taken: dict[str, Taken] = field(default_factory=dict)
    _last: int = 0
    """the highest number that was seen"""
    _gone: set[int] = field(default_factory=set)
    """bookings whose release was seen, as far back as a release may still be asked for"""
    _looked_at: datetime | None = None
    _anew_at: datetime | None = None

    async def ask(self, connection: Connection) -> "psycopg.AsyncCursor[DictRow] | None":
        """Ask what has changed since the last look, in the round trip that takes app.lock_capacity()."""
        if self._looked_at is None:
            return None
        return await connection.execute(
            "select * from app.bookings_since(%s, %s)", [self._last, self._looked_at - LONGEST_RELEASE]
        )

    async def taken(
        self, connection: Connection, asked: "psycopg.AsyncCursor[DictRow] | None", now: datetime
    ) -> dict[str, Taken]:
        """What is taken, by the key of a venue; a copy. `now` is the database's clock after app.lock_capacity()."""
        if (
            asked is None
            or self._looked_at is None
            or self._anew_at is None
            or not self._looked_at <= now < self._anew_at
        ):
            await self._read_anew(connection, now)
        else:
            self._catch_up(await asked.fetchall())
        self._looked_at = now
        return dict(self._taken)

    async def _read_anew(self, connection: Connection, now: datetime) -> None:
        async with connection.pipeline():
            steps = await connection.execute("select * from app.bookings_now(%s)", [now])
            last = await connection.execute("select * from app.last_booking(%s)", [now - LONGEST_RELEASE])
        self._taken = {
            row["venue"]: Taken(np.array(row["instants"]), _summed(np.array(row["changes_kw"])))
            for row in await steps.fetchall()
        }
        for row in await last.fetchall():  # there is one
            self._last, self._gone = row["booking_number"], set(row["released"])
        self._anew_at = now + ANEW_AFTER

    def _catch_up(self, rows: Sequence[DictRow]) -> None:
        changes: dict[str, list[tuple[float, float]]] = {}
        last, gone = self._last, set[int]()
        for row in rows:
            number, kw = row["booking_number"], row["power_kw"]
            last = max(last, number)
            if row["is_released"]:
                gone.add(number)
                if number in self._gone or number > self._last:
                    continue  # that was seen, or it was made and released since the last look
                kw = -kw
            changes.setdefault(row["venue"], []).extend([(row["starts"], kw), (row["ends"], -kw)])
        self._last, self._gone = last, self._gone | gone
        for venue, steps in changes.items():
            self._taken[venue] = _with(self._taken.get(venue, NOTHING_TAKEN), steps)


def _with(taken: Taken, steps: list[tuple[float, float]]) -> Taken:
    instants = np.concatenate([taken.instants, [instant for instant, _ in steps]])
    changes = np.concatenate([np.diff(taken.power_kw, prepend=0.0), [kw for _, kw in steps]])
    merged, place = np.unique(np.round(instants, 6), return_inverse=True)
    together: Numbers = np.zeros(len(merged))
    np.add.at(together, place, changes)
    return Taken(merged, _summed(together))


def _summed(changes: Numbers) -> Numbers:
    """Power from each instant on; to the digits that the database keeps, so that no sum leaves a trace of what has ended."""
    power_kw: Numbers = np.cumsum(changes).round(6)
    return power_kw
