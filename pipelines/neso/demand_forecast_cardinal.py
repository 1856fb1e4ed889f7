"""The day-ahead forecast of demand at the turning points of a day; MW."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from msgspec import Struct
from pydantic import JsonValue

from pipelines.dataset import Contents, Dataset
from pipelines.door import refuses_the_unreadable
from pipelines.neso import windows
from pipelines.neso.ckan import fetches_datastore
from pipelines.neso.rows import Body, Clock, Number, all_of, body_of, parse_date, require_instant, rows_of
from pipelines.neso.windows import ANY_NUMBER, SOURCE
from pipelines.pieces import settlement_days
from pipelines.synthetic import national_demand_mw
from warehouse.periods import LONDON, Window, day_start, floor, settlement_day
from warehouse.periods import settlement_days as days_of

LAG = timedelta(days=2)
END_OF_DAY = 2400
"""The clock of a day's last point: an answer without it is cut off."""


class CardinalRow(Struct, rename="upper"):
    """A cardinal point of a day: demand at its turning points, HHMM local."""

    targetdate: int | str
    forecastdemand: Number
    cardinalpoint: str
    cp_st_time: Clock
    cp_end_time: Clock
    forecast_timestamp: str | None = None


@refuses_the_unreadable
def validate(body: bytes) -> Contents:
    """The half-hours of each day that has cardinal points."""
    rows = rows_of(Body[CardinalRow], body)
    for row in rows:
        require_instant(row.forecast_timestamp)
    days = {parse_date(str(row.targetdate)) for row in rows}
    ends = [day_start(parse_date(str(row.targetdate))) for row in rows if int(row.cp_end_time) == END_OF_DAY]
    contents = all_of(h for day in days for h in days_of(day, day).half_hours())
    return replace(contents, parts=frozenset(("end", day) for day in ends))


def lacks(contents: Contents, window: Window, now: datetime) -> str | None:
    """Whether a past day has no points, or a day has none at its end."""
    past = {h for h in window.half_hours() if h < floor(now) - LAG}
    days = {settlement_day(half_hour) for half_hour in contents.complete | past}
    whole = {settlement_day(at) for _, at in contents.parts}
    cut = sorted(days - whole)
    return f"it lacks the end of {cut[0]}" if cut else None


def synthesize(half_hours: Collection[datetime], now: datetime) -> JsonValue:
    """Cardinal points of each day: every two hours, which is as much of a shape as upstream's dozen gives."""
    records: list[JsonValue] = []
    for day in sorted({settlement_day(start) for start in half_hours}):
        for number, clock in enumerate((30, 230, 430, 630, 830, 1030, 1230, 1430, 1630, 1830, 2030, 2400)):
            local = datetime.combine(day, time()) + timedelta(hours=clock // 100, minutes=clock % 100 - 30)
            start = local.replace(tzinfo=LONDON).astimezone(UTC)
            records.append(
                {
                    "TARGETDATE": day.isoformat(),
                    "FORECASTDEMAND": national_demand_mw(start),
                    "CARDINALPOINT": str(number + 1),
                    "CP_TYPE": "F",
                    "CP_ST_TIME": clock,
                    "CP_END_TIME": clock,
                    "FORECAST_TIMESTAMP": f"{day - timedelta(days=1)}T08:45:00Z",
                }
            )
    return body_of(records)


CARDINAL = Dataset(
    source=SOURCE,
    name="demand_forecast_cardinal",
    clean_tables=("demand_forecast_national",),
    earliest=lambda now: datetime(2018, 1, 2, tzinfo=UTC),
    lag=LAG,
    horizon=timedelta(days=2),
    is_sparse=True,
    lacks=lacks,
    refreshes=windows.days(1, 2),
    pieces=settlement_days(ANY_NUMBER),
    fetch=fetches_datastore(windows.cardinal, windows.cardinal_days),
    validate=validate,
    synthesize=synthesize,
)
