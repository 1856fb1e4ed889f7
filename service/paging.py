"""Workloads, a page at a time: filters, and a cursor that says where the page before ended (of other lists too)."""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from service.answers import spelled
from service.problems import Problem
from service.records import COLUMNS, FROM
from service.tenancy import Connection

_PAGE = f"""
select {COLUMNS} {FROM}
left join app.users as person on workload.user_id = person.user_id
where (%(user_email)s::text is null or person.email = %(user_email)s)
    and (%(user_id)s::uuid is null or workload.user_id = %(user_id)s)
    and (%(status)s::text[] is null or workload.status::text = any(%(status)s))
    and (%(created_from)s::timestamptz is null or workload.created_at >= %(created_from)s)
    and (%(created_to)s::timestamptz is null or workload.created_at < %(created_to)s)
    and (%(at)s::timestamptz is null or (workload.created_at, workload.workload_id) < (%(at)s, %(after)s::uuid))
order by workload.created_at desc, workload.workload_id desc
limit %(most)s
"""


async def page(
    connection: Connection,
    *,
    cursor: str | None,
    limit: int,
    user_email: str | None = None,
    user_id: UUID | None = None,
    status: Sequence[str] | None = None,
    created_from: datetime | None = None,
    created_to: datetime | None = None,
) -> tuple[list[dict[str, Any]], str | None]:
    """The newest first, and the cursor of the page that follows (None on the last). Raises Problem 422 for a bad cursor."""
    at, after = (None, None) if cursor is None else _read(cursor)
    values = {
        "user_email": user_email, "user_id": user_id, "status": None if status is None else list(status),
        "created_from": created_from, "created_to": created_to, "at": at, "after": after, "most": limit + 1,
    }  # fmt: skip
    rows = await (await connection.execute(_PAGE, values)).fetchall()
    found = rows[:limit]
    return found, cursor_of(found[-1]["created_at"], found[-1]["workload_id"]) if len(rows) > limit else None


def cursor_of(at: datetime, key: object) -> str:
    """Where a page ended whose rows are in the order of an instant and a key without spaces."""
    return base64.urlsafe_b64encode(f"{spelled(at)} {key}".encode()).decode().rstrip("=")


def position_of(cursor: str) -> tuple[datetime, str]:
    """The instant and the key of a cursor. Raises Problem 422."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        at, key = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").split(" ")
        instant = datetime.fromisoformat(at)
        if instant.tzinfo is None or not key.isprintable():
            raise ValueError("no position")
        return instant, key
    except (ValueError, binascii.Error):
        raise _no_cursor() from None


def _read(cursor: str) -> tuple[datetime, UUID]:
    at, key = position_of(cursor)
    try:
        return at, UUID(key)
    except ValueError:
        raise _no_cursor() from None


def _no_cursor() -> Problem:
    return Problem(422, "query.cursor: is not a cursor of this route; take `next_cursor` of the page before")
