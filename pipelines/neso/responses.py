"""NESO's datastore answers judged at the door: shape, and which half-hours they hold."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

from msgspec.structs import astuple

from pipelines.dataset import BodyRejected, Contents
from pipelines.door import read, refuses_the_unreadable
from pipelines.neso.shapes import (
    Body,
    CardinalRow,
    DayAheadRow,
    DemandRow,
    DemandUpdateRow,
    DfsRow,
    EacRow,
    N2exRow,
    TwoTo14Row,
)
from pipelines.periods import HALF_HOUR, floor, from_settlement, parse_instant, settlement_days

# the forms that the portal's files have had; the macro ckan_date reads the same ones
DATE_FORMS = {
    re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?)?"): "%Y-%m-%d",
    re.compile(r"([0-9]{8})"): "%Y%m%d",
    re.compile(r"([0-9]{1,2}-[A-Za-z]{3}-[0-9]{4})"): "%d-%b-%Y",
    re.compile(r"([0-9]{1,2}-[A-Za-z]{3}-[0-9]{2})"): "%d-%b-%y",
    re.compile(r"([0-9]{1,2}/[0-9]{1,2}/[0-9]{4})"): "%d/%m/%Y",
}


@refuses_the_unreadable
def judge_demand_history(body: bytes) -> Contents:
    """Half-hours of a year's file; complete are those with a demand."""
    return _demand(_records(Body[DemandRow], body))


@refuses_the_unreadable
def judge_demand_update(body: bytes) -> Contents:
    """Half-hours of Demand Data Update; a forecast row is complete as it is, one of an actual with a demand."""
    rows = _records(Body[DemandUpdateRow], body)
    return _demand(rows, lambda row: row.forecast_actual_indicator.strip() == "F")


@refuses_the_unreadable
def judge_two_to_14(body: bytes) -> Contents:
    """Half-hours of the 2-14 days ahead forecast."""
    starts = [_instant(row.GDATETIME) - HALF_HOUR for row in _records(Body[TwoTo14Row], body)]
    return _all(starts)


@refuses_the_unreadable
def judge_day_ahead(body: bytes) -> Contents:
    """Half-hours of the day-ahead forecasts of past days."""
    rows = _records(Body[DayAheadRow], body)
    for row in rows:
        _require_instant(row.Publish_Datetime)
    return _all(_start(row.Date, row.Settlement_Period) for row in rows)


@refuses_the_unreadable
def judge_cardinal(body: bytes) -> Contents:
    """The half-hours of each day that has cardinal points."""
    rows = _records(Body[CardinalRow], body)
    for row in rows:
        _require_instant(row.forecast_timestamp)
    days = {parse_date(str(row.targetdate)) for row in rows}
    return _all(h for day in days for h in settlement_days(day, day).half_hours())


@refuses_the_unreadable
def judge_n2ex(body: bytes) -> Contents:
    """The two half-hours of each hour that is listed, priced or not."""
    hours = [
        datetime.combine(parse_date(row.day), datetime.min.time(), UTC) + timedelta(hours=int(row.hour.strip()[:2]))
        for row in _records(Body[N2exRow], body)
    ]
    return _all(half for hour in hours for half in (hour, hour + HALF_HOUR))


@refuses_the_unreadable
def judge_eac(body: bytes) -> Contents:
    """Auction results name blocks, not half-hours: none of them is ever missing."""
    rows = _records(Body[EacRow], body)
    for row in rows:
        if _instant(row.delivery_end) <= _instant(row.delivery_start):
            raise BodyRejected(f"a block ends before it starts: {row.delivery_start} to {row.delivery_end}")
    return _events(rows)


@refuses_the_unreadable
def judge_dfs(body: bytes) -> Contents:
    """Bids name events, not half-hours: none of them is ever missing."""
    rows = _records(Body[DfsRow], body)
    for row in rows:
        parse_date(row.delivery_date)
    return _events(rows)


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


def _demand(rows: Iterable[Any], is_forecast: Callable[[Any], bool] = lambda row: False) -> Contents:
    named, complete = set(), set()
    for row in rows:
        start = _start(row.settlement_date, row.settlement_period)
        named.add(start)
        if is_forecast(row) or _positive(row.nd):
            complete.add(start)
    return Contents(frozenset(named), frozenset(complete))


def _events(rows: Iterable[Any]) -> Contents:
    """What names no half-hours: rows that are there twice, as after a file was loaded twice, count once."""
    return Contents(frozenset(), frozenset(), rows=len({astuple(row) for row in rows}))


def _all(starts: Iterable[datetime]) -> Contents:
    named = frozenset(starts)
    for start in named:
        if floor(start) != start:
            raise BodyRejected(f"{start} does not begin a half-hour")
    return Contents(named, named)


def _positive(value: Any) -> bool:
    try:
        return float(value) > 0
    except (TypeError, ValueError):
        return False


def _start(day: str, period: int | str) -> datetime:
    try:
        return from_settlement(parse_date(day), int(period))
    except ValueError as error:
        raise error if isinstance(error, BodyRejected) else BodyRejected(str(error)) from None


def _instant(text: str) -> datetime:
    try:
        return parse_instant(text)
    except ValueError as error:
        raise BodyRejected(str(error)) from None


def _require_instant(text: str | None) -> None:
    if text is not None:
        _instant(text)


def _records(shape: Any, body: bytes) -> list[Any]:
    told = read(shape, body)
    if not told.success:
        raise BodyRejected("says that it failed, under HTTP 200")
    return list(told.result.records)
