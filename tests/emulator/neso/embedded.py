"""The current forecast of embedded wind and solar generation."""

from collections.abc import Iterator
from datetime import datetime

from tests.emulator.neso.demand import half_hours
from tests.emulator.neso.table import HALF_HOUR, LONDON, ONE_DAY, Table, starts

FORECAST = {
    "DATE_GMT": "timestamp", "TIME_GMT": "text", "SETTLEMENT_DATE": "timestamp", "SETTLEMENT_PERIOD": "int4",
    "EMBEDDED_WIND_FORECAST": "int4", "EMBEDDED_WIND_CAPACITY": "int4", "EMBEDDED_SOLAR_FORECAST": "int4",
    "EMBEDDED_SOLAR_CAPACITY": "int4",
}  # fmt: skip
DAYS = 14


def forecast(published: datetime) -> Table:
    """MW of each half-hour of the coming fortnight. DATE_GMT and TIME_GMT are of its END, in UTC."""
    return Table(FORECAST, _forecast(published))


def _forecast(published: datetime) -> Iterator[list[object]]:
    today = published.astimezone(LONDON).date()
    for day in (today + ONE_DAY * count for count in range(DAYS + 1)):
        for number, (start, values) in enumerate(zip(starts(day), half_hours(day), strict=True)):
            end = start + HALF_HOUR
            if published < end <= published + ONE_DAY * DAYS:
                yield [end.date(), f"{end:%H:%M}", day, number + 1, values[3], values[4], values[5], values[6]]
