"""Historic Demand Data: a file per year; MW."""

from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct
from pydantic import JsonValue

from pipelines.dataset import Contents, Dataset
from pipelines.door import refuses_the_unreadable
from pipelines.neso import windows
from pipelines.neso.ckan import fetches_datastore
from pipelines.neso.rows import Body, Number, Whole, body_of, rows_of, start_of
from pipelines.neso.windows import SOURCE
from pipelines.pieces import settlement_years
from pipelines.synthetic import embedded_solar_mw, embedded_wind_mw, national_demand_mw, noise
from warehouse.periods import settlement_day, settlement_period

STATION_LOAD_MW = 600


class DemandRow(Struct, rename="upper"):
    """A settlement period of Historic Demand Data; MW."""

    settlement_date: str
    settlement_period: Whole
    nd: Number
    tsd: Number
    england_wales_demand: Number
    embedded_wind_generation: Number
    embedded_solar_generation: Number


def demand_contents(rows: Iterable[Any], is_forecast: Callable[[Any], bool] = lambda row: False) -> Contents:
    """The half-hours of rows of demand; complete are those with a demand, and forecasts."""
    named, complete = set(), set()
    for row in rows:
        start = start_of(row.settlement_date, row.settlement_period)
        named.add(start)
        if is_forecast(row) or _positive(row.nd):
            complete.add(start)
    return Contents(frozenset(named), frozenset(complete))


def _positive(value: Any) -> bool:
    try:
        return float(value) > 0
    except (TypeError, ValueError):
        return False


def settlement_row(start: datetime) -> dict[str, JsonValue]:
    """A row of demand for a synthetic body."""
    demand = national_demand_mw(start)
    return {
        "SETTLEMENT_DATE": settlement_day(start).isoformat(),
        "SETTLEMENT_PERIOD": settlement_period(start),
        "ND": demand,
        "TSD": demand + STATION_LOAD_MW + round(900 * noise("pumping", 0, start)),
        "ENGLAND_WALES_DEMAND": round(demand * 0.91),
        "EMBEDDED_WIND_GENERATION": embedded_wind_mw(start),
        "EMBEDDED_SOLAR_GENERATION": embedded_solar_mw(start),
    }


@refuses_the_unreadable
def validate(body: bytes) -> Contents:
    """Half-hours of a year's file; complete are those with a demand."""
    return demand_contents(rows_of(Body[DemandRow], body))


def synthesize(half_hours: Collection[datetime], now: datetime) -> JsonValue:
    """Historic Demand Data."""
    return body_of(settlement_row(start) for start in sorted(half_hours))


DEMAND_HISTORY = Dataset(
    source=SOURCE,
    name="demand_history",
    clean_tables=("demand_actual_national", "demand_regional"),
    earliest=lambda now: datetime(2001, 1, 1, tzinfo=UTC),
    lag=timedelta(days=28),
    serves_until=windows.year_files_until,
    refreshes=lambda now: None,
    pieces=settlement_years(),
    fetch=fetches_datastore(windows.history),
    validate=validate,
    synthesize=synthesize,
)
