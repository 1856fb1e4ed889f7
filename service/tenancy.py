"""Connections of the service: under its own role, each transaction for one operator, and each kind of route with its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg.types.numeric import FloatLoader
from psycopg_pool import AsyncConnectionPool

from warehouse.database import Database, Role

Connection = psycopg.AsyncConnection[DictRow]


@dataclass(frozen=True)
class Caller:
    """Who a token speaks for: an operator, or (None) the platform, which speaks for all."""

    operator_id: UUID | None
    label: str

    @property
    def sees(self) -> str:
        """What row level security lets through (`energy.operator_id`)."""
        return str(self.operator_id) if self.operator_id else "all"


@dataclass(frozen=True)
class Kind:
    """A kind of route: its own connections, and how long each thing may take. What takes longer ends in 503 with Retry-After."""

    name: str
    connections: int
    wait_seconds: float
    """for a connection"""
    statement_seconds: float
    """for a statement"""
    total_seconds: float
    """from asking for a connection to giving it back, whatever the database does: it may accept everything and say nothing"""


READS = Kind("reads", connections=8, wait_seconds=5, statement_seconds=5, total_seconds=10)
"""A workload, a page of workloads."""
TOKENS = Kind("tokens", connections=2, wait_seconds=3, statement_seconds=2, total_seconds=5)
"""Look-ups of tokens: whatever else is being read or written, a request is let in or refused."""
KEPT = Kind("kept", connections=4, wait_seconds=5, statement_seconds=8, total_seconds=15)
"""What one read gives to everyone for some seconds: the outlook, renewable shares, summaries of series, news for open pages."""
HEAVY = Kind("heavy", connections=2, wait_seconds=5, statement_seconds=8, total_seconds=15)
"""What agents read, the best windows, a decision made again, JSON of series: however many ask, the others have connections."""
PUBLIC = Kind("public", connections=2, wait_seconds=5, statement_seconds=8, total_seconds=15)
"""Pages, which need no token: whoever asks for them without end keeps nobody from what needs one."""
WRITES = Kind("writes", connections=6, wait_seconds=10, statement_seconds=15, total_seconds=30)
"""Submissions and steps: those who read cannot keep it from them, nor the other way round."""
STREAMS = Kind("streams", connections=4, wait_seconds=5, statement_seconds=120, total_seconds=600)
"""Files of series: long reads, sent as fast as the client takes them. A connection each, closed after it; no pool."""
FILES = Kind("files", connections=2, wait_seconds=5, statement_seconds=30, total_seconds=120)
"""Files of the pages, which need no token: the same, but fewer, shorter and apart."""
LOCK_SECONDS, CONNECT_SECONDS = 5, 5
NOBODY = "nobody"
"""Speaking for it, no row of `app` is there."""


class Pool(AsyncConnectionPool[Connection]):
    """Connections for one kind of route."""

    kind: Kind


def pool(database: Database, kind: Kind = READS) -> Pool:
    """A pool of connections under the service's role. Open it before use."""

    async def configure(connection: Connection) -> None:
        connection.adapters.register_loader("numeric", FloatLoader)  # JSON knows one kind of number
        await connection.execute(f"set statement_timeout = '{kind.statement_seconds}s'")
        await connection.execute(f"set lock_timeout = '{LOCK_SECONDS}s'")

    made = Pool(
        database.url(role=Role.SERVICE),
        connection_class=Connection,
        kwargs={
            "row_factory": dict_row,
            "application_name": f"energy-service {kind.name}",
            "autocommit": True,
            "connect_timeout": CONNECT_SECONDS,
        },
        min_size=min(2, kind.connections),
        max_size=kind.connections,
        timeout=kind.wait_seconds,
        configure=configure,
        open=False,
    )
    made.kind = kind
    return made


@asynccontextmanager
async def connected(connections: Pool) -> AsyncIterator[Connection]:
    """A connection. Raises TimeoutError, PoolTimeout or QueryCanceled where this takes longer than its kind may."""
    async with asyncio.timeout(connections.kind.total_seconds), connections.connection() as connection:
        yield connection


@asynccontextmanager
async def speaking_for(connections: Pool, caller: Caller) -> AsyncIterator[Connection]:
    """A transaction in which only the caller's rows are there."""
    async with connected(connections) as connection, connection.transaction():
        await speak_for(connection, caller.sees)
        yield connection


async def speak_for(connection: Connection, operator: UUID | str) -> None:
    """From here to the end of the transaction only the rows of this operator are there (`all`: of every one)."""
    await connection.execute("select set_config('energy.operator_id', %s, true)", [str(operator)])
