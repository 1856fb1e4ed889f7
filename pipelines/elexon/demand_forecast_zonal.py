"""The day-ahead forecast of demand by zone; MW."""

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from pydantic import JsonValue

from pipelines.dataset import Contents, Dataset, fetches_path
from pipelines.door import refuses_the_unreadable
from pipelines.elexon.demand_forecast import ZONES, ForecastRow, forecast
from pipelines.elexon.rows import Body, contents, read_rows
from pipelines.elexon.windows import FIRST, SOURCE, WEEK, between, today_and_tomorrow
from pipelines.pieces import half_hours
from warehouse.periods import Window, iso


@refuses_the_unreadable
def validate(body: bytes) -> Contents:
    """Half-hours with a forecast of any zone; the zones of each are its parts."""
    rows = read_rows(Body[ForecastRow], body)
    return replace(contents(rows, rows), parts=frozenset((row.boundary, row.start_time) for row in rows))


def lacks(contents: Contents, window: Window, now: datetime) -> str | None:
    """Whether a half-hour of a window that has ended lacks a zone."""
    if window.end > now:
        return None
    given = Counter(start for boundary, start in contents.parts if boundary in ZONES)
    cut = next((half_hour for half_hour in window.half_hours() if given[half_hour] < len(ZONES)), None)
    return f"it lacks zones of {iso(cut)}" if cut else None


def synthesize(half_hours: Collection[datetime], now: datetime) -> JsonValue:
    """Day-ahead forecast of each zone: transmission system demand alone."""
    rows: list[JsonValue] = [forecast(start, zone) for start in sorted(half_hours) for zone in ZONES]
    return {"metadata": {"datasets": ["TSDF"]}, "data": rows}


ZONAL_FORECAST = Dataset(
    source=SOURCE,
    name="demand_forecast_zonal",
    clean_tables=("demand_regional",),
    earliest=lambda now: FIRST,
    horizon=timedelta(days=2),
    may_ignore_the_window=True,
    is_sparse=True,
    lacks=lacks,
    refreshes=today_and_tomorrow,
    pieces=half_hours(WEEK),
    fetch=fetches_path(lambda window: f"/forecast/demand/day-ahead/latest?{between(window, boundary='zonal')}"),
    validate=validate,
    synthesize=synthesize,
)
