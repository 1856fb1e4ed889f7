"""The shapes of Elexon's answers, judged at the door. Values are the staging checkpoint's to judge.

Rows come in any order, and a row at the edge of a window may come with two windows. Unknown keys are let through.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from msgspec import Struct

from pipelines.dataset import BodyRejected, Contents
from pipelines.door import read, refuses_the_unreadable
from pipelines.periods import floor

Row = TypeVar("Row")
Number = int | float | None
APX = "APXMIDP"
NO_OFFSET = timedelta(0)
LARGEST_OFFSET = timedelta(hours=16)
"""PostgreSQL reads offsets that are smaller."""


class Body(Struct, Generic[Row]):
    """Elexon's envelope."""

    data: list[Row]


class MarketIndexRow(Struct, rename="camel"):
    """A half-hour of a market index data provider; GBP/MWh, MWh."""

    start_time: datetime
    data_provider: str
    price: Number
    volume: Number


class SystemPriceRow(Struct, rename="camel"):
    """A settlement period's imbalance price; GBP/MWh, MWh."""

    start_time: datetime
    system_sell_price: Number
    system_buy_price: Number
    net_imbalance_volume: Number
    created_date_time: datetime


class OutturnRow(Struct, rename="camel"):
    """A settlement period's initial outturn; MW."""

    start_time: datetime
    publish_time: datetime
    initial_demand_outturn: Number
    initial_transmission_system_demand_outturn: Number


class ForecastRow(Struct, rename="camel"):
    """A half-hour's forecast as it was published; MW."""

    start_time: datetime
    publish_time: datetime
    national_demand: Number
    transmission_system_demand: Number
    boundary: str


@refuses_the_unreadable
def judge_market_index(body: bytes) -> Contents:
    """Half-hours with a row of APX; those without a volume have no price, and are there all the same."""
    rows = [row for row in _rows(Body[MarketIndexRow], body) if row.data_provider == APX]
    return _contents(rows, rows)


@refuses_the_unreadable
def judge_system_prices(body: bytes) -> Contents:
    """Half-hours with a system price."""
    rows = _rows(Body[SystemPriceRow], body)
    return _contents(rows, [row for row in rows if row.system_sell_price is not None])


@refuses_the_unreadable
def judge_outturn(body: bytes) -> Contents:
    """Half-hours with a demand."""
    rows = _rows(Body[OutturnRow], body)
    return _contents(rows, [row for row in rows if row.initial_demand_outturn])


@refuses_the_unreadable
def judge_forecast(body: bytes) -> Contents:
    """Half-hours with a forecast of national demand."""
    rows = _rows(Body[ForecastRow], body)
    return _contents(rows, [row for row in rows if row.national_demand])


@refuses_the_unreadable
def judge_zonal_forecast(body: bytes) -> Contents:
    """Half-hours with a forecast of any zone."""
    rows = _rows(Body[ForecastRow], body)
    return _contents(rows, rows)


def _rows(shape: Any, body: bytes) -> list[Any]:
    rows: list[Any] = read(shape, body).data
    for row in rows:
        for name in ("start_time", "publish_time", "created_date_time"):
            instant = getattr(row, name, row.start_time)
            if abs(instant.utcoffset() or NO_OFFSET) >= LARGEST_OFFSET:
                raise BodyRejected(f"{instant} has an offset that no clock has")
        if row.start_time.tzinfo is None or floor(row.start_time) != row.start_time:
            raise BodyRejected(f"{row.start_time} is not a half-hour of UTC")
    return rows


def _contents(named: Iterable[Any], complete: Iterable[Any]) -> Contents:
    return Contents(frozenset(row.start_time for row in named), frozenset(row.start_time for row in complete))
