"""Bands hold on time they have not seen, and learn from nothing to come; simulated errors follow measured ones."""

import numpy as np
import pytest

from placement.replay.errors import LEAST_DAYS, PER_DAY, Bands, Captured, bands, lead_class
from placement.replay.ideal import best_reading
from placement.replay.simulated import HALF_HOURS, Curve, measured, simulate
from tests.conftest import RECORDED_DIR, needs_recorded

DAYS = 100
BEGINS = 20_000 * PER_DAY
CURVE = Curve(
    bias=np.linspace(0, 28, HALF_HOURS), spread=np.linspace(20, 32, HALF_HOURS), along=0.95, lasting=0.8, across=0.99, captures=0
)  # fmt: skip


@pytest.fixture(scope="module")
def series() -> tuple[Captured, np.ndarray]:
    """A hundred days of plausible intensity and simulated forecasts of it."""
    chance = np.random.default_rng(5)
    at = np.arange(DAYS * PER_DAY)
    weather = np.repeat(np.cumsum(chance.normal(0, 12, DAYS)) * 0.5, PER_DAY)
    outcome = np.clip(150 + 50 * np.sin(2 * np.pi * at / 48) + weather + chance.normal(0, 4, len(at)), 5, None).round()
    return simulate(outcome, BEGINS, CURVE, 1), outcome


@pytest.fixture(scope="module")
def banded(series: tuple[Captured, np.ndarray]) -> Bands:
    captured, outcome = series
    return bands([captured], [outcome], BEGINS, BEGINS // PER_DAY, DAYS)


def test_on_time_that_was_not_seen_four_of_five_outcomes_lie_within_and_the_middle_is_better(
    series: tuple[Captured, np.ndarray], banded: Bands
) -> None:
    captured, outcome = series
    p10, p50, p90 = banded.apply(0, captured.known_at, captured.at, captured.forecasts)
    came = captured.outcomes(outcome, BEGINS)
    held_out = slice(30 * PER_DAY, (DAYS - 3) * PER_DAY)
    inside = ((came >= p10) & (came <= p90))[held_out]
    assert 0.77 <= inside.mean() <= 0.83
    far = np.s_[held_out, 48:96]
    assert np.abs(p50 - came)[far].mean() <= 0.9 * np.abs(captured.forecasts - came)[far].mean()


def test_without_enough_history_the_forecast_stands_alone(series: tuple[Captured, np.ndarray], banded: Bands) -> None:
    captured, _ = series
    early = slice(0, LEAST_DAYS * PER_DAY)
    of_band = banded.apply(0, captured.known_at[early], captured.at[early], captured.forecasts[early])
    assert all(np.array_equal(one, captured.forecasts[early], equal_nan=True) for one in of_band)
    assert not np.isnan(banded.quantiles[LEAST_DAYS + 4]).any()


def test_a_band_learns_from_nothing_that_is_still_to_come(series: tuple[Captured, np.ndarray], banded: Bands) -> None:
    """A trap: from the beginning of a day on, all that comes and all that is forecast is far away. That day's band is the same."""
    captured, outcome = series
    day = 40
    trapped = outcome.copy()
    trapped[day * PER_DAY - 2 :] += 500  # its last hour is known only after midnight
    forecasts = captured.forecasts.copy()
    forecasts[day * PER_DAY :] -= 300
    again = bands([Captured(captured.known_at, forecasts)], [trapped], BEGINS, BEGINS // PER_DAY, DAYS)
    assert np.array_equal(again.quantiles[: day + 1], banded.quantiles[: day + 1], equal_nan=True)
    assert np.array_equal(again.slope[: day + 1], banded.slope[: day + 1], equal_nan=True)
    assert not np.allclose(again.quantiles[day + 1], banded.quantiles[day + 1])


def test_a_region_with_little_history_leans_on_all_the_others() -> None:
    chance = np.random.default_rng(2)
    known_at = (BEGINS + np.arange(0, 30 * PER_DAY, 6)) * 1800
    outcome = np.full(40 * PER_DAY, 100.0)
    errors = [chance.normal(mean, 5, (len(known_at), 4)) for mean in (10, 10, 40)]
    captured = [Captured(known_at, 100 + one) for one in errors]
    short = Captured(known_at[-10 * 8 :], captured[2].forecasts[-10 * 8 :])
    found = bands([*captured[:2], short], [outcome] * 3, BEGINS, BEGINS // PER_DAY + 30, 1)
    assert found.quantiles[0, 0, 0, 1] == pytest.approx(10, abs=4)
    assert 15 < found.quantiles[0, 2, 0, 1] < 35, "between its own 40 and the others' 10"


def test_simulated_errors_are_measured_as_what_they_were_made_of(series: tuple[Captured, np.ndarray]) -> None:
    captured, outcome = series
    again = measured(captured, outcome, BEGINS)
    # errors last for days: a hundred days tell a mean to some grams
    assert np.abs(again.bias - CURVE.bias).max() < 8
    assert np.abs(again.spread - CURVE.spread).max() < 5
    assert again.along == pytest.approx(CURVE.along, abs=0.03)
    assert again.lasting == pytest.approx(CURVE.lasting, abs=0.1)
    assert np.all(np.diff(again.spread) >= -1e-9), "it does not fall with the lead time"
    assert np.array_equal(simulate(outcome, BEGINS, CURVE, 1).forecasts, captured.forecasts, equal_nan=True), (
        "the same seed"
    )
    assert not np.array_equal(simulate(outcome, BEGINS, CURVE, 2).forecasts, captured.forecasts, equal_nan=True)


def test_the_best_reading_is_nearer_than_the_forecast(series: tuple[Captured, np.ndarray]) -> None:
    captured, outcome = series
    came = captured.outcomes(outcome, BEGINS)
    read = best_reading(captured, outcome, BEGINS).forecasts
    assert np.nanmean(np.abs(read - came)) < 0.75 * np.nanmean(np.abs(captured.forecasts - came))


def test_too_few_captures_measure_nothing() -> None:
    captured = Captured(np.arange(5) * 1800, np.ones((5, 97)))
    with pytest.raises(ValueError, match="5 captured forecasts have an outcome; at least 24 are needed"):
        measured(captured, np.ones(400), 0)


def test_lead_times_fall_into_classes_by_whole_hours() -> None:
    assert lead_class(np.array([0, 1, 2, 11, 12, 13, 84, 96])).tolist() == [0, 0, 1, 4, 5, 5, 12, 12]


@needs_recorded
def test_the_middle_of_the_band_is_never_worse_on_the_real_captures() -> None:
    """Two days of captures are no history: the forecast stands alone, and nobody claims more."""
    from benchmarks.replay import recorded_captures

    assert RECORDED_DIR is not None
    captured, outcome, begins = recorded_captures(RECORDED_DIR)
    assert len(captured.known_at) == 69
    day = int(captured.known_at[0]) // 86_400
    _, p50, _ = bands([captured], [outcome], begins, day, 4).apply(
        0, captured.known_at, captured.at, captured.forecasts
    )
    came = captured.outcomes(outcome, begins)
    assert np.nanmean(np.abs(p50 - came)) <= np.nanmean(np.abs(captured.forecasts - came))
