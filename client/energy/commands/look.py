"""`energy now` and `energy best`: the grid, without anything being submitted."""

from __future__ import annotations

import json
from argparse import Namespace

from energy import places, spans
from energy.answers import BestWindows, Opportunities
from energy.api import Api, Budget, Trouble
from energy.clock import Clock
from energy.commands.printed import out
from energy.job import Job


def now(arguments: Namespace, api: Api, clock: Clock) -> int:
    """Print each region now, or the one that is named. Raises Trouble."""
    regions = places.region_ids(api, arguments.place)
    found: Opportunities = api.get("/regions/opportunities", region_id=regions)
    if arguments.json:
        out(json.dumps(found))
        return 0
    for row in found["regions"]:
        index = f" ({row['now_intensity_index']})" if row["now_intensity_index"] else ""
        facts = [
            _or_unknown(row["now_gco2_kwh"], "{:.0f} gCO2/kWh", "intensity") + index,
            _or_unknown(row["now_renewable_pct"], "{:.0f} % renewable", "renewable share"),
            _or_unknown(row["now_price_gbp_mwh"], "{:.0f} GBP/MWh", "price"),
        ]
        start = row["best_4h_start"]
        cleanest = f"; cleanest 4 hours from {_when(start, clock)}: {row['best_4h_gco2_kwh']:.0f}" if start else ""
        out(f"{row['region_name'] or row['region_id']}: {', '.join(facts)}{cleanest}")
    out(found["data"]["in_words"])
    return 0


def best(arguments: Namespace, api: Api, clock: Clock) -> int:
    """Print the best windows of that length, the best first. Raises Trouble."""
    regions = places.region_ids(api, arguments.place)
    present = clock.now()
    found: BestWindows = api.get(
        "/windows/best",
        duration_minutes=round(60 * arguments.hours),
        deadline=spans.deadline(arguments.within, present).isoformat(),
        region_id=regions,
        limit=arguments.limit,
    )
    if arguments.json:
        out(json.dumps(found))
        return 0
    for window in found["windows"]:
        price = _or_unknown(window["mean_price_gbp_mwh"], "{:.0f} GBP/MWh", "price")
        span = f"{_when(window['starts_at'], clock)} to {_when(window['ends_at'], clock)}"
        out(f"{span}  {window['mean_gco2_kwh']:.0f} gCO2/kWh, {price}, {window['region_name'] or window['region_id']}")
    if not found["windows"]:
        out(str(found["why_none"]))
    out(found["data"]["in_words"])
    return 0


def _when(text: str, clock: Clock) -> str:
    return spans.local(spans.instant(text), clock.now())


def _or_unknown(value: float | None, words: str, name: str) -> str:
    return f"{name} unknown" if value is None else words.format(value)


def plan_of(api: Api, job: Job, regions: list[int] | None, budget: Budget | None = None) -> BestWindows:
    """The best window for a job as the service sees it now; nothing is submitted. Raises Trouble, also if there is none."""
    found: BestWindows = api.get(
        "/windows/best",
        budget,
        duration_minutes=job.minutes,
        earliest=job.earliest.isoformat() if job.earliest else None,
        deadline=job.last_end.isoformat(),
        region_id=regions,
        is_interruptible=job.more.get("is_interruptible"),
        max_chunks=job.more.get("max_chunks"),
        limit=1,
    )
    if not found["windows"]:
        raise Trouble(f"the service has no time for it ({found['why_none']})")
    return found
