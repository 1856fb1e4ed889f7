"""`/quality`: what decisions saved, by day and by policy, what they had promised, and how to read it."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fastapi.responses import HTMLResponse
from markupsafe import Markup

from service.access import Service
from service.pages import freshness, grid
from service.pages.charts.bars import Bar, bars
from service.pages.charts.scale import Span
from service.pages.clock import Clock
from service.pages.readers import Reading
from service.pages.rendering import PRIVATE, figure, page
from service.pages.tables import Row
from service.receipts import POSITION
from service.tenancy import speaking_for
from warehouse.counts import count

DAYS = 30
LONDON = ZoneInfo("Europe/London")
COLUMNS = (
    *("workloads", "completed_workloads", "final_workloads", "carbon_unknown_workloads"),
    *(
        "carbon_compared_workloads",
        "realised_carbon_kg",
        "at_once_carbon_kg",
        "saved_carbon_kg",
        "saved_by_time_carbon_kg",
    ),
    *("saved_by_place_carbon_kg", "saved_cost_gbp"),
)
_DAYS = f"""
select settlement_date, {", ".join(f"sum({name})::float8 as {name}" for name in COLUMNS)}
from savings_daily
where settlement_date > %(today)s - %(days)s
group by settlement_date
order by settlement_date
"""
_QUALITY = """
select
    source, decided_by, is_split, job_hours, slack_hours, policy, decisions, final_decisions,
    promised_saving_pct::float8 as promised_saving_pct, realised_saving_pct::float8 as realised_saving_pct,
    captured_pct::float8 as captured_pct, regret_pct::float8 as regret_pct
from decision_quality
order by
    source <> 'receipts', source, decisions desc, decided_by, is_split, job_hours, slack_hours, captured_pct nulls first, policy
limit 200
"""
_SKILL = """
select lead_hours, forecasts, mean_absolute_error::float8 as off, mean_error::float8 as bias
from forecast_skill
where unit = 'gCO2/kWh' and region_id = 18 and lead_hours in (1, 3, 6, 12, 24, 36, 48)
order by lead_hours
"""
_BY_DAY = """
select
    settlement_date, half_hours, published_absolute_error_gco2_kwh::float8 as published,
    p50_absolute_error_gco2_kwh::float8 as ours, published_error_gco2_kwh::float8 as published_bias,
    p50_error_gco2_kwh::float8 as our_bias
from forecast_errors_daily
order by settlement_date desc
"""


async def answer(state: Service, clock: Clock, reader: Reading) -> HTMLResponse:
    """The page, of the operators that its reader may see."""
    now, caller = datetime.now(UTC), reader.caller
    outlook = await state.outlooks.now()
    async with speaking_for(state.heavy, caller) as connection:
        today = now.astimezone(LONDON).date()
        days = await grid.rows(connection, _DAYS, {"today": today, "days": DAYS})
        quality = await grid.rows(connection, _QUALITY)
        skill = await grid.rows(connection, _SKILL)
        by_day = await grid.rows(connection, _BY_DAY)
    return page(
        "quality.html",
        path="/quality",
        clock=clock,
        notice=state.settings.service_notice,
        signed_in=reader.signed_in,
        headers=PRIVATE,
        state={},
        now=now,
        fresh=freshness.of(outlook, now),
        title="What decisions saved",
        sentence=_sentence(days),
        position=POSITION,
        chart=_chart(days, now, clock),
        days=[_row(row) for row in reversed(days)],
        quality=quality,
        skill=skill,
        by_day=by_day,
        compared=_compared(by_day),
    )


def _sentence(days: Sequence[dict[str, Any]]) -> str:
    compared = sum(row["carbon_compared_workloads"] for row in days)
    if not compared:
        return f"No receipt of the last {DAYS} days says what a workload saved: none has ended, or its actuals are not there yet."
    at_once, saved = (sum(row[name] or 0 for row in days) for name in ("at_once_carbon_kg", "saved_carbon_kg"))
    share = f", {figure(100 * abs(saved) / at_once)} %" if at_once else ""
    return (
        f"In the last {DAYS} days {count(int(compared), 'completed workload')} would have emitted {figure(at_once, 1)} kg of CO₂ "
        "at once. "
        f"They emitted {figure(at_once - saved, 1)} kg: {figure(abs(saved), 1)} kg {'less' if saved >= 0 else 'more'}{share}, by "
        "average intensity."
    )


def _compared(by_day: Sequence[dict[str, Any]]) -> str:
    """Which of the two forecasts was nearer, over the half-hours that have both."""
    both = [row for row in by_day if row["ours"] is not None]
    if not by_day:
        return (
            "No day is compared yet: it takes a real forecast that was known when the day began, and what came of it."
        )
    if not both:
        return "Ours is not compared yet: it needs a band, and a band needs seven days of forecasts with what came of them."
    half_hours = sum(row["half_hours"] for row in both)
    published, ours = (
        sum(row[name] * row["half_hours"] for row in both) / half_hours for name in ("published", "ours")
    )
    return (
        f"On {count(len(both), 'day')} with both, ours was off by {figure(ours, 1)} g and the published one by "
        f"{figure(published, 1)} g, in the mean over {count(half_hours, 'half-hour')}."
    )


def _chart(days: Sequence[dict[str, Any]], now: datetime, clock: Clock) -> Markup:
    if not days:
        return Markup()

    def begins(row: dict[str, Any]) -> datetime:
        return datetime.combine(row["settlement_date"], time(), LONDON)

    last = datetime.combine(now.astimezone(LONDON).date() + timedelta(days=1), time(), LONDON)
    drawn = [Bar(begins(row), row["saved_carbon_kg"], length=timedelta(days=1)) for row in days]
    return bars(span=Span(last - timedelta(days=DAYS), last), clock=clock, unit="kg", table="days", bars=drawn)


def _row(row: dict[str, Any]) -> Row:
    day = row["settlement_date"]
    counts = (f"{row[name]:g}" for name in ("workloads", "final_workloads", "carbon_unknown_workloads"))
    sums = (
        *("realised_carbon_kg", "at_once_carbon_kg", "saved_carbon_kg", "saved_by_time_carbon_kg"),
        *("saved_by_place_carbon_kg", "saved_cost_gbp"),
    )
    return Row(f"{day:%a} {day.day} {day:%b}", (*counts, *(figure(row[name], 2) for name in sums)), is_synthetic=False)
