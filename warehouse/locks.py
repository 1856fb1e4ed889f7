"""Advisory locks: held by a connection, so that they end with their process, however it ends."""

from collections.abc import Iterator
from contextlib import contextmanager

from warehouse.database import Database

_KEY = "hashtextextended(%s, 0)"


@contextmanager
def exclusive(database: Database, name: str) -> Iterator[None]:
    """Hold the lock `name` of this database; waits for whoever holds it."""
    with database.connect(name=f"energy-lock {name}") as connection:
        connection.execute(f"select pg_advisory_lock({_KEY})", [name])
        yield


def is_held(database: Database, name: str) -> bool:
    """Whether another connection holds the lock `name` now."""
    with database.connect() as connection:
        row = connection.execute(f"select pg_try_advisory_xact_lock({_KEY})", [name]).fetchone()
        return not (row and row[0])
