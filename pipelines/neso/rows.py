"""What all responses of NESO's datastore share: the envelope, forms of numbers and dates, half-hours.

CKAN gives a number as a number or as text by the type of its column, and `NA` where a file has it; which of the three a
year's file has is not documented. Unknown keys are accepted; missing ones, and text that is no number, are not.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache
from typing import Annotated, Any, Generic, TypeVar

from msgspec import Meta, Struct
from msgspec.structs import astuple
from pydantic import JsonValue

from pipelines.dataset import BodyRejected, Contents
from pipelines.door import read
from warehouse.periods import floor, from_settlement, parse_instant

NUMBER = r"^[ \t\r\n]*(NA|-?[0-9]+(\.[0-9]+)?)?[ \t\r\n]*\Z"
Number = int | float | Annotated[str, Meta(pattern=NUMBER)] | None
Whole = int | Annotated[str, Meta(pattern=r"^[0-9]{1,8}\Z")]
Clock = Annotated[int, Meta(ge=0, le=2400)] | Annotated[str, Meta(pattern=r"^[0-9]{1,4}\Z")]
TimeOfDay = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?\Z")]
Row = TypeVar("Row")
# the forms that the portal's files have had; the macro ckan_date reads the same ones
DATE_FORMS = {
    re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?)?"): "%Y-%m-%d",
    re.compile(r"([0-9]{8})"): "%Y%m%d",
    re.compile(r"([0-9]{1,2}-[A-Za-z]{3}-[0-9]{4})"): "%d-%b-%Y",
    re.compile(r"([0-9]{1,2}-[A-Za-z]{3}-[0-9]{2})"): "%d-%b-%y",
    re.compile(r"([0-9]{1,2}/[0-9]{1,2}/[0-9]{4})"): "%d/%m/%Y",
}


class Result(Struct, Generic[Row]):
    """`result` of datastore_search_sql."""

    records: list[Row]


class Body(Struct, Generic[Row]):
    """CKAN's envelope."""

    success: bool
    result: Result[Row]


def rows_of(shape: Any, body: bytes) -> list[Any]:
    """The rows of a body of this shape. Raises BodyRejected."""
    envelope = read(shape, body)
    if not envelope.success:
        raise BodyRejected("says that it failed, under HTTP 200")
    return list(envelope.result.records)


@lru_cache(maxsize=1000)
def parse_date(text: str) -> date:
    """A day in any of the forms that the portal's files have had. Raises BodyRejected for another."""
    for form, reads in DATE_FORMS.items():
        match = form.fullmatch(text.strip(" "))
        if match:
            try:
                return datetime.strptime(match[1], reads).date()
            except ValueError:
                break
    raise BodyRejected(f"a date cannot be read: {text!r}")


def start_of(day: str, period: int | str) -> datetime:
    """The half-hour of a settlement period. Raises BodyRejected."""
    try:
        return from_settlement(parse_date(day), int(period))
    except ValueError as error:
        raise error if isinstance(error, BodyRejected) else BodyRejected(str(error)) from None


def instant_of(text: str) -> datetime:
    """An instant. Raises BodyRejected."""
    try:
        return parse_instant(text)
    except ValueError as error:
        raise BodyRejected(str(error)) from None


def require_instant(text: str | None) -> None:
    """Raises BodyRejected for what is neither null nor an instant."""
    if text is not None:
        instant_of(text)


def all_of(starts: Iterable[datetime]) -> Contents:
    """These half-hours, each of them complete. Raises BodyRejected for what is none."""
    named = frozenset(starts)
    for start in named:
        if floor(start) != start:
            raise BodyRejected(f"{start} does not begin a half-hour")
    return Contents(named, named)


def events(rows: Iterable[Any], parts: Iterable[tuple[str, datetime]] = ()) -> Contents:
    """What names no half-hours: rows that are there twice, as after a file was loaded twice, count once."""
    return Contents(frozenset(), frozenset(), rows=len({astuple(row) for row in rows}), parts=frozenset(parts))


def body_of(records: Iterable[JsonValue]) -> JsonValue:
    """A synthetic body of these rows."""
    return {"help": "", "success": True, "result": {"records": list(records)}}
