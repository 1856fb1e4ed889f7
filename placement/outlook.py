"""What is known of the grid at one instant, as arrays on the half-hour spine: intensity by region, price, compute windows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np

from placement import prices
from placement.spine import HALF_HOUR, Numbers, Series, microseconds

REGIONS = range(1, 15)
Risk = Literal["expected", "cautious"]
"""Decide by the middle of the forecast's band, or by its upper end"""
KEPT = 256
"""Lengths of runs of which the means are kept"""


class Run(NamedTuple):
    """How long a run is, in half-hours, and the share of its energy that each of its half-hours takes; none: it is constant."""

    length: float
    shares: tuple[float, ...] = ()

    def parts(self) -> Iterator[tuple[int, float, float]]:
        """After how many half-hours each part begins, how long it is, and its share; parts without energy count too."""
        for at, share in enumerate(self.shares):
            yield at, min(1.0, self.length - at), share


class Means(NamedTuple):
    """Means of runs from each start: intensity (14, starts), synthetic share (14, starts) and price (1, starts)."""

    intensity: Numbers
    synthetic: Numbers
    price: Numbers


@dataclass(frozen=True)
class Window:
    """A Beckn compute window: daily between two times of day, UTC."""

    window_id: str
    name: str
    region_id: int
    opens: time
    closes: time
    crosses_midnight: bool
    valid_from: datetime | None
    valid_until: datetime | None
    capacity_kw: float
    price_gbp_mwh: float | None


@dataclass(frozen=True)
class Outlook:
    """The grid as it was known at `known_at`; the spine begins with the half-hour that holds that instant."""

    known_at: datetime
    first: int
    """Start of the spine, seconds since 1970"""
    intensity: Series
    """The middle of the band (P50), the published forecast where there is no band"""
    synthetic: Series
    """1 where the intensity is synthetic"""
    price: Series
    windows: tuple[Window, ...]
    zones: dict[str, int]
    """zone -> region"""
    fetched_at: datetime | None
    """When the newest real forecast was fetched"""
    synthetic_share: float | None
    synthetic_fetched_at: datetime | None = None
    """When the newest synthetic value was made"""
    region_names: dict[int, str] = field(default_factory=dict)
    upper: Series | None = None
    """The upper end of the band (P90), the published forecast where there is no band; None: there is no band at all"""
    guess: Series | None = None
    """Two rows: prices with estimates where the auction has none yet (`prices`), and the error of each"""
    real_price: Series | None = None
    """One row: prices without those that are synthetic"""
    _of_spine: dict[Run, Means] = field(default_factory=dict, compare=False, init=False)
    _scores: dict[tuple[Run, float, float], Numbers] = field(default_factory=dict, compare=False, init=False)
    _unknown_prices: dict[tuple[datetime, timedelta], dict[str, Any]] = field(
        default_factory=dict, compare=False, init=False
    )

    def seen_by(self, risk: Risk) -> "Outlook":
        """As a task of this risk sees it: to a cautious one, intensity is the upper end of the band."""
        return self.cautious if risk == "cautious" else self

    @cached_property
    def cautious(self) -> "Outlook":
        """The same with the upper end of the band as intensity."""
        return self if self.upper is None else replace(self, intensity=self.upper, upper=None)

    @cached_property
    def stacked(self) -> Series:
        """Intensity, synthetic share and price as the rows of one series."""
        return Series(np.concatenate([self.intensity.values, self.synthetic.values, self.price.values]))

    def means_at(self, start: float, run: Run) -> Means:
        """Intensity, synthetic share and price of a run from this start, in the mean over its energy."""
        if not run.shares:
            return _apart(self.stacked.mean(start, run.length).reshape(-1, 1))
        parts = [share * self.stacked.mean(start + at, length) for at, length, share in run.parts()]
        return _apart(np.round(np.sum(parts, axis=0), 9).reshape(-1, 1))

    def means_of_spine(self, run: Run) -> Means:
        """The same from each half-hour of the spine; computed once for each such run."""
        means = self._of_spine.get(run)  # another thread may clear it meanwhile
        if means is None:
            if len(self._of_spine) >= KEPT:
                self._of_spine.clear()
            starts = np.arange(self.half_hours, dtype=float)
            if not run.shares:
                found = self.stacked.means(starts, run.length)
            else:
                parts = [share * self.stacked.means(starts + at, length) for at, length, share in run.parts()]
                found = np.round(np.sum(parts, axis=0), 9)
            means = self._of_spine[run] = _apart(found)
        return means

    def scores_of_spine(self, run: Run, weight: float, carbon_value_gbp_kg: float) -> Numbers:
        """Score of runs from each half-hour of the spine, GBP/MWh, shape (14, half-hours); computed once."""
        key = (run, weight, carbon_value_gbp_kg)
        found = self._scores.get(key)
        if found is None:
            if len(self._scores) >= KEPT:
                self._scores.clear()
            known = self.means_of_spine(run)
            found = self._scores[key] = score(known.intensity, known.price, weight, carbon_value_gbp_kg)
        return found

    @property
    def half_hours(self) -> int:
        """Length of the spine."""
        return int(self.intensity.values.shape[1])

    def position(self, instant: datetime) -> float:
        """An instant in half-hours of the spine."""
        return (instant - self.begins) / timedelta(seconds=HALF_HOUR)

    @cached_property
    def begins(self) -> datetime:
        """Start of the spine."""
        return datetime.fromtimestamp(self.first, UTC)

    def instant(self, half_hours: float) -> datetime:
        """A position of the spine as an instant, to the microsecond."""
        return self.begins + timedelta(microseconds=microseconds(half_hours))

    def unknown_price(self, starts_at: datetime, length: timedelta) -> dict[str, Any]:
        """Why a run has no price, and an estimate with its mean absolute error, both GBP/MWh; None where nothing is known."""
        if (starts_at, length) not in self._unknown_prices:
            self._unknown_prices[starts_at, length] = self._why_no_price(starts_at, length)
        return self._unknown_prices[starts_at, length]

    @cached_property
    def priced_until(self) -> datetime | None:
        """The end of the last half-hour that has a price; None without any."""
        known = np.flatnonzero(~np.isnan(self.price.values[0]))
        return self.instant(float(known[-1]) + 1) if len(known) else None

    def _why_no_price(self, starts_at: datetime, length: timedelta) -> dict[str, Any]:
        half_hours = length / timedelta(seconds=HALF_HOUR)
        if self.priced_until is None:
            because = "no day-ahead price is known of any half-hour from now on"
        else:
            because = (
                f"the day-ahead auction's prices end at {self.priced_until:%Y-%m-%d %H:%M}Z, before this run does"
                if starts_at + length > self.priced_until
                else "a half-hour of this run has no day-ahead price"
            )
        estimate, error = (None, None)
        if self.guess is not None:
            estimate, error = (
                None if np.isnan(mean) else float(mean)
                for mean in self.guess.mean(self.position(starts_at), half_hours)
            )
        return {"because": because, "estimate_gbp_mwh": estimate, "error_gbp_mwh": None if estimate is None else error}


