"""`/when`: when and where to run so many hours before a deadline; the answer as bars, and as commands that do it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import numpy as np
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from placement.outlook import Outlook, Run
from service import windows
from service.access import Service
from service.aside import PAGES
from service.pages import freshness, grid
from service.pages.charts.bars import Bar, bars
from service.pages.charts.map import region_map
from service.pages.charts.scale import Span
from service.pages.clock import Clock
from service.pages.rendering import address, page
from service.pages.tables import Row, table
from service.places.place import BadPlace, UnknownPlace
from service.places.search import search
from service.shapes import Interruptible
from service.tenancy import connected

By = Literal["carbon", "cost", "both"]
WEIGHTS: dict[By, float] = {"carbon": 1.0, "cost": 0.0, "both": 0.5}
ANYWHERE = "anywhere"

_BEST = """
select region_id, starts_at, ends_at, mean_gco2_kwh::float, mean_price_gbp_mwh::float, synthetic_share::float
from best_windows(%s, %s, %s, %s::smallint[], %s)
where rank = 1
"""


@dataclass(frozen=True)
class Asked:
    """What the form asks."""

    hours: float
    within: int
    """hours from now to the deadline"""
    place: str
    by: By
    split: bool = False
    """whether it may run in pieces"""

    def state(self) -> dict[str, Any]:
        """For links."""
        return {"hours": f"{self.hours:g}", "within": self.within, "place": self.place, "by": self.by} | (
            {"split": "true"} if self.split else {}
        )


@dataclass(frozen=True)
class Found:
    """A window, and what a run of the same length there costs that starts at once (None where that is not known)."""

    region_id: int
    starts_at: datetime
    ends_at: datetime
    gco2_kwh: float
    price_gbp_mwh: float | None
    synthetic_share: float
    now_gco2_kwh: float | None
    now_price_gbp_mwh: float | None
    pieces: tuple[tuple[datetime, datetime], ...]
    """when it runs; more than one only for work that may be split"""

    @property
    def saves_gco2_kwh(self) -> float | None:
        """How much less carbon than at once in the same region."""
        return None if self.now_gco2_kwh is None else self.now_gco2_kwh - self.gco2_kwh

    @property
    def saves_percent(self) -> float | None:
        """The same in per cent."""
        return (
            None
            if not self.now_gco2_kwh or self.saves_gco2_kwh is None
            else 100 * self.saves_gco2_kwh / self.now_gco2_kwh
        )


async def answer(state: Service, clock: Clock, asked: Asked, host: str) -> HTMLResponse:
    """The page."""
    now = datetime.now(UTC)
    outlook = await state.outlooks.now()
    regions, trouble, why_here = _regions(asked.place)
    if trouble is None and asked.within < asked.hours:
        trouble = (
            f"{asked.hours:g} hours do not fit into the next {asked.within}: give a later deadline, or fewer hours."
        )
    found = None
    if trouble is None:
        found = await _best(state, outlook, asked, regions, now)
        if found is None:
            trouble = "No window of this length is known whole before the deadline" + (
                "."
                if asked.by == "carbon"
                else ", with a day-ahead price for each half-hour: the auction has not reached so far."
            )
    over = grid.Spine(outlook.begins, max(1, 2 * asked.within + 1))
    return page(
        "when.html",
        path="/when",
        clock=clock,
        notice=state.settings.service_notice,
        state=asked.state(),
        now=now,
        fresh=freshness.of(outlook, now),
        title=_title(found, outlook, clock, now),
        asked=asked,
        trouble=trouble,
        why_here=why_here,
        found=found,
        name=outlook.region_names.get(found.region_id, f"region {found.region_id}") if found else "",
        chart=_chart(found, outlook, over, asked, clock, now) if found else "",
        table=_table(found, outlook, over, asked, clock) if found else (),
        legend="£/MWh, N2EX day-ahead auction through NESO"
        if asked.by == "cost"
        else "gCO₂/kWh, Carbon Intensity API, less its usual error where that is known",
        has_synthetic=found is not None and any(_marks(found, outlook, over, asked)),
        map=_map(outlook, asked, clock),
        curl=_curl(asked, regions, host),
        energy=_energy(asked, regions, found),
        deadline=now + timedelta(hours=asked.within),
    )


def _regions(place: str) -> tuple[list[int] | None, str | None, str | None]:
    """The regions that a place names (None: all), what is wrong with it, and why it is there."""
    if place.strip().lower() in ("", ANYWHERE):
        return None, None, None
    try:
        places = search(place)
    except (UnknownPlace, BadPlace) as error:
        return None, f"“{place}”: {error}.", None
    regions = sorted({one.region_id for one in places if one.region_id <= 14})
    if not regions:
        return None, f"“{place}” is made of several regions: name a postcode, a city, or a region from 1 to 14.", None
    return regions, None, None if places[0].basis == "region_id" else places[0].because


async def _best(
    state: Service, outlook: Outlook, asked: Asked, regions: list[int] | None, now: datetime
) -> Found | None:
    weight = WEIGHTS[asked.by]
    weights = {"carbon": weight * state.settings.carbon_value_gbp_tonne / 1000, "price": 1 - weight}
    length = timedelta(hours=asked.hours)
    deadline = now + timedelta(hours=asked.within)
    if asked.split:
        rows = await _in_pieces(outlook, asked, regions, now, state.settings.carbon_value_gbp_tonne / 1000)
    else:
        async with connected(state.public) as connection:
            rows = await grid.rows(connection, _BEST, [length, now, deadline, regions, json.dumps(weights)])
    if not rows:
        return None
    row = rows[0]
    means = outlook.means_at(outlook.position(now), Run(2 * asked.hours))
    at_once, price_at_once = float(means.intensity[row["region_id"] - 1, 0]), float(means.price[0, 0])
    pieces = tuple((chunk["starts_at"], chunk["ends_at"]) for chunk in row.get("chunks") or (row,))
    return Found(
        row["region_id"],
        row["starts_at"],
        row["ends_at"],
        row["mean_gco2_kwh"],
        row["mean_price_gbp_mwh"],
        row["synthetic_share"],
        None if np.isnan(at_once) else at_once,
        None if np.isnan(price_at_once) else price_at_once,
        pieces,
    )


async def _in_pieces(
    outlook: Outlook, asked: Asked, regions: list[int] | None, now: datetime, carbon_value_gbp_kg: float
) -> list[dict[str, Any]]:
    task = windows.task_of(
        Interruptible(is_interruptible=True),
        minutes=round(60 * asked.hours),
        earliest=now,
        deadline=now + timedelta(hours=asked.within),
        weight=WEIGHTS[asked.by],
        regions=regions,
        profile_kw=None,
    )
    return await PAGES(windows.find, task, outlook, 1, carbon_value_gbp_kg=carbon_value_gbp_kg)


def _values(outlook: Outlook, region_id: int, by: By, over: grid.Spine) -> list[float | None]:
    """Of each half-hour the intensity, or the price where cost alone decides."""
    known = outlook.price.values[0] if by == "cost" else outlook.intensity.values[region_id - 1]
    values = [None if value != value else float(value) for value in known[: over.count]]
    return values + [None] * (over.count - len(values))


def _is_synthetic(outlook: Outlook, region_id: int, over: grid.Spine) -> list[bool]:
    return [bool(value == 1) for value in outlook.synthetic.values[region_id - 1][: over.count]] + [False] * max(
        0, over.count - outlook.half_hours
    )


def _is_price_synthetic(outlook: Outlook, over: grid.Spine) -> list[bool]:
    real = outlook.price if outlook.real_price is None else outlook.real_price
    pairs = zip(outlook.price.values[0], real.values[0], strict=True)
    marks = [bool(value == value and is_real != is_real) for value, is_real in pairs][: over.count]
    return marks + [False] * (over.count - len(marks))


def _marks(found: Found, outlook: Outlook, over: grid.Spine, asked: Asked) -> list[bool]:
    """Whether each bar is synthetic: its price, where the bars are prices."""
    if asked.by == "cost":
        return _is_price_synthetic(outlook, over)
    return _is_synthetic(outlook, found.region_id, over)


def _chart(found: Found, outlook: Outlook, over: grid.Spine, asked: Asked, clock: Clock, now: datetime) -> Markup:
    values = _values(outlook, found.region_id, asked.by, over)
    looks = [
        " ".join(
            ["chosen"] * any(at < ends and at + grid.STEP > starts for starts, ends in found.pieces)
            + ["synthetic"] * is_synthetic
        )
        for at, is_synthetic in zip(over.starts, _marks(found, outlook, over, asked), strict=True)
    ]
    return bars(
        span=Span(over.begins, over.ends),
        clock=clock,
        unit="£/MWh" if asked.by == "cost" else "gCO₂/kWh",
        table="slots",
        bars=[Bar(at, value, look) for at, value, look in zip(over.starts, values, looks, strict=True)],
        now=now,
    )


def _table(found: Found, outlook: Outlook, over: grid.Spine, asked: Asked, clock: Clock) -> list[Row]:
    intensity = _values(outlook, found.region_id, "carbon", over)
    price = _values(outlook, found.region_id, "cost", over)
    synthetic = _is_synthetic(outlook, found.region_id, over)
    remarks = {1: ["synthetic" * one for one in _is_price_synthetic(outlook, over)]}
    return table(over.starts, [intensity, price], synthetic, clock, digits=(0, 2), remarks=remarks)


def _map(outlook: Outlook, asked: Asked, clock: Clock) -> Markup:
    series = {
        region_id: [None if value != value else float(value) for value in outlook.intensity.values[region_id - 1][:1]]
        for region_id in range(1, 15)
    }
    addresses = {
        region_id: address("/when", clock, **asked.state() | {"place": str(region_id)}) for region_id in range(1, 15)
    }
    return region_map(outlook.region_names, series, 0, addresses)


def _curl(asked: Asked, regions: list[int] | None, host: str) -> str:
    where = "".join(f"&region_id={region_id}" for region_id in regions or ())
    pieces = "&is_interruptible=true" if asked.split else ""
    deadline = f'$(date -u -d "+{asked.within} hours" +%Y-%m-%dT%H:%M:%SZ)'
    asks = f"duration_minutes={60 * asked.hours:.0f}&deadline={deadline}&carbon_to_cost_weight={WEIGHTS[asked.by]:g}"
    return f'curl -H "Authorization: Bearer $SERVICE_TOKEN" \\\n  "{host}/windows/best?{asks}{where}{pieces}&limit=1"'


def _energy(asked: Asked, regions: list[int] | None, found: Found | None) -> str | None:
    """The command of the client, which waits for the moment and then runs another; None unless carbon alone decides.

    The client decides by nothing else, and it takes one region: the one that is chosen here.
    """
    if asked.by != "carbon":
        return None
    region_id = found.region_id if found else regions[0] if regions and len(regions) == 1 else None
    where = "" if region_id is None else f" --region {region_id}"
    split = " --split" if asked.split else ""
    return f"energy run --hours {asked.hours:g} --deadline {asked.within}h{where}{split} -- ./train.sh"


def _title(found: Found | None, outlook: Outlook, clock: Clock, now: datetime) -> str:
    if found is None:
        return "When to run"
    return (
        f"Run at {clock.relative(found.starts_at, now)} in {outlook.region_names.get(found.region_id, 'that region')}"
    )
