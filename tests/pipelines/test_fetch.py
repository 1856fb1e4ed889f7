"""Which half-hours count as missing: holes, never a horizon."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from pipelines.fetch import missing_half_hours
from pipelines.periods import HALF_HOUR, Window

NOW = datetime(2024, 6, 1, 12, 10, tzinfo=UTC)
WINDOW = Window(datetime(2024, 6, 1, tzinfo=UTC), datetime(2024, 6, 3, tzinfo=UTC))
ALL = list(WINDOW.half_hours())


def test_nothing_given_is_all_missing() -> None:
    assert missing_half_hours(WINDOW, [], now=NOW) == ALL


def test_a_shorter_horizon_is_no_hole() -> None:
    assert missing_half_hours(WINDOW, ALL[:40], now=NOW) == []


def test_a_future_without_a_single_half_hour_is_missing() -> None:
    past = [h for h in ALL if h <= NOW]
    assert missing_half_hours(WINDOW, past, now=NOW) == [h for h in ALL if h > NOW]


@given(st.sets(st.sampled_from(ALL)))
def test_what_is_given_is_never_missing_and_the_past_always_is_filled(given_: set[datetime]) -> None:
    missing = set(missing_half_hours(WINDOW, given_, now=NOW))
    assert not missing & given_
    assert {h for h in ALL if h + HALF_HOUR <= NOW} <= missing | given_
