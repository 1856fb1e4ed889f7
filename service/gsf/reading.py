"""What the database has of a location: half-hours that were, and forecasts as they were known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.gsf.windows import Point
from service.tenancy import Kind, Pool, connected
from warehouse.periods import HALF_HOUR

READS = Kind("gsf", connections=2, wait_seconds=5, statement_seconds=5, total_seconds=10)
"""Connections of its own: these routes ask for no token, so whoever asks them much cannot keep the others from theirs"""
_OBSERVED = """
select region_id, period_start, forecast_gco2_kwh, is_synthetic
from carbon_intensity_regional
where region_id = any(%(regions)s::smallint[]) and period_start > %(start)s - interval '30 minutes' and period_start < %(end)s
    and period_start <= now() and forecast_gco2_kwh is not null and not coalesce(is_isolated, false)
order by period_start, region_id
"""
_FORECAST = """
select period_start, forecast_gco2_kwh, forecast_known_at, is_synthetic
from carbon_intensity_as_of(%(as_of)s, %(region)s::smallint)
where period_start > %(as_of)s - interval '30 minutes' and forecast_gco2_kwh is not null
order by period_start
"""


@dataclass(frozen=True)
class Read:
    """Points of a location, and what must be known of them."""

    points: Sequence[Point]
    synthetic: int
    generated_at: datetime | None = None
    """When the newest of a forecast was known"""


async def observed(connections: Pool, region_ids: Sequence[int], start: datetime, end: datetime) -> dict[int, Read]:
    """The half-hours that overlap [start, end) and have begun, by region: what the upstream now says that they were."""
    async with connected(connections) as connection:
        cursor = await connection.execute(_OBSERVED, {"regions": list(region_ids), "start": start, "end": end})
        rows = await cursor.fetchall()
    by_region: dict[int, list[dict[str, Any]]] = {region_id: [] for region_id in region_ids}
    for row in rows:
        by_region[row["region_id"]].append(row)
    return {
        region_id: Read(
            [Point(row["period_start"], HALF_HOUR, float(row["forecast_gco2_kwh"])) for row in of_region],
            sum(row["is_synthetic"] for row in of_region),
        )
        for region_id, of_region in by_region.items()
    }


async def forecast(connections: Pool, region_id: int, as_of: datetime) -> Read:
    """The forecast of the half-hour under way and those to come, as it was known at an instant."""
    async with connected(connections) as connection:
        rows = await (await connection.execute(_FORECAST, {"as_of": as_of, "region": region_id})).fetchall()
    return Read(
        [Point(row["period_start"], HALF_HOUR, float(row["forecast_gco2_kwh"])) for row in rows],
        sum(row["is_synthetic"] for row in rows),
        max((row["forecast_known_at"] for row in rows), default=None),
    )
