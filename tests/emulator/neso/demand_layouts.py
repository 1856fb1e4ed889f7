"""Historic Demand Data and the Demand Data Update, each year in the layout and with the types of its epoch."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from operator import itemgetter

from tests.emulator.neso.demand import VALUES, half_hours, station_load
from tests.emulator.neso.table import LONDON, Table, days, periods

INDICATOR = "FORECAST_ACTUAL_INDICATOR"
PLACEHOLDERS = 2
LAG = timedelta(days=21)
_KEYS = {"SETTLEMENT_DATE": "date", "SETTLEMENT_PERIOD": "int4"}
_SCOTLAND = "SCOTTISH_TRANSFER"
_NEWEST = ("NSL_FLOW", "ELECLINK_FLOW", "VIKING_FLOW", "GREENLINK_FLOW")
_WIND = ("EMBEDDED_WIND_GENERATION", "EMBEDDED_WIND_CAPACITY")
_SOLAR = ("EMBEDDED_SOLAR_GENERATION", "EMBEDDED_SOLAR_CAPACITY")
_ABROAD = ("IFA2_FLOW", "BRITNED_FLOW", "EAST_WEST_FLOW", "NEMO_FLOW", *_NEWEST)
_BETTA = date(2005, 4, 1)
# what the file of 2018 has, and nobody has mended
_TSD_BELOW_ND = {(date(2018, 6, 10), period) for period in range(40, 44)}
_WITHOUT_ENGLAND_AND_WALES = (date(2018, 10, 2), 42)


def not_available(year: int) -> frozenset[str]:
    """The columns that hold "NA" and nothing else."""
    missing: tuple[str, ...] = ()
    if year < 2009:
        missing = (_SCOTLAND, *_ABROAD, *_SOLAR)
    if year < 2007:
        missing += _WIND
    if year < 2005:
        missing += ("TSD", "MOYLE_FLOW")
    return frozenset(missing)


def columns(year: int, *, indicator: bool = False) -> dict[str, str]:
    """The columns of a year, in the order of its file, with the types of its table."""
    names = list(VALUES)
    if 2009 <= year < 2023:
        names.remove(_SCOTLAND)
    if 2009 <= year < 2019:
        names = [name for name in names if name not in _NEWEST]
    types = _KEYS | {name: "text" if name in not_available(year) else "int4" for name in names}
    if 2019 <= year < 2024:
        types["SETTLEMENT_DATE"] = "text"
    if year == 2016:
        types["EMBEDDED_SOLAR_CAPACITY"] = "text"
    if not indicator:
        return types
    return {
        key: kind
        for name, type_ in types.items()
        for key, kind in (((name, type_), (INDICATOR, "text")) if name == "ND" else ((name, type_),))
    }


def date_text(day: date) -> str:
    """A date as the file of its year spells it."""
    if 2009 <= day.year < 2025 and day.year != 2023:
        return f"{day:%d-%b-%Y}".upper()
    return f"{day:%d-%b-%y}" if day.year == 2023 else day.isoformat()


def historic(year: int, published: datetime) -> Table:
    """A year, up to three weeks ago."""
    last = min(date(year, 12, 31), (published - LAG).date())
    return Table(columns(year, indicator=year == 2026), _year(year, last))


def _year(year: int, last: date) -> Iterator[list[object]]:
    types = columns(year)
    wanted = itemgetter(*(VALUES.index(name) for name in list(types)[2:]))
    absent = [2 + number for number, name in enumerate(list(types)[2:]) if name in not_available(year)]
    for day in days(date(year, 1, 1), last):
        text = date_text(day)
        for period, values in enumerate(half_hours(day), start=1):
            row: list[object] = [text, period, *wanted(_revised(values))]
            for place in absent:
                row[place] = "NA"
            if "TSD" not in not_available(year) and _without_tsd(day, period):
                row[3] = 0
            if (day, period) in _TSD_BELOW_ND:
                row[3] = values[0] - 200
            if (day, period) == _WITHOUT_ENGLAND_AND_WALES:
                row[list(types).index("ENGLAND_WALES_DEMAND")] = 0
            if year == 2026:
                row.insert(3, "A")
            yield row


def _revised(values: tuple[int, ...]) -> tuple[int, ...]:
    """Embedded columns as they are after the revision that the update has not seen."""
    return (*values[:5], values[5] * 102 // 100, values[6] * 102 // 100, *values[7:])


def _without_tsd(day: date, period: int) -> bool:
    if day.year == 2012:
        return date(2012, 6, 4) <= day <= date(2012, 6, 10) and (day.day, period) != (10, 48)
    return date(2005, 1, 1) <= day < _BETTA or day == date(2009, 6, 4)


def update(published: datetime) -> Table:
    """From the first day of the previous month to a week ahead: actual to 50 minutes ago, then forecast.

    The last actual rows are placeholders: no demand, station load alone, no flows. Forecast rows have embedded
    generation alone.
    """
    return Table(columns(2026, indicator=True), _update(published))


def _update(published: datetime) -> Iterator[list[object]]:
    now = (published - timedelta(minutes=50)).astimezone(LONDON)
    today = now.date()
    first = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    ended = (now.hour * 60 + now.minute) // 30 if periods(today) == 48 else 16
    for day in days(first, today + timedelta(days=7)):
        station = station_load(day)
        for period, values in enumerate(half_hours(day), start=1):
            actual = day < today or (day == today and period <= ended)
            placeholder = day == today and ended - PLACEHOLDERS < period <= ended
            if actual and not placeholder:
                yield [day, period, values[0], "A", *values[1:]]
            else:
                blank = [0] * (len(VALUES) - 7)
                yield [day, period, 0, "A" if actual else "F", station if actual else 0, 0, *values[3:7], *blank]
