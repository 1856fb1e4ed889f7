"""Tools on the grid: now, forecast, best windows, places compared."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import Field, ValidationError

from service import ages
from service.mcp.desk import READ_ONLY, Desk, in_words, origin
from service.mcp.results import Forecast, ForecastPoint, GridNow, PlaceUsed, Quantity, Window, Windows
from service.mcp.strict_tools import Tools
from service.models.common import Age
from service.routes import grid
from service.shapes import Instant, Interruptible
from service.tenancy import Caller, connected
from service.where import Where

FUELS = ("biomass", "coal", "gas", "hydro", "imports", "nuclear", "other", "solar", "wind")
Somewhere = Annotated[
    str,
    Field(
        description="Region number (13), postcode (EN2), 'latitude,longitude', cloud region (aws:eu-west-2) or city (Leeds).",
        examples=["13", "EN2", "51.5,-0.1", "aws:eu-west-2", "Leeds"],
    ),
]
Hours = Annotated[float, Field(gt=0, le=168, description="Length of the run in hours.")]
Moment = Annotated[Instant | None, Field(description="An instant with its zone, such as 2026-11-26T09:00:00Z.")]
IN_ONE_PIECE = Interruptible()
_FORECAST = """
select
    point.period_start, point.published_gco2_kwh, point.p10_gco2_kwh, point.p50_gco2_kwh, point.p90_gco2_kwh,
    point.forecast_known_at, point.is_synthetic, skill.mean_absolute_error
