"""`/regions/{id}`: one licence area: its curve with past forecasts, mix, price, best hours, capacity, errors of forecasts."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi.responses import HTMLResponse
from markupsafe import Markup

from placement.outlook import Outlook
from service.access import Service
from service.pages import freshness, grid
from service.pages.best import best
from service.pages.charts.curve import Band, Line, Stretch, curve
from service.pages.charts.scale import Span
from service.pages.clock import Clock
from service.pages.fuels import FUELS
from service.pages.rendering import page
from service.pages.stretches import stretches
from service.pages.tables import Row, table
from service.tenancy import connected

LENGTHS = (1, 2, 4, 8)

_VINTAGES = """
select distinct on (date_bin('4 hours', known_at, '2000-01-01 00:00Z')) known_at, first_period_start, forecasts_gco2_kwh
from carbon_intensity_captures
where region_id = %s and not is_synthetic and known_at >= %s and known_at < %s
order by date_bin('4 hours', known_at, '2000-01-01 00:00Z'), known_at
"""
_MIX = f"""
select period_start, is_synthetic, renewable_pct, {", ".join(f"{name}_pct" for name, _ in FUELS)}
from generation_mix_regional
where region_id = %s and period_start >= %s and period_start < %s
"""
_WINDOWS = """
select
    window_id, name, starts_at_time, ends_at_time, available_capacity_mw, renewable_pct, price, currency, price_unit,
    is_synthetic
