"""A page of a series as rows, for JSON: one query on a connection of kind `heavy`."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import msgspec

from service import ages
from service.series.asked import Asked, cursor_after
from service.series.query import HIDDEN, REAL_KNOWN_AT, SYNTHETIC_KNOWN_AT, page
from service.tenancy import Connection


@dataclass(frozen=True)
class Page:
    """Rows in their order, instants as datetimes, and the cursor of the page after them.

    `real_known_at` and `synthetic_known_at` are when the newest real and the newest synthetic value of the rows were known.
    """

    rows: list[dict[str, Any]]
    next_cursor: str | None
    real_known_at: datetime | None
    synthetic_known_at: datetime | None

    @cached_property
    def rows_as_json(self) -> bytes:
        """The rows as they are sent."""
        return _ENCODER.encode(self.rows)

    @property
    def synthetic_share(self) -> float | None:
        """0 to 1; None where there are no rows that can be synthetic."""
        marks = [row["is_synthetic"] for row in self.rows if "is_synthetic" in row]
        return sum(marks) / len(marks) if marks else None


async def read(connection: Connection, asked: Asked) -> Page:
    """One page. Raises psycopg's QueryCanceled if it takes too long."""
    rows = await (await connection.execute(page(asked.one_more(), hidden=True))).fetchall()
    has_more, rows = len(rows) > asked.limit, rows[: asked.limit]
    real, synthetic = (_newest(rows, name) for name in (REAL_KNOWN_AT, SYNTHETIC_KNOWN_AT))
    rows = [{name: value for name, value in row.items() if name not in HIDDEN} for row in rows]
    if not has_more:
        return Page(rows, None, real, synthetic)
    keys = (*(("period_start",) if asked.series.has_periods else ()), *asked.series.keys)
    empty = {key: json.loads(null.replace("'", '"')) for key, null in asked.series.if_null.items()}
    last = [empty.get(key) if rows[-1][key] is None else rows[-1][key] for key in keys]
    return Page(rows, cursor_after(last), real, synthetic)


def _newest(rows: list[dict[str, Any]], column: str) -> datetime | None:
    return max((row[column] for row in rows if row[column] is not None), default=None)


def describe(found: Page, now: datetime) -> dict[str, Any]:
    """How many rows there are, how old the newest real value is, and beside it how much is synthetic and how old that is."""
    real, share = found.real_known_at, found.synthetic_share
    age = ages.describe(now, real=real, synthetic=found.synthetic_known_at, synthetic_share=share)
    del age["fetched_at"]
    return {"rows": len(found.rows), "known_at": real, **age, "in_words": in_words(len(found.rows), share)}


def in_words(rows: int, synthetic_share: float | None) -> str:
    """One sentence on whether these rows can be relied on."""
    if not rows:
        return "There are no rows."
    if synthetic_share is None:
        return "These rows are derived from others."
    if synthetic_share == 0:
        return "Every row is real."
    if synthetic_share == 1:
        return "EVERY ROW IS SYNTHETIC: do not decide by it."
    return f"{100 * synthetic_share:.1f} % of the rows are synthetic."


def etag(asked: Mapping[str, Any], found: Page) -> str:
    """A weak validator: ages change with every second, the rows do not."""
    known = [found.real_known_at, found.synthetic_known_at]
    beside = _ENCODER.encode({"asked": asked, "next": found.next_cursor, "known": known})
    return f'W/"{hashlib.sha256(beside + found.rows_as_json).hexdigest()[:32]}"'


def as_json(body: Mapping[str, Any]) -> bytes:
    """A body as it is sent; of rows as they are sent nothing is written again."""
    return _ENCODER.encode(body)


_ENCODER = msgspec.json.Encoder()
"""Instants in UTC, as connections give them, end in Z, as `answers.spelled` has them"""
