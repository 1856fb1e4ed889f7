"""Runs a query of an agent as the reader: a login that can read schema public and nothing else, on a connection of its own.

The connection is closed after each query, so nothing that a query sets outlives it.
"""

import asyncio
import json
from typing import Any

import psycopg

from service.mcp.statements import Refused, checked
from service.problems import Problem
from warehouse.database import Database, Role

STATEMENT_SECONDS = 5
TOTAL_SECONDS = 10
AT_ONCE = 2
MOST_ROWS = 1000
MOST_ROW_BYTES = 20_000
MOST_BYTES = 500_000
_SETTINGS = (
    f" -c statement_timeout={STATEMENT_SECONDS}s -c default_transaction_read_only=on -c search_path=public "
    "-c standard_conforming_strings=on -c idle_in_transaction_session_timeout=10s -c lock_timeout=1s "
    "-c max_parallel_workers_per_gather=0"
)


class Reader:
    """Queries of agents, so many at a time."""

    def __init__(self, database: Database):
        self._database = database
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def query(self, statement: str, limit: int) -> tuple[list[str], list[list[Any]], bool]:
        """Names of columns, rows as JSON values, and whether there are more. Raises Problem with the reason in words."""
        try:
            inner = checked(statement)
        except Refused as error:
            raise Problem(422, str(error)) from None
        # The bound on a row's length is the server's: one value may be a gigabyte. A new line ends a comment at the end.
        wrapped = (
            f"select case when octet_length(record) <= {MOST_ROW_BYTES} then record end "
            f"from (select row_to_json(asked)::text as record "
            f"from ({inner}\n) as asked limit {limit + 1}) as bounded"
        )
        async with asyncio.timeout(TOTAL_SECONDS), self._turn:
            rows = await rows_of(self._database, wrapped)
        return _shaped(rows, limit)


async def rows_of(database: Database, statement: str) -> list[tuple[Any, ...]]:
    """Rows of one statement that runs with the rights of the reader. Raises Problem where PostgreSQL refuses it."""
    login = await asyncio.to_thread(database.login, Role.READER)
    if login is database:
        raise Problem(503, "this database has no login for readers (docs/decisions/logins.md), so no query is run")
    parameters: dict[str, Any] = dict(login.settings())
    connection = await psycopg.AsyncConnection.connect(
        host=login.host, port=login.port, user=login.user, password=login.password, dbname=login.name,
        options=database.options(Role.READER) + _SETTINGS, application_name="energy-mcp query", connect_timeout=5,
        **parameters,
    )  # fmt: skip
    async with connection, connection.cursor(binary=True) as cursor:  # binary: one statement, by the protocol itself
        try:
            await cursor.execute(statement.encode())
            return await cursor.fetchall()
        except psycopg.OperationalError:  # it took too long, or the server has gone
            raise
        except psycopg.Error as error:  # of the query: the agent's own words, and names of schema public
            raise Problem(422, f"PostgreSQL refuses it: {error.diag.message_primary or type(error).__name__}") from None


def _shaped(rows: list[tuple[Any, ...]], limit: int) -> tuple[list[str], list[list[Any]], bool]:
    records: list[list[Any]] = []
    columns: list[str] = []
    size = 0
    for (text,) in rows[:limit]:
        if text is None:
            raise Problem(422, f"a row is longer than {MOST_ROW_BYTES} bytes; select fewer columns")
        size += len(text)
        if size > MOST_BYTES:
            return columns, records, True
        pairs = json.loads(text, object_pairs_hook=_Pairs)
        columns = columns or [name for name, _ in pairs]
        records.append([_plain(value) for _, value in pairs])
    return columns, records, len(rows) > limit


class _Pairs(list[tuple[str, Any]]):
    """A JSON object whose names may repeat."""


def _plain(value: Any) -> Any:
    if isinstance(value, _Pairs):
        return {name: _plain(one) for name, one in value}
    return [_plain(one) for one in value] if isinstance(value, list) else value
