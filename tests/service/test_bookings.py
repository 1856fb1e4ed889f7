"""What a process keeps in memory of what is taken is what the database says, whoever booked and released meanwhile."""

import asyncio
import random
from datetime import UTC, datetime, timedelta

import pytest

from placement.venues import Taken, taken_of
from service.bookings import Bookings
from service.tenancy import WRITES, connected, pool
from tests.warehouse.app_rows import HOUR, become, operator, place, workload
from warehouse import known
from warehouse.database import Database

START = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + HOUR
NEVER = START + timedelta(days=30)


def steps(taken: Taken) -> list[tuple[float, float]]:
    """Instants at which the power really changes, and the power from then on."""
    found: list[tuple[float, float]] = []
    for instant, kw in zip(taken.instants.tolist(), taken.power_kw.tolist(), strict=True):
        if round(kw, 6) != (found[-1][1] if found else 0.0):
            found.append((round(instant, 6), round(kw, 6)))
    return found


@pytest.mark.parametrize("seed", range(3))
def test_it_is_what_the_database_says_after_any_bookings_and_releases(database: Database, seed: int) -> None:
    chance = random.Random(seed)
    with database.connect() as owner:
        by, another = operator(owner), operator(owner)
    venues = [f"region:{one}/{region}" for one in (by, another) for region in (3, 13)]
    live: list[object] = []

    def change() -> None:
        with database.connect() as owner:
            for _ in range(chance.randint(0, 4)):
                if live and chance.random() < 0.4:
                    become(owner, live.pop(chance.randrange(len(live))), "cancelled")  # type: ignore[arg-type]
                    continue
                one, region = chance.choice((by, another)), chance.choice((3, 13))
                kw, minutes = chance.randint(1, 9), chance.choice((1, 30, 60, 200))
                with owner.transaction():
                    within = {"earliest_start": START, "deadline": START + 24 * HOUR}
                    this = workload(owner, one, kw=kw, minutes=minutes, **within)
                    at = START + timedelta(minutes=chance.randrange(600))
                    made = place(owner, this, at=at, venue=f"region:{one}/{region}", region_id=region)
                    become(owner, this, "scheduled", placement_id=made)
                live.append(this)

    async def compared() -> None:
        bookings, several = Bookings(), 0
        async with pool(database, WRITES) as connections:
            for number in range(25):
                change()
                async with connected(connections) as connection, connection.transaction():
                    await connection.execute("select app.lock_capacity()")
                    row = await (await connection.execute("select clock_timestamp() as now")).fetchone()
                    assert row
                    if number % 10 == 0:  # another process starts
                        bookings = Bookings()
                    found = await bookings.taken(connection, await bookings.ask(connection), row["now"])
                    cursor = await connection.execute(
                        known.TAKEN, {"venues": venues, "begins": START - HOUR, "ends": NEVER, "known_at": None}
                    )
                    expected = taken_of(await cursor.fetchall())
                for venue in venues:
                    nothing: list[tuple[float, float]] = []
                    mine = steps(found[venue]) if venue in found else nothing
                    assert mine == (steps(expected[venue]) if venue in expected else nothing), (number, venue)
                    several += len(mine)
        assert several > 100

    asyncio.run(compared())
