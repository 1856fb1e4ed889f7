"""The forecast of demand for 2 to 14 days ahead, half-hourly; MW."""

from collections.abc import Collection
from datetime import datetime, timedelta

from msgspec import Struct
from pydantic import JsonValue

from pipelines.dataset import Contents, Dataset
from pipelines.door import refuses_the_unreadable
from pipelines.neso import resources, windows
from pipelines.neso.ckan import fetches_datastore
from pipelines.neso.rows import Body, Number, all_of, body_of, instant_of, rows_of
from pipelines.neso.windows import ANY_NUMBER, SOURCE
from pipelines.pieces import settlement_days
from pipelines.synthetic import national_demand_mw
from warehouse.periods import HALF_HOUR, LONDON, settlement_day


class TwoTo14Row(Struct):
    """A half-hour of the 2-14 days ahead forecast; GDATETIME is its end, UTC."""

    GDATETIME: str
    NATIONALDEMAND: Number


@refuses_the_unreadable
def validate(body: bytes) -> Contents:
    """Half-hours of the 2-14 days ahead forecast."""
    starts = [instant_of(row.GDATETIME) - HALF_HOUR for row in rows_of(Body[TwoTo14Row], body)]
    return all_of(starts)


def synthesize(half_hours: Collection[datetime], now: datetime) -> JsonValue:
    """2-14 days ahead, half-hourly."""
    records: list[JsonValue] = []
    for start in sorted(half_hours):
        end = (start + HALF_HOUR).astimezone(LONDON)
        is_midnight = (end.hour, end.minute) == (0, 0)
        records.append(
            {
                "DATE": settlement_day(start).isoformat(),
                "CTIME": 2400 if is_midnight else end.hour * 100 + end.minute,
                "GDATETIME": f"{start + HALF_HOUR:%Y-%m-%dT%H:%M:%S}",
                "NATIONALDEMAND": national_demand_mw(start),
            }
        )
    return body_of(records)


TWO_TO_14_DAYS_AHEAD = Dataset(
    source=SOURCE,
    name="demand_forecast_2_14d",
    clean_tables=("demand_forecast_national",),
    earliest=windows.from_day(1),
    horizon=timedelta(days=15),
    is_sparse=True,
    # the file of yesterday, which is current until the afternoon, begins with tomorrow
    refreshes=windows.days(1, 15),
    pieces=settlement_days(ANY_NUMBER),
    fetch=fetches_datastore(lambda request: resources.TWO_TO_14_DAYS_AHEAD, windows.between("DATE")),
    validate=validate,
    synthesize=synthesize,
)
