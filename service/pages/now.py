"""The front page: the grid now and its next 48 hours, in one sentence, four figures, a curve, the mix and a map."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi.responses import HTMLResponse
from markupsafe import Markup

from service.access import Service
from service.pages import freshness, grid
from service.pages.best import Best, best
from service.pages.charts.curve import Band, Line, Stretch, curve
from service.pages.charts.map import region_map
from service.pages.charts.scale import Span
from service.pages.charts.strips import gauge, shares
from service.pages.clock import Clock
from service.pages.fuels import FUELS
from service.pages.rendering import address, figure, page
from service.pages.sentence import LATE, first_sentence
from service.pages.stretches import stretches
from service.pages.tables import Row, table
from service.tenancy import connected

HOURS = 4
GAUGE_TO = 400
REGIONS = range(1, 15)

_RECORDS = """
with known as materialized (
    select period_start, actual_gco2_kwh
    from carbon_intensity_national
    where period_start >= %s and actual_gco2_kwh is not null and not is_synthetic and is_isolated is not true
)
(select 'lowest' as what, period_start, actual_gco2_kwh from known order by actual_gco2_kwh, period_start limit 1)
union all
(select 'highest', period_start, actual_gco2_kwh from known order by actual_gco2_kwh desc, period_start limit 1)
"""


@dataclass(frozen=True)
class Figures:
    """What the page reads, at one instant."""

    now: datetime
    over: grid.Spine
    status: dict[str, Any]
    national: list[dict[str, Any]]
    regions: list[dict[str, Any]]
    series: dict[int, list[float | None]]
    errors: list[dict[str, Any]]
    records: list[dict[str, Any]]


async def read(state: Service, now: datetime) -> Figures:
    """Read it."""
    over = grid.spine(now)
    since = now.astimezone(ZoneInfo("Europe/London")).replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    async with connected(state.public) as connection:
        status = (await grid.rows(connection, "select * from national_grid_status"))[0]
        national = await grid.national(connection, over)
        regions = await grid.rows(connection, "select * from regional_opportunities order by rank, region_id")
        series = await grid.forecasts(connection, over, REGIONS)
        errors = await grid.errors(connection, grid.NATIONAL)
        records = await grid.rows(connection, _RECORDS, [since])
    return Figures(now, over, status, national, regions, series, errors, records)


async def answer(state: Service, clock: Clock, *, now: datetime | None = None) -> HTMLResponse:
    """The page, of this moment unless another one is given."""
    now = now or datetime.now(UTC)
    figures = await read(state, now)
    outlook = await state.outlooks.now()
    fresh = freshness.of(outlook, now)
    forecast = figures.over.align([row for row in figures.national if not row["is_isolated"]], "forecast_gco2_kwh")
    found = best(forecast, figures.over, now, HOURS)
    status = figures.status
    fuels = [(look, name, status[f"{look}_pct"]) for look, name in FUELS]
    return page(
        "now.html",
        path="/",
        clock=clock,
        notice=state.settings.service_notice,
        state={},
        now=now,
        fresh=fresh,
        title=_title(status),
        sentence=first_sentence(
            status, found, clock, now, synthetic_share=_synthetic_share(figures), stale_for=fresh.stale_for
        ),
        best=found,
        status=status,
        late=LATE,
        gauge=gauge(status["gco2_kwh"], grid.index_bounds(now.year), GAUGE_TO, _gauge_words(status)),
        fuels=fuels,
        mix=shares(fuels, "Shares of the generation by fuel; the list below has the figures"),
        curve=_curve(figures, found, clock),
        table=_table(figures, clock),
        has_band=bool(figures.errors),
        map=region_map(
            {row["region_id"]: row["region_name"] for row in figures.regions},
            figures.series,
            grid.PAST // grid.STEP,
            {region_id: address(f"/regions/{region_id}", clock, hours=HOURS) for region_id in REGIONS},
        ),
        half_hours=figures.over.count - 1,
        at=grid.PAST // grid.STEP,
        regions=figures.regions,
        map_synthetic=_mean([row["synthetic_share"] for row in figures.regions]),
        records=figures.records,
        has_synthetic=any(row["is_synthetic"] for row in figures.national),
    )


def _synthetic_share(figures: Figures) -> float:
    coming = [
        row["is_synthetic"]
        for row in figures.national
        if row["forecast_gco2_kwh"] is not None and row["period_start"] > figures.now - grid.STEP
    ]
    return sum(coming) / len(coming) if coming else 0


def _mean(shares: Sequence[Any]) -> float:
    known = [float(one) for one in shares if one is not None]
    return sum(known) / len(known) if known else 0


def _title(status: dict[str, Any]) -> str:
    parts = [f"{status['gco2_kwh']:g} g"] if status["gco2_kwh"] is not None else []
    parts += [f"{status['renewable_pct']:.0f} % renewable"] if status["renewable_pct"] is not None else []
    return " · ".join([*parts, "Great Britain’s grid now"])


def _gauge_words(status: dict[str, Any]) -> str:
    index = f": {status['intensity_index']}" if status["intensity_index"] else ""
    return f"Carbon intensity {figure(status['gco2_kwh'])} gCO2/kWh{index}"


def _curve(figures: Figures, found: Best | None, clock: Clock) -> Markup:
    over = figures.over
    forecast, actual = (over.align(figures.national, f"{name}_gco2_kwh") for name in ("forecast", "actual"))
    band = []
    for at, value in zip(over.starts, forecast, strict=True):
        off = grid.expected_error(figures.errors, at - figures.now) if at > figures.now else None
        known = off is not None and value is not None
        band.append((at, max(0.0, value - off) if known else None, value + off if known else None))
    marks = stretches(figures.national, "is_synthetic", "synthetic", "synthetic")
    if found is not None:
        marks.append(Stretch("best", found.starts_at, found.ends_at, "cleanest 4 h"))
    return curve(
        span=Span(over.begins, over.ends),
        clock=clock,
        unit="gCO₂/kWh",
        table="curve",
        bands=[Band("error", band)],
        lines=[
            Line("forecast", list(zip(over.starts, forecast, strict=True))),
            Line("actual", list(zip(over.starts, actual, strict=True))),
        ],
        stretches=marks,
        now=figures.now,
        height=220,
    )


def _table(figures: Figures, clock: Clock) -> list[Row]:
    over = figures.over
    columns = [over.align(figures.national, f"{name}_gco2_kwh") for name in ("forecast", "actual")]
    return table(over.starts, columns, over.align(figures.national, "is_synthetic"), clock)
