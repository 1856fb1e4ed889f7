"""Locks of tables: a change to a table waits for whoever has it open in a transaction, and all later reads wait for the change.

So that wait is short (TABLE_WAIT_SECONDS), and its end says who was in the way. What a reader can hold up is bounded too: its
login has so many connections, and its idle transactions end by themselves. A session can switch that off for itself; the wait of
a change is bounded all the same.
"""

import psycopg
from psycopg import sql

from warehouse.database import Database
from warehouse.errors import LockTimeoutError
from warehouse.settings import WarehouseSettings

READER_CONNECTIONS = 20
"""Of the server's 100 or so. A login with a limit of its owner's own choosing keeps it."""
READER_IDLE = "5min"
"""An open transaction of a reader that does nothing ends after this."""

_HOLDERS = """
select format(
    'process %s, user %s, application %s (%s for %s s, holds %s)', pid, coalesce(usename, '?'),
    coalesce(nullif(application_name, ''), 'unnamed'), coalesce(state, 'open'),
    extract(epoch from now() - xact_start)::integer, string_agg(distinct relname, ', ')
)
from pg_stat_activity
join pg_locks using (pid)
join pg_class on pg_class.oid = relation and relkind in ('r', 'v', 'm')
join pg_namespace on pg_namespace.oid = relnamespace and nspname in ('app', 'ops', 'staging', 'intermediate', 'public')
where pg_locks.granted and locktype = 'relation'
    and pg_locks.database = (select oid from pg_database where datname = current_database())
    and pid <> pg_backend_pid() and xact_start < now() - make_interval(secs => $1)
group by pid, usename, application_name, state, xact_start
order by xact_start
limit 3
"""


def gave_up(database: Database, what: str) -> LockTimeoutError:
    """The error of a change that waited too long for a table; it names who has had a table of ours for all that time."""
    bound = WarehouseSettings().table_wait_seconds
    with database.connect(name="energy-locks") as connection:
        rows = psycopg.RawCursor(connection).execute(_HOLDERS, [bound * 0.9]).fetchall()
    holders = " and ".join(words for (words,) in rows) or "somebody who has just gone"
    return LockTimeoutError(
        f"Gave up after {bound:g} s (TABLE_WAIT_SECONDS): {what} waited for a table that is in use by {holders}. "
        "Run the same command again; if that process stays, end it: select pg_terminate_backend(<process>)."
    )


def bound_reader(connection: psycopg.Connection, login: str) -> None:
    """Bound what a reader's login can hold up, unless its owner has given it a limit already."""
    row = connection.execute("select rolconnlimit from pg_roles where rolname = %s", [login]).fetchone()
    if not row or row[0] != -1:
        return
    user = sql.Identifier(login)
    connection.execute(sql.SQL("alter role {} connection limit {}").format(user, READER_CONNECTIONS))
    connection.execute(sql.SQL("alter role {} set idle_in_transaction_session_timeout = {}").format(user, READER_IDLE))
