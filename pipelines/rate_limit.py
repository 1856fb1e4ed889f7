"""Rate limits that hold across threads, processes and machines: the count of requests is kept in the warehouse."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial

from psycopg import sql
from psycopg_pool import ConnectionPool
from pyrate_limiter import Limiter
from pyrate_limiter import Rate as BucketRate
from pyrate_limiter.buckets.postgres import PostgresBucket
from pyrate_limiter.limiter import SingleBucketFactory

from pipelines.settings import Rate
from warehouse.database import Database, Role
from warehouse.errors import LockTimeoutError
from warehouse.settings import WarehouseSettings

log = logging.getLogger("pipelines")
MARGIN = 1.02
"""Requests leave when the database says so and arrive a little later: so much longer is an interval here than there."""
QUIET_INTERVALS, QUIET_SECONDS = 3, 10
"""Whoever asks together with others waits so many intervals, and so long, without a word."""


@contextmanager
def turn(database: Database, name: str, rate: Rate) -> Iterator[Callable[[], None]]:
    """A function that waits until one more request fits the rate, shared by everyone who uses this database."""
    pool = ConnectionPool(
        database.url(role=Role.LOADER),
        min_size=1,
        max_size=4,
        timeout=30,
        kwargs={
            "options": f"{database.options(Role.LOADER)} -c search_path=ops",
            "application_name": "energy-rate-limit",
        },
    )
    with pool:
        bucket = PostgresBucket(pool, name, [BucketRate(rate.requests, int(rate.seconds * 1000 * MARGIN))])
        bucket.leak(bucket.now())  # type: ignore[no-untyped-call]
        # no clearing thread beside it: what is out of date goes when the next limiter is made
        with Limiter(SingleBucketFactory(bucket, schedule_leak=False)) as limiter:
            yield partial(_wait, limiter, pool, name, rate)


@cache
def own_turn(name: str, rate: Rate) -> Callable[[], None]:
    """The same for this process alone, where there is no warehouse to share a count in."""
    limiter = Limiter(BucketRate(rate.requests, int(rate.seconds * 1000 * MARGIN)))

    def wait() -> None:
        limiter.try_acquire(name)

    return wait


def _wait(limiter: Limiter, pool: ConnectionPool, name: str, rate: Rate) -> None:
    bound = WarehouseSettings().lock_wait_seconds
    quiet = min(bound, QUIET_INTERVALS * rate.seconds + QUIET_SECONDS)
    _bring_back(pool, name)
    if limiter.try_acquire("request", timeout=quiet):
        return
    log.warning("waiting up to %g s for a turn to ask %s: others ask it too, through the same database", bound, name)
    _bring_back(pool, name)
    if not limiter.try_acquire("request", timeout=max(0, bound - quiet)):
        raise LockTimeoutError(
            f"Gave up after {bound:g} s (LOCK_WAIT_SECONDS): others used every turn to ask {name}. Run it again later."
        )


def _bring_back(pool: ConnectionPool, name: str) -> None:
    """Requests of the future were made before the database's clock was set back: they count as made now."""
    table = sql.Identifier(f"ratelimit___{name.lower()}")
    with pool.connection() as connection:
        moved = connection.execute(
            sql.SQL(
                "update {} set item_timestamp = clock_timestamp()::timestamp "
                "where item_timestamp > clock_timestamp()::timestamp + interval '1 second'"
            ).format(table)
        ).rowcount
    if moved:
        log.warning("%d requests to %s bore times that have not been: the database's clock was set back", moved, name)
