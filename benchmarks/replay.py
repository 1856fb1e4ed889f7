"""What decisions would have captured, on recorded files: real captures, simulated errors since 2023, auctions from 2020 to 2024.

`RECORDED_DIR=... python -m benchmarks.replay` prints a table of each; no database is needed. Each says by which kind of forecasts.
"""

import csv
import gzip
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.settings import BenchSettings
from flows.replay_table import show
from placement.replay.episodes import PAST, Region
from placement.replay.errors import PER_DAY, Captured, bands
from placement.replay.ideal import best_reading
from placement.replay.replay import replay
from placement.replay.simulated import HALF_HOURS, measured, simulate
from placement.spine import Numbers
from warehouse.periods import HALF_HOUR_SECONDS

VALUE_GBP_KG = 0.264
MOMENTS = 1000
SEED = 34
LEADS_HOURS = ((0, 1), (1, 6), (6, 12), (12, 24), (24, 48))


def recorded_captures(folder: Path) -> tuple[Captured, Numbers, int]:
    """The captured national forecasts, what came, and the half-hour (since 1970) with which that begins."""
    rows = list(_rows(folder / "vintages/ci_national_vintages.csv.gz"))
    known_at = np.unique([_second(row["captured_at"]) for row in rows])
    forecasts = np.full((len(known_at), HALF_HOURS + 1), np.nan)
    came: dict[int, float] = {}
    for row in rows:
        at, number = (
            _second(row["period_start"]) // HALF_HOUR_SECONDS,
            int(np.searchsorted(known_at, _second(row["captured_at"]))),
        )
        forecasts[number, at - known_at[number] // HALF_HOUR_SECONDS] = float(row["forecast_gco2_kwh"])
        if row["actual"]:
            came[at] = float(row["actual"])
    return Captured(known_at, forecasts), *_spine(came)


def recorded_outcomes(folder: Path) -> tuple[Numbers, int]:
    """National intensity since 2023: measured until 2025, then NESO's figure for its generation mix. 0 is no measurement."""
    came: dict[int, float] = {}
    for row in _rows(folder / "carbon_intensity/timeseries/national_2023_full.csv"):
        came[_second(row["from"]) // HALF_HOUR_SECONDS] = float(row["actual"] or 0)
    for row in _rows(folder / "vintages/ci_national_final_2024_2025.csv.gz"):
        came[_second(row["period_start"]) // HALF_HOUR_SECONDS] = float(row["actual"] or 0)
    for row in _rows(folder / "carbon_intensity/auxiliary/neso_historic_generation_mix_2026.csv"):
        at = row["DATETIME"].replace(" ", "T")[:16]
        came[_second(f"{at}Z") // HALF_HOUR_SECONDS] = float(row["CARBON_INTENSITY"] or 0)
    return _spine({at: value for at, value in came.items() if value > 0})


def recorded_prices(folder: Path) -> tuple[Numbers, int]:
    """Day-ahead prices 2020 to 2024, GBP/MWh."""
    rows = _rows(folder / "vintages/gb_price_dayahead_intraday_2020_2024.csv.gz")
    return _spine(
        {
            _second(row["period_start"]) // HALF_HOUR_SECONDS: float(row["price_da_gbp_mwh"])
            for row in rows
            if row["price_da_gbp_mwh"]
        }
    )


def _rows(path: Path) -> Iterator[Mapping[str, str]]:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
        yield from csv.DictReader(lines)


def _second(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def _spine(values: Mapping[int, float]) -> tuple[Numbers, int]:
    begins = min(values)
    found = np.full(max(values) - begins + 1, np.nan)
    for at, value in values.items():
        found[at - begins] = value
    return found, begins


def real(folder: Path) -> None:
    """The recorded captures, each as a moment of decision."""
    captured, outcome, begins = recorded_captures(folder)
    region = Region(captured, captured.forecasts, captured.forecasts, begins, outcome, np.full(len(outcome), np.nan))
    moments = np.arange(len(captured.known_at))
    show(
        "archive forecasts",
        replay(region, moments, np.zeros_like(moments), carbon_value_gbp_kg=VALUE_GBP_KG, weights=(1.0,)),
    )


def simulated(folder: Path) -> dict[str, Any]:
    """A thousand moments since 2023, and what the bands hold."""
    curve = measured(*recorded_captures(folder))
    outcome, begins = recorded_outcomes(folder)
    captured = simulate(outcome, begins, curve, SEED)
    first_day = begins // PER_DAY
    _, p50, p90 = found = bands([captured], [outcome], begins, first_day, len(outcome) // PER_DAY + 2).apply(
        0, captured.known_at, captured.at, captured.forecasts
    )
    prices, prices_begin = recorded_prices(folder)
    price = np.full(len(outcome), np.nan)
    price[: prices_begin + len(prices) - begins] = prices[begins - prices_begin :]
    region = Region(captured, p50, p90, begins, outcome, price)
    held_out = 30 * PER_DAY
    figures = _held_out(captured, outcome, begins, found, held_out)
    moments = np.linspace(held_out, len(outcome) - 2 * PER_DAY - 2, MOMENTS).astype(np.int64)
    hindsight = best_reading(captured, outcome, begins).forecasts
    show(
        "simulated forecasts",
        replay(region, moments, np.zeros_like(moments), carbon_value_gbp_kg=VALUE_GBP_KG, hindsight=hindsight),
    )
    return figures


def _held_out(
    captured: Captured,
    outcome: Numbers,
    begins: int,
    found: tuple[Numbers, Numbers, Numbers],
    since: int,
    leads: Sequence[tuple[int, int]] = LEADS_HOURS,
) -> dict[str, Any]:
    p10, p50, p90 = found
    came = captured.outcomes(outcome, begins)
    figures = {}
    for first, past in leads:
        part = np.s_[since:, 2 * first : 2 * past]
        known = ~np.isnan(came[part]) & ~np.isnan(captured.forecasts[part])
        inside = ((came >= p10) & (came <= p90))[part][known]
        errors = [float(np.abs(one[part] - came[part])[known].mean()) for one in (p50, captured.forecasts)]
        figures[f"{first}-{past} h"] = {
            "within P10-P90 %": round(100 * float(inside.mean()), 1),
            "P50 MAE": round(errors[0], 1),
            "published MAE": round(errors[1], 1),
        }  # fmt: skip
    return figures


def prices(folder: Path) -> None:
    """Cost alone, by real auctions: every 12.5 hours of five years. No forecast is used, only prices that were known."""
    price, begins = recorded_prices(folder)
    known_at = (begins + np.arange(PAST, len(price) - 97, 1)) * HALF_HOUR_SECONDS
    no_carbon = Captured(known_at, np.zeros((len(known_at), HALF_HOURS + 1)))
    region = Region(no_carbon, no_carbon.forecasts, no_carbon.forecasts, begins, np.zeros(len(price)), price)
    moments = np.arange(0, len(known_at), 25)  # every 12.5 hours: each time of day
    show(
        "auction prices as they were known",
        replay(region, moments, np.zeros_like(moments), carbon_value_gbp_kg=VALUE_GBP_KG, weights=(0.0,)),
    )


def wind(folder: Path) -> dict[str, Any]:
    """Bands of real errors over half a year: Great Britain's wind, MW, net of constraints. Each day's from those before."""
    rows = list(_rows(folder / "vintages/wind_bmrs_lead4_12_24_2025_26.csv.gz"))
    outcome, begins = _spine(
        {_second(row["period_start"]) // HALF_HOUR_SECONDS: float(row["actual_mw"]) for row in rows if row["actual_mw"]}
    )
    figures = {}
    for hours in ("4", "12", "24"):
        of_lead = [row for row in rows if row["min_lead_h"] == hours and row["forecast_mw"]]
        known_at = np.unique([_second(row["issued_at"]) for row in of_lead])
        forecasts = np.full((len(known_at), HALF_HOURS + 1), np.nan)
        for row in of_lead:
            number = int(np.searchsorted(known_at, _second(row["issued_at"])))
            ahead = _second(row["period_start"]) // HALF_HOUR_SECONDS - known_at[number] // HALF_HOUR_SECONDS
            if 0 <= ahead <= HALF_HOURS:
                forecasts[number, ahead] = float(row["forecast_mw"])
        captured = Captured(known_at, forecasts)
        first_day = int(known_at[0]) // 86_400
        found = bands([captured], [outcome], begins, first_day, int(known_at[-1]) // 86_400 - first_day + 1).apply(
            0, known_at, captured.at, forecasts
        )
        since = int(np.searchsorted(known_at, known_at[0] + 30 * 86_400))
        figures[f"{hours} h"] = _held_out(captured, outcome, begins, found, since, ((0, 48),))["0-48 h"]
    return figures


def main() -> None:
    """Print all of them."""
    folder = BenchSettings().recorded_dir
    if folder is None:
        raise SystemExit("RECORDED_DIR is not set: the folder of recorded files")
    for part in (real, simulated, wind, prices):
        begun = time.perf_counter()
        print(f"\n{part.__doc__}")
        found = part(folder)
        print(f"{part.__name__}: {time.perf_counter() - begun:.0f} s {json.dumps(found) if found else ''}")


if __name__ == "__main__":
    main()
