"""Advisory locks: held by a connection, so that they end with their process, however it ends.

Flows take them as the loader. On a server whose owner is a superuser nobody else can (`logins.guard_locks`); everywhere a
wait is bounded, and says who holds the lock.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import psycopg

from warehouse.database import Database, Role
from warehouse.errors import LockTimeoutError
from warehouse.settings import WarehouseSettings

QUIET_SECONDS = 10
"""Two runs that take turns wait this long without a word."""

log = logging.getLogger("warehouse")
_KEY = "hashtextextended(%s, 0)"
_HOLDERS = """
select format(
    'process %%s, user %%s, application %%s', pid, coalesce(usename, '?'), coalesce(nullif(application_name, ''), 'unnamed')
)
from pg_locks left join pg_stat_activity using (pid)
where locktype = 'advisory' and granted and objsubid = 1 and pg_locks.pid <> pg_backend_pid()
    and pg_locks.database = (select oid from pg_database where datname = current_database())
    and (classid::bigint << 32) | objid::bigint = hashtextextended(%s, 0)
order by 1
"""


@contextmanager
def exclusive(database: Database, name: str, *, role: Role | None = Role.LOADER) -> Iterator[None]:
    """Hold the lock `name` of this database. Raises LockTimeoutError after LOCK_WAIT_SECONDS.

    `role=None` takes it as the owner: for migrations and logins, before there is a loader.
    """
    with database.connect(role=role, name=f"energy-lock {name}") as connection:
        _take(connection, name)
        yield


@contextmanager
def exclusive_all(database: Database, names: Iterable[str]) -> Iterator[None]:
    """Hold several locks; taken in one order by everyone, so that two who want the same do not wait for each other."""
    with database.connect(role=Role.LOADER, name="energy-locks") as connection:
        for name in sorted(set(names)):
            _take(connection, name)
        yield


def is_held(database: Database, name: str) -> bool:
    """Whether another connection holds the lock `name` now."""
    with database.connect(role=Role.LOADER) as connection:
        return bool(_holders(connection, name))


def _take(connection: psycopg.Connection, name: str) -> None:
    bound = WarehouseSettings().lock_wait_seconds
    quiet = min(QUIET_SECONDS, bound)
    if _wait(connection, name, quiet):
        return
    said = f"the lock {name!r} is held by {' and '.join(_holders(connection, name)) or 'somebody who has just gone'}"
    if bound > quiet:
        log.warning("waiting up to %g s: %s", bound, said)
        if _wait(connection, name, bound - quiet):
            return
        said = (
            f"the lock {name!r} is held by {' and '.join(_holders(connection, name)) or 'somebody who has just gone'}"
        )
    raise LockTimeoutError(
        f"Gave up after {bound:g} s (LOCK_WAIT_SECONDS): {said}. "
        "If that is no run of this project, end it: select pg_terminate_backend(<process>)."
    )


def _wait(connection: psycopg.Connection, name: str, seconds: float) -> bool:
    """Take the lock, waiting at most this long; whether it was taken."""
    connection.execute("select set_config('lock_timeout', %s, false)", [f"{max(1, round(seconds * 1000))}ms"])
    try:
        connection.execute(f"select pg_advisory_lock({_KEY})", [name])
    except psycopg.errors.LockNotAvailable:
        return False
    finally:
        connection.execute("set lock_timeout = 0")
    return True


def _holders(connection: psycopg.Connection, name: str) -> list[str]:
    return [words for (words,) in connection.execute(_HOLDERS, [name]).fetchall()]
