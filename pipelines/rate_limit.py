"""Rate limits that hold across threads, processes and machines: the count of requests is kept in the warehouse."""

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg_pool import ConnectionPool
from pyrate_limiter import Duration, Limiter, Rate
from pyrate_limiter.buckets.postgres import PostgresBucket
from pyrate_limiter.limiter import SingleBucketFactory

from warehouse.database import Database, Role


@contextmanager
def limiter(database: Database, upstream: str, *, per_second: int) -> Iterator[Limiter]:
    """A limiter of requests to `upstream`, shared by everyone who uses this database."""
    pool = ConnectionPool(
        database.url(),
        min_size=1,
        max_size=4,
        timeout=30,
        kwargs={
            "options": f"{database.options(Role.LOADER)} -c search_path=ops",
            "application_name": "energy-rate-limit",
        },
    )
    with pool:
        bucket = PostgresBucket(pool, upstream, [Rate(per_second, Duration.SECOND)])
        bucket.leak(bucket.now())  # type: ignore[no-untyped-call]
        # no clearing thread beside it: what is out of date goes when the next limiter is made
        with Limiter(SingleBucketFactory(bucket, schedule_leak=False)) as this:
            yield this
