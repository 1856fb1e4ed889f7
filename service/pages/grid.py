"""What the pages read of the grid: rows of `public` as they are, on a spine of half-hours where a chart needs one."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from placement.spine import HALF_HOUR
from service.tenancy import Connection
from warehouse.settings import PROJECT_ROOT

PAST, COMING = timedelta(hours=24), timedelta(hours=48)
STEP = timedelta(seconds=HALF_HOUR)
NATIONAL = 18
_BANDS = PROJECT_ROOT / "dbt_project" / "seeds" / "seed_intensity_bands.csv"

_NATIONAL = """
select period_start, forecast_gco2_kwh, actual_gco2_kwh, is_synthetic, coalesce(is_isolated, false) as is_isolated
from carbon_intensity_national
where period_start >= %(begins)s and period_start < %(ends)s
"""
_REGIONAL = """
select region_id, period_start, forecast_gco2_kwh, is_synthetic, coalesce(is_isolated, false) as is_isolated
from carbon_intensity_regional
where region_id = any(%(regions)s) and period_start >= %(begins)s and period_start < %(ends)s
"""
# arrays, because two thousand rows take longer to be read than to be found
_FORECASTS = """
select
    region_id, array_agg(extract(epoch from period_start - %(begins)s)::integer / 1800) as positions,
    array_agg(forecast_gco2_kwh) as known
from carbon_intensity_regional
where region_id = any(%(regions)s) and period_start >= %(begins)s and period_start < %(ends)s
group by region_id
"""
_PRICES = """
select period_start, price_gbp_mwh, is_synthetic
from wholesale_prices
where market = 'n2ex_day_ahead' and period_start >= %(begins)s and period_start < %(ends)s
"""
_ERRORS = """
select lead_hours, mean_absolute_error::float as off, forecasts
from forecast_skill
where unit = 'gCO2/kWh' and region_id = %s
order by lead_hours
"""


@dataclass(frozen=True)
class Spine:
    """Half-hours from `begins`, `count` of them."""

    begins: datetime
    count: int

    @property
    def ends(self) -> datetime:
        """End of the last."""
        return self.begins + self.count * STEP

    @property
    def starts(self) -> list[datetime]:
        """Start of each."""
        return [self.begins + n * STEP for n in range(self.count)]

    def align(self, rows: Sequence[dict[str, Any]], column: str) -> list[Any]:
        """A column of rows on this spine; None where no row has a value."""
        values: list[Any] = [None] * self.count
        for row in rows:
            at = (row["period_start"] - self.begins) // STEP
            if 0 <= at < self.count:
                values[at] = row[column]
        return values


def spine(now: datetime, past: timedelta = PAST, coming: timedelta = COMING) -> Spine:
    """The half-hours around an instant; the one that holds it is number `past / 30 minutes`."""
    seconds = int(now.timestamp()) // HALF_HOUR * HALF_HOUR
    return Spine(datetime.fromtimestamp(seconds, UTC) - past, (past + coming) // STEP)


async def rows(connection: Connection, statement: str, values: Any = None) -> list[dict[str, Any]]:
    """The rows of a statement."""
    return await (await connection.execute(statement, values)).fetchall()


async def national(connection: Connection, over: Spine) -> list[dict[str, Any]]:
    """Forecast and actual of Great Britain."""
    return await rows(connection, _NATIONAL, {"begins": over.begins, "ends": over.ends})


async def regional(connection: Connection, over: Spine, regions: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """Forecasts by region."""
    given = {"regions": list(regions), "begins": over.begins, "ends": over.ends}
    found: dict[int, list[dict[str, Any]]] = {region_id: [] for region_id in regions}
    for row in await rows(connection, _REGIONAL, given):
        found[row["region_id"]].append(row)
    return found


async def forecasts(connection: Connection, over: Spine, regions: Sequence[int]) -> dict[int, list[float | None]]:
    """The forecast of each half-hour by region, gCO2/kWh; None where there is none."""
    found: dict[int, list[float | None]] = {region_id: [None] * over.count for region_id in regions}
    for row in await rows(connection, _FORECASTS, {"regions": list(regions), "begins": over.begins, "ends": over.ends}):
        for at, value in zip(row["positions"], row["known"], strict=True):
            found[row["region_id"]][at] = value
    return found


async def prices(connection: Connection, over: Spine) -> list[dict[str, Any]]:
    """Day-ahead prices."""
    return await rows(connection, _PRICES, {"begins": over.begins, "ends": over.ends})


@cache
def index_bounds(year: int) -> tuple[int, ...]:
    """Where low, moderate, high and very high begin in a year, gCO2/kWh: from the seed that the tables are made with."""
    with _BANDS.open() as lines:
        rows = {int(row.pop("year")): tuple(int(bound) for bound in row.values()) for row in csv.DictReader(lines)}
    return rows[min(max(year, min(rows)), max(rows))]


async def errors(connection: Connection, region_id: int) -> list[dict[str, Any]]:
    """Mean absolute error of past forecasts by lead time in hours, soonest first."""
    return await rows(connection, _ERRORS, [region_id])


def expected_error(known: Sequence[dict[str, Any]], lead: timedelta) -> float | None:
    """The mean absolute error of a forecast so far ahead: that of the nearest lead time measured, None if there is none."""
    hours = lead / timedelta(hours=1)
    if not known or hours > known[-1]["lead_hours"] + 3:
        return None
    return float(min(known, key=lambda row: abs(row["lead_hours"] - hours))["off"])
