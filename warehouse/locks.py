"""Advisory locks: held by a connection, so that they end with their process, however it ends."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from warehouse.database import Database

_KEY = "hashtextextended(%s, 0)"


@contextmanager
def exclusive(database: Database, name: str) -> Iterator[None]:
    """Hold the lock `name` of this database; waits for whoever holds it."""
    with database.connect(name=f"energy-lock {name}") as connection:
        connection.execute(f"select pg_advisory_lock({_KEY})", [name])
        yield


@contextmanager
def exclusive_all(database: Database, names: Iterable[str]) -> Iterator[None]:
    """Hold several locks; taken in one order by everyone, so that two who want the same do not wait for each other."""
    with database.connect(name="energy-locks") as connection:
        for name in sorted(set(names)):
            connection.execute(f"select pg_advisory_lock({_KEY})", [name])
        yield


def is_held(database: Database, name: str) -> bool:
    """Whether another connection holds the lock `name` now."""
    with database.connect() as connection:
        row = connection.execute(f"select pg_try_advisory_xact_lock({_KEY})", [name]).fetchone()
        return not (row and row[0])
