"""Rate limits that hold across threads, processes and machines: the count of requests is kept in the warehouse."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from psycopg_pool import ConnectionPool
from pyrate_limiter import Limiter
from pyrate_limiter import Rate as BucketRate
from pyrate_limiter.buckets.postgres import PostgresBucket
from pyrate_limiter.limiter import SingleBucketFactory

from pipelines.settings import Rate
from warehouse.database import Database, Role

MARGIN = 1.02
"""Requests leave when the database says so and arrive a little later: so much longer is an interval here than there."""


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
            yield partial(_wait, limiter)


def _wait(limiter: Limiter) -> None:
    limiter.try_acquire("request")