from carbon_intensity_forecast_as_of(%(as_of)s, %(region)s::smallint) as point
left join lateral (
    select mean_absolute_error from forecast_skill
    where %(is_now)s and series = 'carbon_intensity' and forecast_skill.region_id = point.region_id
        and lead_hours = floor(extract(epoch from point.period_start - point.forecast_known_at) / 3600)
    limit 1
) as skill on true
where point.period_start > %(as_of)s - interval '30 minutes' and point.period_start < %(as_of)s + %(hours)s * interval '1 hour'
order by point.period_start
"""


def add(tools: Tools, desk: Desk) -> None:
    """Register the tools."""

    @tools.tool(title="The grid now", annotations=ToolAnnotations(**READ_ONLY))
    @in_words
    async def grid_now(place: Somewhere | None = None) -> GridNow:
        """Carbon intensity (gCO2/kWh), generation mix (per cent), demand (MW) and price (GBP/MWh) of Great Britain now, and of one
        place if given. Read-only. Refreshed each half-hour; each value says how old it is and whether it was measured or forecast.
        """
        used = await desk.place(place) if place else None
        async with connected(desk.service.pool) as connection:
            row = await (await connection.execute("select * from national_grid_status")).fetchone() or {}
            regions = (
                await (await connection.execute("select * from regional_opportunities")).fetchall() if used else []
            )
        mine: dict[str, Any] = next((one for one in regions if used and one["region_id"] == used.region_id), {})
        return GridNow(
            as_of=row["as_of"],
            intensity=_quantity(row, "intensity", "gco2_kwh", "gCO2/kWh"),
            intensity_index=row["intensity_index"],
            demand=_quantity(row, "demand", "national_demand_mw", "MW"),
            price=_quantity(row, "price", "price_gbp_mwh", "GBP/MWh"),
            price_market=row["price_market"],
            mix_pct={fuel: row[f"{fuel}_pct"] for fuel in FUELS},
            renewable_pct=row["renewable_pct"],
            low_carbon_pct=row["low_carbon_pct"],
            place=used,
            place_gco2_kwh=mine.get("now_gco2_kwh"),
            place_rank=mine.get("rank"),
            data=await desk.age(),
            origin=origin(
                "national_grid_status", "regional_opportunities", sources=("carbon_intensity", "neso", "elexon")
            ),
        )

    @tools.tool(title="Forecast of a place", annotations=ToolAnnotations(**READ_ONLY))
    @in_words
    async def forecast(
        place: Somewhere,
        hours: Annotated[float, Field(gt=0, le=96, description="How far ahead.")] = 48,
        as_of: Moment = None,
    ) -> Forecast:
        """Carbon intensity (gCO2/kWh, average, not marginal) of each coming half-hour in a place, as it was known at `as_of`
        (now if left out; any past instant gives what was known then, never later knowledge), with its band P10 to P90.
        Read-only. New forecasts arrive each half-hour; `data` is how old this forecast was at `as_of` and how much of it is
        synthetic. `typical_error_gco2_kwh` is how far forecasts so long before were off on average.
        """
        used, now = await desk.place(place, areas_only=False), datetime.now(UTC)
        instant = as_of or now
        if instant > now + timedelta(seconds=60):
            raise ToolError("as_of: this instant has not come yet")
        values = {"as_of": instant, "region": used.region_id, "hours": hours, "is_now": as_of is None}
        async with connected(desk.service.pool) as connection:
            rows = await (await connection.execute(_FORECAST, values)).fetchall()
        points = [
            ForecastPoint(
                period_start=row["period_start"], gco2_kwh=row["published_gco2_kwh"], p10_gco2_kwh=row["p10_gco2_kwh"],
                p50_gco2_kwh=row["p50_gco2_kwh"], p90_gco2_kwh=row["p90_gco2_kwh"],
                typical_error_gco2_kwh=row["mean_absolute_error"], known_at=row["forecast_known_at"],
                is_synthetic=row["is_synthetic"],
            )
            for row in rows
        ]  # fmt: skip
        known = [point for point in points if point.gco2_kwh is not None]
        lowest = min(known, key=lambda point: (point.gco2_kwh, point.period_start), default=None)
        said = "No forecast was known at that instant." if lowest is None else (
            f"{len(known)} half-hours; the lowest is {lowest.gco2_kwh:g} gCO2/kWh at {lowest.period_start:%Y-%m-%d %H:%M}Z."
        )  # fmt: skip
        return Forecast(
            place=used, as_of=instant, points=points, lowest=lowest, in_words=said,
            data=Age(**ages.as_of(instant, rows)), origin=origin("carbon_intensity_forecast_as_of()", "forecast_skill"),
        )  # fmt: skip

    @tools.tool(title="Best window for a run", annotations=ToolAnnotations(**READ_ONLY))
    @in_words
    async def best_window(
        hours: Hours,
        place: Annotated[Somewhere | None, Field(description="Left out: everywhere.")] = None,
        deadline: Annotated[Moment, Field(description="When it must have ended; 48 hours ahead if left out.")] = None,
        earliest: Annotated[Moment, Field(description="Now if left out.")] = None,
        carbon_to_cost_weight: Annotated[float, Field(ge=0, le=1, description="1: carbon alone; 0: cost alone.")] = 1,
        is_interruptible: Annotated[
            bool, Field(description="true: the run may be split into chunks, which `chunks` of a window then gives.")
        ] = False,
        max_chunks: Annotated[
            int | None, Field(ge=1, le=48, description="Chunks at most; of what may be split.")
        ] = None,
        min_chunk_minutes: Annotated[int | None, Field(ge=1, le=10_080, description="Each chunk at least.")] = None,
        resume_overhead_minutes: Annotated[
            int | None, Field(ge=0, le=1440, description="Run again after each pause, beside the hours.")
        ] = None,
        limit: Annotated[int, Field(ge=1, le=50)] = 5,
    ) -> Windows:
        """The cleanest (or cheapest) windows for a run of so many hours, in one piece or split, best first: mean gCO2/kWh and
        day-ahead GBP/MWh. Read-only: it reserves nothing, use submit_task for that. Only half-hours with a forecast count, so
        a deadline beyond the forecast (48 hours) is no use. `data` says how old that forecast is; new ones arrive each half-hour.
        """
        used = await desk.places([place]) if place else []
        try:
            split = Interruptible(
                is_interruptible=is_interruptible or None, max_chunks=max_chunks, min_chunk_minutes=min_chunk_minutes,
                resume_overhead_minutes=resume_overhead_minutes,
            )  # fmt: skip
        except ValidationError as error:
            raise ToolError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None
        found = await _windows(used, hours, earliest, deadline, carbon_to_cost_weight, limit, split)
        windows = [_window(row) for row in found["windows"]]
        return await _answer(used, windows, found["why_none"])

    @tools.tool(title="Compare places", annotations=ToolAnnotations(**READ_ONLY))
    @in_words
    async def compare_places(
        places: Annotated[list[Somewhere], Field(min_length=1, max_length=14)],
        hours: Hours,
        deadline: Moment = None,
        earliest: Moment = None,
        carbon_to_cost_weight: Annotated[float, Field(ge=0, le=1)] = 1,
    ) -> Windows:
        """The best window for a run of so many hours in each of these places, best place first (mean gCO2/kWh, GBP/MWh).
        Read-only. Places in one licence area are one place. The rank is among the places compared. By the newest forecast;
        `data` says how old it is.
        """
        used = await desk.places(places)
        best = []
        for one in used:
            best += (await _windows([one], hours, earliest, deadline, carbon_to_cost_weight, 1))["windows"]
        best.sort(key=lambda row: (row["score"], row["starts_at"], row["region_id"]))
        windows = [_window({**row, "rank": rank}) for rank, row in enumerate(best, start=1)]
        return await _answer(used, windows, None if windows else "no window of this length lies within the forecast")

    async def _windows(
        used: list[PlaceUsed],
        hours: float,
        earliest: datetime | None,
        deadline: datetime | None,
        weight: float,
        limit: int,
        split: Interruptible = IN_ONE_PIECE,
    ) -> dict[str, Any]:
        minutes = round(hours * 60)
        if minutes < 1:
            raise ToolError("a run lasts one minute or more")
        where = Where(tuple(one.region_id for one in used) or None, (), {})
        return await grid.best_windows(
            desk.service, Caller(None, "mcp"), where, split, duration_minutes=minutes, earliest=earliest,
            deadline=deadline, carbon_to_cost_weight=weight, limit=limit,
        )  # fmt: skip

    async def _answer(used: list[PlaceUsed], windows: list[Window], why_none: str | None) -> Windows:
        said = why_none or (
            f"Best: {windows[0].region_name or windows[0].region_id} from {windows[0].starts_at:%Y-%m-%d %H:%M}Z to "
            f"{windows[0].ends_at:%Y-%m-%d %H:%M}Z, {windows[0].mean_gco2_kwh:.0f} gCO2/kWh on average."
        )
        return Windows(
            places=used, windows=windows, why_none=why_none, in_words=said, data=await desk.age(),
            origin=origin("best_windows()", sources=("carbon_intensity", "neso")),
        )  # fmt: skip


def _quantity(row: dict[str, Any], name: str, column: str, unit: str) -> Quantity:
    ages: list[timedelta | None] = [row[f"{name}_age"], row[f"{name}_synthetic_age"]]
    age_seconds, synthetic_age_seconds = (None if age is None else age.total_seconds() for age in ages)
    return Quantity(
        value=row[column],
        unit=unit,
        period_start=row[f"{name}_period_start"],
        age_seconds=age_seconds,
        synthetic_age_seconds=synthetic_age_seconds,
        is_measured=row.get(f"{name}_is_measured"),
        is_synthetic=row[f"{name}_is_synthetic"],
    )


def _window(row: dict[str, Any]) -> Window:
    return Window(**{name: row[name] for name in Window.model_fields if name in row})
