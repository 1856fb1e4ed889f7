"""Prices of the N2EX day-ahead auction, hourly; GBP/MWh."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Annotated

from msgspec import Meta, Struct
from pydantic import JsonValue

from pipelines.dataset import Contents, Dataset
from pipelines.door import refuses_the_unreadable
from pipelines.neso import resources, windows
from pipelines.neso.ckan import fetches_datastore
from pipelines.neso.rows import Body, Number, all_of, body_of, parse_date, rows_of
from pipelines.neso.windows import ANY_NUMBER, SOURCE
from pipelines.pieces import utc_days
from pipelines.synthetic import price_gbp_mwh
from warehouse.periods import HALF_HOUR, Window


class N2exRow(Struct, rename={"day": "Date", "hour": "Delivery Period", "price": "Price"}):
    """An hour of the N2EX day-ahead auction, labelled in GMT on every day of the year; GBP/MWh."""

    day: str
    hour: Annotated[str, Meta(pattern=r"^ *([01][0-9]|2[0-3]):00 - ([01][0-9]|2[0-3]):00 *\Z")]
    price: Number


@refuses_the_unreadable
def validate(body: bytes) -> Contents:
    """The two half-hours of each hour that is listed, priced or not."""
    hours = [
        datetime.combine(parse_date(row.day), datetime.min.time(), UTC) + timedelta(hours=int(row.hour.strip()[:2]))
        for row in rows_of(Body[N2exRow], body)
    ]
    return all_of(half for hour in hours for half in (hour, hour + HALF_HOUR))


def synthesize(half_hours: Collection[datetime], now: datetime) -> JsonValue:
    """The day-ahead auction: whole hours, labelled in GMT."""
    hours = sorted({start.astimezone(UTC).replace(minute=0) for start in half_hours})
    return body_of(
        {
            "Date": f"{hour:%Y-%m-%d}",
            "Delivery Period": f"{hour:%H}:00 - {hour + timedelta(hours=1):%H}:00",
            "Price": f"{price_gbp_mwh(hour):.6f}",
        }
        for hour in hours
    )


N2EX = Dataset(
    source=SOURCE,
    name="n2ex_day_ahead",
    clean_tables=("wholesale_prices",),
    earliest=lambda now: datetime(2021, 9, 20, 22, tzinfo=UTC),
    lag=timedelta(hours=36),
    refreshes=lambda now: Window(windows.midnight(now, -2), windows.midnight(now, 2)),
    pieces=utc_days(ANY_NUMBER),
    fetch=fetches_datastore(lambda request: resources.N2EX, windows.between_utc_days),
    validate=validate,
    synthesize=synthesize,
)