def _apart(stacked: Numbers) -> Means:
    regions = (stacked.shape[0] - 1) // 2
    return Means(stacked[:regions], stacked[regions : 2 * regions], stacked[2 * regions :])


def score(intensity: Numbers, price: Numbers, weight: float, carbon_value_gbp_kg: float) -> Numbers:
    """weight x carbon x value + (1 - weight) x price, GBP/MWh; gCO2/kWh is kg/MWh.

    To nine decimals, so that neither the size of a task nor the last bit of a float decides between equals.
    """
    found = weight * carbon_value_gbp_kg * intensity
    if weight < 1:
        found = found + (1 - weight) * price
    rounded: Numbers = np.round(found, 9)
    return rounded


def from_rows(
    known_at: datetime,
    *,
    intensities: Sequence[Mapping[str, Any]],
    priced: Iterable[Mapping[str, Any]],
    windows: Iterable[Mapping[str, Any]],
    names: Iterable[Mapping[str, Any]],
    zones: Iterable[Mapping[str, Any]],
    last_real: datetime | None,
) -> Outlook:
    """The outlook from rows as `warehouse.known` selects them; `last_real` is used if no coming half-hour is real."""
    first = int(known_at.timestamp()) // HALF_HOUR * HALF_HOUR
    final = max((row["starts"] for row in intensities), default=first - HALF_HOUR)
    length = max(0, (final - first) // HALF_HOUR + 1)
    intensity, upper, synthetic = (np.full((14, length), np.nan) for _ in range(3))
    for row in intensities:
        at = (row["starts"] - first) // HALF_HOUR
        if 0 <= at < length:
            published, region = row["forecast_gco2_kwh"], row["region_id"] - 1
            for series, quantile in ((intensity, "p50_gco2_kwh"), (upper, "p90_gco2_kwh")):
                series[region, at] = published if row.get(quantile) is None else row[quantile]
            synthetic[row["region_id"] - 1, at] = row["is_synthetic"]
    priced = [row for row in priced if row["price_gbp_mwh"] is not None]
    by_start = {row["starts"]: row["price_gbp_mwh"] for row in priced}
    real_prices = {row["starts"]: row["price_gbp_mwh"] for row in priced if not row["is_synthetic"]}
    price = np.array([[by_start.get(first + at * HALF_HOUR, np.nan) for at in range(length)]], dtype=float)
    guessed = prices.guess(by_start, real_prices, first, length)
    known = ~np.isnan(synthetic)
    real = max((row["forecast_known_at"] for row in intensities if not row["is_synthetic"]), default=None)
    return Outlook(
        known_at=known_at,
        first=first,
        intensity=Series(intensity),
        upper=Series(upper) if any(row.get("p90_gco2_kwh") is not None for row in intensities) else None,
        synthetic=Series(synthetic),
        price=Series(price),
        windows=tuple(_window(row) for row in windows),
        zones={row["zone_id"]: row["region_id"] for row in zones},
        fetched_at=last_real if real is None else real,
        synthetic_share=float(synthetic[known].mean()) if known.any() else None,
        synthetic_fetched_at=max(
            (row["forecast_known_at"] for row in intensities if row["is_synthetic"]), default=None
        ),
        region_names={row["region_id"]: row["name"] for row in names},
        guess=Series(np.array([guessed.values, guessed.errors])),
        real_price=Series(
            np.array([[real_prices.get(first + at * HALF_HOUR, np.nan) for at in range(length)]], dtype=float)
        ),
    )


def _window(row: Mapping[str, Any]) -> Window:
    unit = (row["price_unit"] or "").lower().replace("_", " ")
    is_per_kwh = row["currency"] == "GBP" and unit in ("kwh", "per kwh")
    return Window(
        window_id=row["window_id"],
        name=row["name"] or row["window_id"],
        region_id=row["region_id"],
        opens=row["starts_at_time"],
        closes=row["ends_at_time"],
        crosses_midnight=row["crosses_midnight"],
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
        capacity_kw=float(row["available_capacity_mw"]) * 1000,
        price_gbp_mwh=float(row["price"]) * 1000 if is_per_kwh and row["price"] is not None else None,
    )