from latest_compute_windows
where region_id = %s and not is_expired
order by available_capacity_mw desc nulls last, window_id
limit 20
"""


@dataclass(frozen=True)
class Figures:
    """What the page reads, at one instant."""

    now: datetime
    over: grid.Spine
    here: dict[str, Any]
    names: list[dict[str, Any]]
    intensity: list[dict[str, Any]]
    vintages: list[dict[str, Any]]
    mix: list[dict[str, Any]]
    prices: list[dict[str, Any]]
    windows: list[dict[str, Any]]
    errors: list[dict[str, Any]]


async def read(state: Service, region_id: int, now: datetime) -> Figures:
    """Read it."""
    over = grid.spine(now)
    async with connected(state.public) as connection:
        all_here = await grid.rows(connection, "select * from regional_opportunities order by region_id")
        intensity = (await grid.regional(connection, over, [region_id]))[region_id]
        vintages = await grid.rows(connection, _VINTAGES, [region_id, now - timedelta(hours=48), now])
        mix = await grid.rows(connection, _MIX, [region_id, over.begins, over.ends])
        prices = await grid.prices(connection, over)
        windows = await grid.rows(connection, _WINDOWS, [region_id])
        errors = await grid.errors(connection, region_id)
    here = next((row for row in all_here if row["region_id"] == region_id), None)
    return Figures(now, over, here or {}, all_here, intensity, vintages, mix, prices, windows, errors)


async def answer(
    state: Service, clock: Clock, region_id: int, hours: int, *, now: datetime | None = None
) -> HTMLResponse:
    """The page, of this moment unless another one is given."""
    now = now or datetime.now(UTC)
    figures = await read(state, region_id, now)
    outlook = await state.outlooks.now()
    name = figures.here.get("region_name") or outlook.region_names.get(region_id, f"Region {region_id}")
    usable = figures.over.align([row for row in figures.intensity if not row["is_isolated"]], "forecast_gco2_kwh")
    found = best(usable, figures.over, now, hours)
    start, end = (found.starts_at, found.ends_at) if found else (None, None)
    return page(
        "region.html",
        path=f"/regions/{region_id}",
        clock=clock,
        notice=state.settings.service_notice,
        state={"hours": hours},
        now=now,
        fresh=freshness.of(outlook, now),
        title=f"{name}: {_short(figures.here)}",
        name=name,
        region_id=region_id,
        here=figures.here,
        names=figures.names,
        lengths=LENGTHS,
        hours=hours,
        best=found,
        curve=_curve(figures, clock, Stretch("best", start, end, f"cleanest {hours} h") if start and end else None),
        table=_table(figures, outlook, clock),
        has_band=bool(figures.errors),
        has_vintages=bool(figures.vintages),
        has_synthetic=any(row["is_synthetic"] for row in figures.intensity),
        mix=_mix(figures, clock),
        mix_table=_mix_table(figures, clock),
        fuels=FUELS,
        price=_price(figures, outlook, clock),
        has_synthetic_price=any(row["is_synthetic"] for row in figures.prices),
        has_synthetic_mix=any(row["is_synthetic"] for row in figures.mix),
        windows=figures.windows,
        errors=_by_lead(figures.errors),
    )


def _short(here: dict[str, Any]) -> str:
    value = here.get("now_gco2_kwh")
    return "not known now" if value is None else f"{value:g} g now"


def _curve(figures: Figures, clock: Clock, marked: Stretch | None) -> Markup:
    over = figures.over
    values = over.align(figures.intensity, "forecast_gco2_kwh")
    split = figures.now - grid.STEP
    band = []
    for at, value in zip(over.starts, values, strict=True):
        off = grid.expected_error(figures.errors, at - figures.now) if at > figures.now else None
        known = off is not None and value is not None
        band.append((at, max(0.0, value - off) if known else None, value + off if known else None))
    fans = [
        Line(
            "vintage",
            [(row["first_period_start"] + n * grid.STEP, value) for n, value in enumerate(row["forecasts_gco2_kwh"])],
        )
        for row in figures.vintages
    ]
    inside = [
        Line(fan.look, [(at, value) for at, value in fan.points if over.begins <= at < over.ends]) for fan in fans
    ]
    marks = stretches(figures.intensity, "is_synthetic", "synthetic", "synthetic")
    return curve(
        span=Span(over.begins, over.ends),
        clock=clock,
        unit="gCO₂/kWh",
        table="curve",
        bands=[Band("error", band)],
        lines=[
            *inside,
            Line("actual", [(at, value) for at, value in zip(over.starts, values, strict=True) if at <= split]),
            Line(
                "forecast",
                [(at, value) for at, value in zip(over.starts, values, strict=True) if at >= split - grid.STEP],
            ),
        ],
        stretches=[*marks, marked] if marked else marks,
        now=figures.now,
        height=220,
    )


def _table(figures: Figures, outlook: Outlook, clock: Clock) -> list[Row]:
    over = figures.over
    columns = [over.align(figures.intensity, "forecast_gco2_kwh"), over.align(figures.prices, "price_gbp_mwh")]
    guessed = {(at - over.begins) // grid.STEP: value for at, value in _guessed(figures, outlook)}
    prices = [guessed.get(n, value) for n, value in enumerate(columns[1])]
    remarks = [
        "estimate" if n in guessed else "synthetic" if is_synthetic else ""
        for n, is_synthetic in enumerate(over.align(figures.prices, "is_synthetic"))
    ]
    synthetic = over.align(figures.intensity, "is_synthetic")
    return table(over.starts, [columns[0], prices], synthetic, clock, digits=(0, 2), remarks={1: remarks})


def _mix(figures: Figures, clock: Clock) -> Markup:
    over = figures.over
    columns = {name: over.align(figures.mix, f"{name}_pct") for name, _ in FUELS}
    below: list[float | None] = [0.0] * over.count
    bands = []
    for name, _ in FUELS:
        # a fuel without a figure ends the stack of that half-hour: a gap, not a zero
        above = [None if b is None or v is None else b + v for b, v in zip(below, columns[name], strict=True)]
        bands.append(Band(name, list(zip(over.starts, below, above, strict=True))))
        below = above
    marks = stretches(figures.mix, "is_synthetic", "synthetic", "synthetic")
    return curve(
        span=Span(over.begins, over.ends), clock=clock, unit="%", table="mix", bands=bands, stretches=marks,
        now=figures.now, height=180, most=100,
    )  # fmt: skip


def _mix_table(figures: Figures, clock: Clock) -> list[Row]:
    over = figures.over
    columns = [over.align(figures.mix, f"{name}_pct") for name, _ in FUELS]
    return table(over.starts, columns, over.align(figures.mix, "is_synthetic"), clock, digits=[1] * len(FUELS))


def _guessed(figures: Figures, outlook: Outlook) -> list[tuple[datetime, float]]:
    """The estimates of half-hours that have no price."""
    over = figures.over
    known = over.align(figures.prices, "price_gbp_mwh")
    guessed: list[tuple[datetime, float]] = []
    if outlook.guess is not None:
        for n, value in enumerate(outlook.guess.values[0]):
            at = outlook.begins + n * grid.STEP
            place = (at - over.begins) // grid.STEP
            if 0 <= place < over.count and known[place] is None and value == value:
                guessed.append((at, float(value)))
    return guessed


def _price(figures: Figures, outlook: Outlook, clock: Clock) -> Markup:
    over = figures.over
    known = over.align(figures.prices, "price_gbp_mwh")
    return curve(
        span=Span(over.begins, over.ends),
        clock=clock,
        unit="£/MWh",
        table="curve",
        lines=[Line("price", list(zip(over.starts, known, strict=True))), Line("estimate", _guessed(figures, outlook))],
        stretches=stretches(figures.prices, "is_synthetic", "synthetic", "synthetic"),
        now=figures.now,
        height=120,
    )


def _by_lead(errors: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row per lead time that a person would ask about."""
    wanted = (0, 1, 2, 4, 8, 12, 24, 36, 47)
    return [row for row in errors if row["lead_hours"] in wanted]
