"""The fewest windows: always all of the half-hours, never a window that the upstream would refuse."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from flows.plan import cover, refresh_windows
from pipelines.catalogue import DATASETS
from pipelines.periods import HALF_HOUR

START = datetime(2023, 12, 20, tzinfo=UTC)
HALF_HOURS = st.sets(st.integers(0, 48 * 40), max_size=60).map(lambda ns: {START + n * HALF_HOUR for n in ns})


@given(HALF_HOURS, st.sampled_from(list(DATASETS.values())))
def test_windows_hold_every_half_hour_and_keep_the_limits(half_hours: set[datetime], dataset) -> None:
    windows = list(cover(half_hours, dataset))
    held = [h for w in windows for h in w.half_hours()]
    assert half_hours <= set(held)
    assert len(held) == len(set(held)), "no half-hour is asked for twice"
    for window in windows:
        assert window.end - window.start <= dataset.longest_window
        assert {window.start, window.end - HALF_HOUR} <= half_hours, "no window is longer than it need be"
        if dataset.splits_at_year_end:
            boundary = datetime(2023, 12, 31, 23, 30, tzinfo=UTC)
            assert not window.start < boundary < window.end


@given(HALF_HOURS)
def test_no_fewer_windows_would_do(half_hours: set[datetime]) -> None:
    dataset = DATASETS["carbon_intensity__national"]
    # half-hours that are each too far from the one before to share a window need a window each
    apart, last = 0, None
    for half_hour in sorted(half_hours):
        if last is None or half_hour - last >= dataset.longest_window:
            apart, last = apart + 1, half_hour
    assert len(list(cover(half_hours, dataset))) == apart


def test_a_year_of_regions_takes_27_requests_and_one_for_the_year_end() -> None:
    dataset = DATASETS["carbon_intensity__regional"]
    year = [datetime(2024, 1, 1, tzinfo=UTC) + n * HALF_HOUR for n in range(366 * 48)]
    assert len(list(cover(year, dataset))) == 28
    assert len(list(cover(year[:-1], dataset))) == 27


def test_a_refresh_asks_once_for_the_last_days_and_the_next_48_hours() -> None:
    now = datetime(2024, 6, 12, 9, 41, tzinfo=UTC)
    for dataset in DATASETS.values():
        (window,) = refresh_windows(dataset, now)
        assert window.start == datetime(2024, 6, 9, 23, tzinfo=UTC), (
            "whole settlement days, which begin at 23:00Z in summer"
        )
        assert window.end == datetime(2024, 6, 14, 9, 30, tzinfo=UTC)
        assert now - window.start > timedelta(hours=24)
