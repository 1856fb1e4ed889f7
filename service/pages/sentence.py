"""The first sentence of the front page: what is known of now, and when it is best to run, in plain English."""

from datetime import datetime, timedelta
from typing import Any

from service.pages.best import Best
from service.pages.clock import Clock
from warehouse.counts import duration

LATE = timedelta(hours=2)
"""A figure whose half-hour ended so long ago is not called now"""
NAMES = {"intensity": "carbon intensity", "mix": "share of renewables"}
"""The parts of the status that the sentence speaks of"""
LEAST_SAVING_PERCENT = 3
"""Below it, waiting is not worth a word"""


def now_in_words(status: dict[str, Any], clock: Clock, now: datetime) -> str:
    """`Great Britain runs on 48 % renewables at 118 g of CO2 per kWh`, as far as it is known; and whether that is synthetic."""
    renewable, intensity = status["renewable_pct"], status["gco2_kwh"]
    if renewable is None and intensity is None:
        return "Nothing is known of the grid yet"
    said = {"intensity": intensity, "mix": renewable}
    synthetic = [part for part, value in said.items() if value is not None and status[f"{part}_is_synthetic"]]
    mark = ""
    if synthetic:
        what = "these figures are" if len(synthetic) == 2 else f"the {NAMES[synthetic[0]]} is"
        ages = [age for part in synthetic if (age := status[f"{part}_age"]) is not None]
        real = f"the newest real half-hour ended {duration(max(ages))} ago" if ages else "nothing real is known"
        mark = f" ({what} synthetic; {real})"
    return _as_known(status, clock, now) + mark


def _as_known(status: dict[str, Any], clock: Clock, now: datetime) -> str:
    renewable, intensity = status["renewable_pct"], status["gco2_kwh"]
    shown = [status[f"{part}_{'synthetic_' if status[f'{part}_is_synthetic'] else ''}age"] for part in NAMES]
    oldest = max((age for age in shown if age is not None), default=timedelta(0))
    verb = "runs on"
    when = ""
    if oldest > LATE:
        verb, when = "ran on", f" at {clock.relative(now - oldest, now)}, when it was last known,"
    if renewable is None:
        verb = "emitted" if when else "emits"
        return f"Great Britain{when} {verb} {intensity:g} g of CO₂ per kWh"
    at = "" if intensity is None else f" at {intensity:g} g of CO₂ per kWh"
    return f"Great Britain{when} {verb} {renewable:.0f} % renewables{at}"


def best_in_words(best: Best | None, clock: Clock, now: datetime, synthetic_share: float) -> str:
    """`the cleanest four hours of the next 48 start at 02:30 tomorrow, 34 % less than now`."""
    if best is None:
        return "no forecast says when the next clean hours are"
    if synthetic_share == 0:
        return _best(best, clock, now)
    kind = "a synthetic forecast" if synthetic_share == 1 else "a forecast that is partly synthetic"
    return f"by {kind}, {_best(best, clock, now)}"


def _best(best: Best, clock: Clock, now: datetime) -> str:
    saving = best.saving_percent
    if best.starts_at == now or (saving is not None and saving < LEAST_SAVING_PERCENT):
        return "the next four hours are about as clean as any of the coming 48: no need to wait"
    words = f"the cleanest four hours of the next 48 start at {clock.relative(best.starts_at, now)}"
    return words if saving is None else f"{words}, {saving:.0f} % less than now"


def first_sentence(
    status: dict[str, Any],
    best: Best | None,
    clock: Clock,
    now: datetime,
    *,
    synthetic_share: float,
    stale_for: str | None = None,
) -> str:
    """The two, as one sentence; before them, how old stale figures are. `synthetic_share`: 0 to 1, of the coming forecast."""
    age = f"By figures that are {stale_for} old: " if stale_for else ""
    return f"{age}{now_in_words(status, clock, now)}; {best_in_words(best, clock, now, synthetic_share)}."
