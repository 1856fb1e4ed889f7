"""Forecasts of national demand: cardinal points, half-hours, and how the day-ahead one performed."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from tests.emulator.neso.demand import forecast, half_hours
from tests.emulator.neso.table import HALF_HOUR, LONDON, ONE_DAY, Table, clock, days, midnight, starts

CARDINAL = {
    "DAYSAHEAD": "int4", "TARGETDATE": "int4", "FORECASTDEMAND": "int4", "CARDINALPOINT": "text", "CP_TYPE": "text",
    "CP_ST_TIME": "numeric", "CP_END_TIME": "int4", "F_Point": "text",
}  # fmt: skip
POINTS = (
    ("1F", "F", 30, 30, ""), ("1S", "T", 100, 130, ""), ("1A", "P", 200, 230, ""), ("4", "F", 400, 400, ""),
    ("1B", "T", 430, 730, "Om"), ("2F", "F", 800, 800, ""), ("2A", "P", 830, 1200, "DM"), ("2B", "P", 1230, 1300, ""),
    ("3B", "T", 1330, 1630, "Dm"), ("3C", "P", 1700, 1830, ""), ("4B", "P", 1900, 2000, "EM"),
    ("4C", "F", 2400, 2400, ""),
)  # fmt: skip
WINTER_POINTS = (
    ("1F", "F", 30, 30, ""), ("1A", "P", 100, 230, ""), ("03", "F", 300, 300, ""), ("1B", "T", 430, 730, "Om"),
    ("2F", "P", 800, 900, ""), ("2A", "P", 930, 1030, ""), ("2B", "P", 1100, 1300, "DM"),
    ("3B", "T", 1330, 1630, "Dm"), ("DP", "P", 1700, 1930, "EM"), ("4B", "F", 2100, 2100, ""),
    ("4C", "F", 2400, 2400, ""),
)  # fmt: skip
TWICE = date(2018, 3, 28)
FIRST_TARGET = date(2018, 1, 2)
MEMORY = timedelta(days=60)
HALF_HOURLY = {"DATE": "date", "CTIME": "int4", "GDATETIME": "timestamp", "NATIONALDEMAND": "int4"}
PERFORMANCE = {
    "Month": "text", "Date": "date", "Datetime": "timestamp", "Settlement_Period": "int4", "Demand_Forecast": "int4",
    "Demand_Outturn": "int4", "TRIAD_Avoidance_Estimate": "int4", "TRIAD_Avoidance_Corrected_Demand_Outturn": "int4",
    "APE": "numeric", "Absolute_Error": "int4", "Publish_Datetime": "timestamp",
}  # fmt: skip
PERFORMANCE_FIRST = date(2021, 4, 1)
RELABELLED = (date(2021, 10, 31), date(2022, 10, 30))


def current(days_ahead: int, published: datetime, **types: str) -> Table:
    """The cardinal points of one day, this many days after the publication; TARGETDATE like 20261009."""
    target = published.astimezone(LONDON).date() + ONE_DAY * days_ahead
    return Table(CARDINAL | types, list(_points(target, days_ahead, int(f"{target:%Y%m%d}"))))


def fortnight(published: datetime) -> Table:
    """The cardinal points of 2 to 14 days ahead."""
    today = published.astimezone(LONDON).date()
    rows = (row for n in range(2, 15) for row in _points(today + ONE_DAY * n, n, today + ONE_DAY * n))
    return Table(CARDINAL | {"TARGETDATE": "date", "CP_ST_TIME": "int4"}, rows)


def archive(days_ahead: tuple[int, ...], first: date | None, published: datetime, **types: str) -> Table:
    """Every issue from the one for `first` (else those of 60 days) to the current one; F_Point "NA" before 2019.

    FORECAST_TIMESTAMP shows London's clock, whatever its type says.
    """
    issued_last = published.astimezone(LONDON).date()
    issued_first = first - ONE_DAY * days_ahead[0] if first else issued_last - MEMORY
    columns = CARDINAL | {"TARGETDATE": "date", "FORECAST_TIMESTAMP": "timestamp"} | types
    return Table(columns, _issues(days_ahead, issued_first, issued_last, published))


def _issues(days_ahead: tuple[int, ...], first: date, last: date, published: datetime) -> Iterator[list[object]]:
    for issued in days(first, last):
        local = datetime.combine(issued, published.timetz()).astimezone(LONDON)
        at = local + timedelta(minutes=36 + issued.toordinal() % 9, seconds=issued.toordinal() % 60)
        for count in days_ahead:
            target = issued + ONE_DAY * count
            for row in _points(target, count, target):
                if target.year < 2019:
                    row[-1] = row[-1] or "NA"
                yield [*row, f"{at:%Y-%m-%dT%H:%M:%SZ}"]
                if target == TWICE:
                    yield [*row, f"{at + timedelta(minutes=2):%Y-%m-%dT%H:%M:%SZ}"]


def _points(target: date, days_ahead: int, label: object) -> Iterator[list[object]]:
    by_end: dict[int, int] = {}
    for half_hour, demand in zip(clock(target), forecast(target, days_ahead), strict=True):
        by_end[_hhmm(half_hour + 1)] = demand
    winter = target.year < 2020 and target.month in (11, 12, 1, 2)
    for name, kind, first, last, f_point in WINTER_POINTS if winter else POINTS:
        inside = [demand for end, demand in by_end.items() if first <= end <= last]
        inside = inside or [forecast(target, days_ahead)[0]]
        yield [days_ahead, label, min(inside) if kind == "T" else max(inside), name, kind, first, last, f_point]


def half_hourly(published: datetime) -> Table:
    """2 to 14 days ahead by half-hour. Both labels are those of its END: CTIME in London, GDATETIME in UTC."""
    today = published.astimezone(LONDON).date()
    return Table(HALF_HOURLY, _half_hourly(today))


def _half_hourly(today: date) -> Iterator[list[object]]:
    for count in range(2, 15):
        day = today + ONE_DAY * count
        for half_hour, start, demand in zip(clock(day), starts(day), forecast(day, count), strict=True):
            yield [day, _hhmm(half_hour + 1), (start + HALF_HOUR).replace(tzinfo=None), demand]


def performance(published: datetime) -> Table:
    """The forecast of the day before and the outturn, up to a quarter of an hour ago."""
    return Table(PERFORMANCE, _performance(published))


def _performance(published: datetime) -> Iterator[list[object]]:
    known = published - timedelta(minutes=15)
    for day in days(PERFORMANCE_FIRST, published.astimezone(LONDON).date()):
        publish = datetime.combine(day - ONE_DAY, time(8, 45), UTC).astimezone(LONDON).replace(tzinfo=None)
        begun, shown = midnight(day), clock(day)
        for number, (values, expected) in enumerate(zip(half_hours(day), forecast(day, 1), strict=True)):
            if begun + HALF_HOUR * (number + 1) > known:
                return
            outturn, error = values[0], abs(values[0] - expected)
            label = datetime(day.year, day.month, day.day) + HALF_HOUR * (shown[number] + 1)
            period = shown[number] + 1 if day in RELABELLED else number + 1
            triad = 600 if day.month in (11, 12, 1, 2) and 33 <= period <= 37 and day.weekday() < 5 else 0
            yield [
                f"{day:%b}", day, label, period, expected, outturn, triad, outturn + triad,
                f"{100 * error / outturn:.11f}", error, publish,
            ]  # fmt: skip


def _hhmm(half_hours_: int) -> int:
    return half_hours_ // 2 * 100 + half_hours_ % 2 * 30
