"""`datastore_search_sql`, run for real in a transaction that reads and is rolled back."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg
from psycopg import postgres

from tests.emulator.neso.database import Filled
from tests.emulator.neso.errors import InternalError, invalid, missing
from tests.emulator.neso.sql_rules import RESOURCE_ID, check_plan, check_statement

EXPLAIN = "EXPLAIN (VERBOSE, FORMAT JSON) "
TIMEOUT_SECONDS = 60.0
CANCELED = "57014"


def search_sql(filled: Filled, parameters: dict[str, Any], timeout: float = TIMEOUT_SECONDS) -> dict[str, Any]:
    """The result of the action: `records`, `fields`, and the statement."""
    statement = parameters.get("sql")
    if not statement or not isinstance(statement, str):
        raise missing("sql")
    check_statement(statement)
    with filled.connect(RESOURCE_ID.findall(statement)) as connection:
        try:
            limit_time(connection, timeout)
            plan = connection.execute((EXPLAIN + statement).encode()).fetchone()
            check_plan(plan[0] if plan else None)
            cursor = connection.execute(statement.encode())
            rows, columns = cursor.fetchall(), cursor.description or []
        except psycopg.Error as error:
            raise _refused(error, statement) from None
        finally:
            connection.rollback()
    names, kinds = [column.name for column in columns], [type_name(column.type_code) for column in columns]
    order = shuffled(names)
    return {
        "records": [
            {names[place]: convert(row[place], kinds[place]) for place in order} for row in rows
        ],
        "fields": [{"type": kind, "id": name} for name, kind in zip(names, kinds, strict=True)],
        "sql": statement,
    }  # fmt: skip


def limit_time(connection: psycopg.Connection, seconds: float) -> None:
    """Cancel what takes longer in this transaction."""
    connection.execute(f"set local statement_timeout to {int(seconds * 1000)}".encode())


def shuffled(names: Sequence[str]) -> list[int]:
    """Places in an order of no meaning that is the same in every process."""
    return sorted(range(len(names)), key=lambda place: hashlib.md5(names[place].encode()).digest())


def type_name(oid: int) -> str:
    """PostgreSQL's short name of a type."""
    info = postgres.types.get(oid)
    return info.name if info else {3614: "tsvector"}.get(oid, "text")


def convert(value: Any, kind: str) -> Any:
    """A value as CKAN 2.8 prints it: whole numbers of four bytes and floats are numbers, all else is text."""
    if value is None:
        return None
    if isinstance(value, list):
        return [convert(item, kind.lstrip("_")) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bool | float) or (isinstance(value, int) and kind in ("int2", "int4")):
        return value
    return str(value)


def _refused(error: psycopg.Error, statement: str) -> Exception:
    if error.sqlstate == CANCELED:
        return invalid(query=["Query took too long"])
    if isinstance(error, psycopg.ProgrammingError):
        text = str(error).replace(EXPLAIN, "")
        return invalid(
            query=[f"(ProgrammingError) {text}"], info={"statement": [statement], "params": [{}], "orig": [text]}
        )
    return InternalError(str(error))
