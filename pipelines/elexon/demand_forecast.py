"""The day-ahead forecast of national demand; MW."""

from collections.abc import Collection
from datetime import datetime, timedelta

from msgspec import Struct
from pydantic import JsonValue

from pipelines.dataset import Contents, Dataset, fetches_path
from pipelines.door import refuses_the_unreadable
from pipelines.elexon.rows import Body, Number, body_of, contents, instant, read_rows, settlement_fields
from pipelines.elexon.windows import FIRST, SOURCE, WEEK, between, today_and_tomorrow
from pipelines.pieces import half_hours
from pipelines.synthetic import national_demand_mw


class ForecastRow(Struct, rename="camel"):
    """A half-hour's forecast as it was published; MW."""

    start_time: datetime
    publish_time: datetime
    national_demand: Number
    transmission_system_demand: Number
    boundary: str


@refuses_the_unreadable
def validate(body: bytes) -> Contents:
    """Half-hours with a forecast of national demand."""
    rows = read_rows(Body[ForecastRow], body)
    return contents(rows, [row for row in rows if row.national_demand])


ZONES = tuple(f"B{number}" for number in range(1, 18))


def synthesize(half_hours: Collection[datetime], now: datetime) -> JsonValue:
    """Day-ahead forecast, national."""
    return body_of("NDF", half_hours, lambda start: forecast(start, "N"))


def forecast(start: datetime, boundary: str) -> dict[str, JsonValue]:
    """A row of a forecast: of the nation (N), or of a zone."""
    demand = national_demand_mw(start)
    zone = ZONES.index(boundary) + 1 if boundary in ZONES else 0
    published = (start - timedelta(hours=24)).replace(hour=8, minute=45)
    return {
        "publishTime": instant(published),
        **settlement_fields(start),
        "boundary": boundary,
        "nationalDemand": None if zone else demand,
        "transmissionSystemDemand": demand * zone // sum(range(1, 18)) if zone else demand + 1000,
    }


DEMAND_FORECAST = Dataset(
    source=SOURCE,
    name="demand_forecast",
    clean_tables=("demand_forecast_national",),
    has_the_one_in_progress=False,
    may_ignore_the_window=True,
    earliest=lambda now: FIRST,
    horizon=timedelta(days=2),
    refreshes=today_and_tomorrow,
    pieces=half_hours(WEEK),
    fetch=fetches_path(lambda window: f"/forecast/demand/day-ahead/latest?{between(window)}"),
    validate=validate,
    synthesize=synthesize,
)
