"""The spine and what lies on it: means over any stretch, how old it is, hours of windows, power that is taken."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from placement.outlook import Window
from placement.spine import Series
from placement.venues import NOTHING_TAKEN, Taken, Venue, of_operator, taken_of
from tests.placement import brute_force
from tests.placement.brute_force import HALF_HOUR, OPERATOR, START, outlook, peak, steps

GAPPY = st.lists(st.none() | st.integers(-500, 10_000), min_size=1, max_size=40)
HOUR = timedelta(hours=1)


@given(GAPPY, st.integers(-7200, 80_000), st.integers(1, 100_000))
def test_means_are_those_of_plain_arithmetic(values: list[int | None], start: int, seconds: int) -> None:
    mean = brute_force.mean(values, start, start + seconds)
    series = Series(np.array([values, [7] * len(values)], dtype=float))
    first, second = series.means(np.array([start / 1800]), seconds / 1800)[:, 0]
    assert np.isnan(first) == (mean is None)
    assert mean is None or first == pytest.approx(float(mean), abs=1e-6)
    assert np.isnan(second) == (start < 0 or start + seconds > 1800 * len(values)), (
        "a row knows nothing of another's gaps"
    )


def test_a_mean_that_touches_a_gap_for_a_second_is_unknown() -> None:
    series = Series(np.array([[100.0, np.nan, 300.0]]))
    starts = np.array([0, 1 / 1800, 1, 2 - 1 / 1800, 2])
    assert list(np.isnan(series.means(starts, 1.0)[0])) == [False, True, True, True, False]
    assert np.isnan(series.means(np.array([2.0]), 1 + 1 / 1800)).all(), "beyond the end"
    assert Series(np.empty((14, 0))).means(np.array([0.0]), 1.0).shape == (14, 1)


def test_the_mean_of_equal_values_is_that_value() -> None:
    for value in (85.23, 187.3, 200.0):
        series = Series(np.full((1, 96), value))
        for minutes in (1, 30, 37, 79, 90, 480, 1111):
            means = series.means(np.arange(40.0), minutes / 30)
            assert set(means[0]) == {value}, f"a cap of {value} is kept by {minutes} minutes of {value}"


def test_an_instant_has_its_position_on_the_spine() -> None:
    grid = outlook([1.0] * 4, known_at=START + timedelta(minutes=44, seconds=59))
    assert grid.first == (START + HALF_HOUR).timestamp() and grid.half_hours == 4
    assert grid.position(START + HALF_HOUR) == 0 and grid.position(START + timedelta(minutes=45)) == 0.5
    assert grid.position(START) == -1


def window(opens: str, closes: str, **more: Any) -> Window:
    begins, ends = time.fromisoformat(opens), time.fromisoformat(closes)
    return Window(
        **{
            "window_id": "w", "name": "w", "region_id": 3, "opens": begins, "closes": ends,
            "crosses_midnight": ends <= begins, "valid_from": None, "valid_until": None,
            "capacity_kw": 50.0, "price_gbp_mwh": None, **more,
        }
    )  # fmt: skip


def starts_in(this: Window, hours: float, count: int = 48) -> list[float]:
    """The hours of the first days at which a run may start."""
    place = Venue("w", "w", 3, 50.0, window=this)
    starts = np.arange(count, dtype=float)
    return [float(s) / 2 for s in starts[place.is_open(starts, hours * 2, outlook([1.0] * 96))]]


def test_a_run_lies_wholly_within_the_hours_of_its_window() -> None:
    assert starts_in(window("09:00", "12:00"), 2) == [9, 9.5, 10]
    assert starts_in(window("09:00", "12:00"), 3.01) == []
    assert starts_in(window("22:00", "02:00"), 3, 96) == [22, 22.5, 23, 46, 46.5, 47]
    assert starts_in(window("22:00", "02:00"), 1.5) == [0, 0.5, 22, 22.5, 23, 23.5], "the night before counts too"
    assert starts_in(window("18:00", "00:00"), 5.5) == [18, 18.5]


def test_a_run_lies_within_the_validity_of_its_window() -> None:
    valid = {"valid_from": START + 9.25 * HOUR, "valid_until": START + 11.5 * HOUR}
    assert starts_in(window("09:00", "12:00", **valid), 1) == [9.5, 10, 10.5]
    assert starts_in(window("09:00", "12:00", valid_until=START), 1) == []


def test_a_window_that_closes_when_it_opens_is_open_round_the_clock() -> None:
    for at in ("00:00", "22:00"):
        assert starts_in(window(at, at), 3) == [s / 2 for s in range(48)], "through the minute at which it opens too"
        assert starts_in(window(at, at, valid_until=START + 31 * HOUR), 30) == [0, 0.5, 1]


def test_a_place_without_a_window_is_always_open() -> None:
    assert Venue("a", "a", 1, 1.0).is_open(np.arange(5.0), 99.0, outlook([1.0])).all()


BOOKINGS = st.lists(st.tuples(st.integers(0, 300), st.integers(1, 200), st.integers(1, 9000)), min_size=1, max_size=8)


@given(BOOKINGS, st.integers(-10, 400), st.integers(1, 300))
def test_the_peak_is_the_most_that_is_taken_at_any_minute(
    booked: list[tuple[int, int, int]], start: int, length: int
) -> None:
    minute = timedelta(minutes=1)
    bookings = [(START + b * minute, START + (b + n) * minute, watts) for b, n, watts in booked]
    found = steps({"a": bookings})["a"].peaks(np.array([(START + start * minute).timestamp()]), 60.0 * length)
    by_minute = [sum(watts for b, n, watts in booked if b <= at < b + n) for at in range(start, start + length)]
    assert found[0] * 1000 == pytest.approx(max(by_minute), abs=1e-6)
    assert max(by_minute) == peak(bookings, START + start * minute, START + (start + length) * minute)


def test_one_may_begin_at_the_instant_at_which_another_ends() -> None:
    taken = Taken(np.array([1000.0, 2000.0]), np.array([5.0, 0.0]))
    assert list(taken.peaks(np.array([0.0, 1.0, 1999.0, 2000.0]), 1000.0)) == [0, 5, 5, 0]


def asset(number: int, **more: Any) -> dict[str, Any]:
    return {
        "asset_id": UUID(int=number), "name": f"rack {number}", "region_id": 13, "zone_id": None, "rated_power_kw": 5,
        "max_deferral_minutes": None, "carbon_cap_gco2_kwh": None, **more,
    }  # fmt: skip


def test_an_operator_with_assets_runs_on_them_alone() -> None:
    grid = outlook([1.0] * 4, windows=[window("09:00", "12:00")])
    limits = {"max_deferral_minutes": 0, "carbon_cap_gco2_kwh": 0}
    assets = [
        asset(1),
        asset(2, region_id=None, zone_id="zone", **limits),
        asset(3, region_id=None, zone_id="elsewhere"),
    ]
    first, second = of_operator(OPERATOR, assets, grid, region_capacity_kw=1000)
    assert (first.key, first.region_id, first.capacity_kw, first.max_deferral) == (
        f"asset:{UUID(int=1)}",
        13,
        5.0,
        None,
    )
    assert (second.region_id, second.max_deferral, second.carbon_cap_gco2_kwh) == (5, timedelta(), 0.0), "0 is a limit"


def test_an_operator_without_assets_has_the_windows_and_a_share_of_every_region() -> None:
    grid = outlook([1.0] * 4, windows=[window("09:00", "12:00")])
    only, *regions = of_operator(OPERATOR, [], grid, region_capacity_kw=1000)
    assert (only.key, only.region_id, only.capacity_kw) == ("window:w", 3, 50.0)
    assert [place.region_id for place in regions] == list(range(1, 15))
    assert {place.capacity_kw for place in regions} == {1000} and all(str(OPERATOR) in place.key for place in regions)


def test_the_spine_begins_with_the_half_hour_of_the_instant_at_which_it_is_known() -> None:
    grid = outlook([1.0], known_at=datetime(2026, 11, 23, 10, 30, tzinfo=UTC))
    assert grid.position(grid.known_at) == 0


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 20), st.integers(1, 9)), max_size=12))
def test_bookings_that_are_added_one_by_one_are_those_that_are_summed_up(bookings: list[tuple[int, int, int]]) -> None:
    taken, rows = NOTHING_TAKEN, []
    begins = datetime(2026, 11, 27, 10, 17, 0, 123457, tzinfo=UTC)
    for start, minutes, kw in bookings:
        bounds = [begins + timedelta(minutes=at) for at in (start, start + minutes)]
        taken = taken.plus(*bounds, kw)
        rows += [
            {"venue": "a", "instant": at.timestamp(), "change_kw": c} for at, c in zip(bounds, (kw, -kw), strict=True)
        ]
    starts = np.array([begins.timestamp() + 60 * minute for minute in range(-2, 65)])
    summed = taken_of(sorted(rows, key=lambda row: (row["instant"], row["change_kw"]))).get("a", NOTHING_TAKEN)
    assert taken.peaks(starts, 300.0).tolist() == summed.peaks(starts, 300.0).tolist()
    assert len(set(taken.instants.tolist())) == len(taken.instants) and not taken.power_kw[-1:].any()
