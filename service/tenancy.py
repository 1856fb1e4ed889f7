"""Connections of the service: under its own role, and each transaction for one operator."""

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
Pool = AsyncConnectionPool[Connection]


@dataclass(frozen=True)
class Caller:
    """Who a token speaks for: an operator, or (None) the platform, which speaks for all."""

    operator_id: UUID | None
    label: str

    @property
    def sees(self) -> str:
        """What row level security lets through (`energy.operator_id`)."""
        return str(self.operator_id) if self.operator_id else "all"


STATEMENT_SECONDS, LOCK_SECONDS = 15, 5
"""A statement, or a wait for a lock within it, that takes longer ends in 503 with Retry-After: one cannot hold up all"""


def pool(database: Database, size: int = 8) -> Pool:
    """A pool of connections under the service's role. Open it before use."""

    async def configure(connection: Connection) -> None:
        connection.adapters.register_loader("numeric", FloatLoader)  # JSON knows one kind of number
        await connection.execute(f"set statement_timeout = '{STATEMENT_SECONDS}s'")
        await connection.execute(f"set lock_timeout = '{LOCK_SECONDS}s'")

    return AsyncConnectionPool(
        database.url(role=Role.SERVICE),
        connection_class=Connection,
        kwargs={"row_factory": dict_row, "application_name": "energy-service", "autocommit": True},
        min_size=2,
        max_size=size,
        timeout=10,
        configure=configure,
        open=False,
    )


@asynccontextmanager
async def speaking_for(connections: Pool, caller: Caller) -> AsyncIterator[Connection]:
    """A transaction in which only the caller's rows are there."""
    async with connections.connection() as connection, connection.transaction():
        await connection.execute("select set_config('energy.operator_id', %s, true)", [caller.sees])
        yield connection
