"""The day-ahead forecasts of demand of past days; MW."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from pydantic import JsonValue

from pipelines.dataset import Contents, Dataset
from pipelines.door import refuses_the_unreadable
from pipelines.neso import resources, windows
from pipelines.neso.ckan import fetches_datastore
from pipelines.neso.rows import Body, Number, Whole, all_of, body_of, require_instant, rows_of, start_of
from pipelines.neso.windows import ANY_NUMBER, SOURCE
from pipelines.pieces import settlement_days
from pipelines.synthetic import national_demand_mw
from warehouse.periods import settlement_day, settlement_period


class DayAheadRow(Struct):
    """A settlement period of the day-ahead forecast; `Publish_Datetime` is when it was issued."""

    Date: str
    Settlement_Period: Whole
    Demand_Forecast: Number
    Publish_Datetime: str | None


@refuses_the_unreadable
def validate(body: bytes) -> Contents:
    """Half-hours of the day-ahead forecasts of past days."""
    rows = rows_of(Body[DayAheadRow], body)
    for row in rows:
        require_instant(row.Publish_Datetime)
    return all_of(start_of(row.Date, row.Settlement_Period) for row in rows)


def synthesize(half_hours: Collection[datetime], now: datetime) -> JsonValue:
    """The day-ahead forecasts of past days, issued at 08:45 of the day before."""
    records: list[JsonValue] = []
    for start in sorted(half_hours):
        day = settlement_day(start)
        records.append(
            {
                "Date": day.isoformat(),
                "Settlement_Period": settlement_period(start),
                "Demand_Forecast": national_demand_mw(start),
                "Publish_Datetime": f"{day - timedelta(days=1)}T08:45:00",
            }
        )
    return body_of(records)


DAY_AHEAD = Dataset(
    source=SOURCE,
    name="demand_forecast_day_ahead",
    clean_tables=("demand_forecast_national",),
    earliest=lambda now: datetime(2021, 3, 31, 23, tzinfo=UTC),
    lag=timedelta(days=2),
    refreshes=lambda now: None,
    pieces=settlement_days(ANY_NUMBER),
    fetch=fetches_datastore(lambda request: resources.DAY_AHEAD, windows.between("Date")),
    validate=validate,
    synthesize=synthesize,
)
