"""What all of Elexon's responses share: the envelope, instants, settlement periods.

Rows come in any order, and a row at the edge of a window may come with two windows. Unknown keys are accepted.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from msgspec import Struct
from pydantic import JsonValue

from pipelines.dataset import BodyRejected, Contents
from pipelines.door import read
from warehouse.periods import floor, settlement_day, settlement_period

Row = TypeVar("Row")
Number = int | float | None
NO_OFFSET = timedelta(0)
LARGEST_OFFSET = timedelta(hours=16)
"""PostgreSQL reads offsets that are smaller."""


class Body(Struct, Generic[Row]):
    """Elexon's envelope."""

    data: list[Row]


def read_rows(shape: Any, body: bytes) -> list[Any]:
    """The rows of a body of this shape. Raises BodyRejected, also for an instant that is no half-hour of UTC."""
    rows: list[Any] = read(shape, body).data
    for row in rows:
        for name in ("start_time", "publish_time", "created_date_time"):
            at = getattr(row, name, row.start_time)
            if abs(at.utcoffset() or NO_OFFSET) >= LARGEST_OFFSET:
                raise BodyRejected(f"{at} has an offset that no clock has")
        if row.start_time.tzinfo is None or floor(row.start_time) != row.start_time:
            raise BodyRejected(f"{row.start_time} is not a half-hour of UTC")
    return rows


def contents(named: Iterable[Any], complete: Iterable[Any]) -> Contents:
    """The half-hours that rows name, and those of rows that have a value."""
    return Contents(frozenset(row.start_time for row in named), frozenset(row.start_time for row in complete))


def settlement_fields(start: datetime) -> dict[str, JsonValue]:
    """A half-hour as the upstream names it."""
    return {
        "startTime": instant(start),
        "settlementDate": settlement_day(start).isoformat(),
        "settlementPeriod": settlement_period(start),
    }


def body_of(dataset: str, half_hours: Collection[datetime], row: Callable[[datetime], JsonValue]) -> JsonValue:
    """A synthetic body: the envelope, with a row per half-hour."""
    return {"metadata": {"datasets": [dataset]}, "data": [row(start) for start in sorted(half_hours)]}


def instant(at: datetime) -> str:
    """An instant as the upstream spells it."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
