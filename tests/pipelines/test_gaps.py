"""Which half-hours count as missing: holes, never a horizon."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipelines.catalogue import DATASETS
from pipelines.dataset import Dataset
from pipelines.gaps import missing_half_hours
from warehouse.periods import HALF_HOUR, Window, floor

NOW = datetime(2024, 6, 1, 12, 10, tzinfo=UTC)
WINDOW = Window(datetime(2024, 6, 1, tzinfo=UTC), datetime(2024, 6, 3, tzinfo=UTC))
ALL = list(WINDOW.half_hours())
NATIONAL, UPDATE, EVENTS = (
    DATASETS[slug] for slug in ("carbon_intensity__national", "neso__demand_update", "neso__dfs_utilisation")
)


def missing(given_: Collection[datetime], dataset: Dataset = NATIONAL, *, failed: bool = False) -> list[datetime]:
    return missing_half_hours(dataset, WINDOW, given_, now=NOW, failed=failed)


def test_nothing_given_is_all_missing() -> None:
    assert missing([]) == ALL


def test_a_shorter_horizon_is_no_hole() -> None:
    assert missing(ALL[:40]) == []


def test_a_future_without_a_single_half_hour_is_missing() -> None:
    past = [h for h in ALL if h <= NOW]
    assert missing(past) == [h for h in ALL if h > NOW]


@given(st.sets(st.sampled_from(ALL)))
def test_what_is_given_is_never_missing_and_the_past_always_is_filled(given_: set[datetime]) -> None:
    holes = set(missing(given_))
    assert not holes & given_
    assert {h for h in ALL if h + HALF_HOUR <= NOW} <= holes | given_


def test_what_lags_behind_the_clock_is_no_hole_and_what_is_older_is_one() -> None:
    last = NOW - timedelta(hours=3)
    assert missing([h for h in ALL if not last <= h <= NOW], UPDATE) == []
    assert missing([h for h in ALL if h != ALL[0]], NATIONAL) == ALL[:1]


def test_events_are_never_missing_unless_the_upstream_failed() -> None:
    assert missing([], EVENTS) == []
    assert missing([], EVENTS, failed=True) == [h for h in ALL if h < floor(NOW)]


def test_the_half_hour_in_progress_is_no_hole_of_a_forecast_that_never_has_it() -> None:
    this = floor(NOW)
    given_ = [h for h in ALL if h != this]
    assert missing(given_, DATASETS["elexon__demand_forecast"]) == []
    assert missing(given_, NATIONAL) == [this]
    assert this in missing([], DATASETS["elexon__demand_forecast"], failed=True)


def test_an_empty_answer_for_a_window_that_has_not_begun_is_no_data_yet() -> None:
    future = Window(floor(NOW) + HALF_HOUR, floor(NOW) + timedelta(hours=6))
    assert missing_half_hours(NATIONAL, future, [], now=NOW, failed=False) == []
    assert len(missing_half_hours(NATIONAL, future, [], now=NOW, failed=True)) == len(future)


def test_a_window_that_begins_now_and_is_answered_with_the_half_hour_before_it_has_no_data_yet() -> None:
    """As in the last half-hour of a year, where the request for the next is answered with what was published last."""
    generation, begun = DATASETS["carbon_intensity__generation"], Window(floor(NOW), floor(NOW) + timedelta(hours=48))
    assert missing_half_hours(generation, begun, [floor(NOW) - HALF_HOUR], now=NOW, failed=False) == []
