"""Counts and ages in words."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.ages import describe
from warehouse.counts import ago, count, duration

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 requests"), (1, "1 request"), (2, "2 requests"), (1200, "1,200 requests")]
)
def test_one_is_not_many(number: int, words: str) -> None:
    assert count(number, "request") == words


def test_a_plural_of_its_own() -> None:
    assert [count(number, "entry", "entries") for number in (1, 2)] == ["1 entry", "2 entries"]


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=-5), "less than a minute"),
        (timedelta(seconds=29), "less than a minute"),
        (timedelta(seconds=40), "1 minute"),
        (timedelta(minutes=119), "119 minutes"),
        (timedelta(hours=2), "2 hours"),
        (timedelta(hours=47, minutes=59), "47 hours"),
        (timedelta(days=2), "2 days"),
        (timedelta(days=2, hours=5, minutes=59), "2 days 5 hours"),
        (timedelta(days=40), "40 days"),
    ],
)
def test_a_length_of_time_in_its_largest_unit(span: timedelta, words: str) -> None:
    assert duration(span) == words
    assert ago(NOW - span, NOW) == f"{words} ago"


def test_what_never_was() -> None:
    assert ago(None, NOW) == "never"


@given(st.integers(0, 10**7))
def test_the_service_and_the_flows_say_an_age_alike(seconds: int) -> None:
    state = describe(NOW, real=NOW - timedelta(seconds=seconds), synthetic=None, synthetic_share=0)
    assert state["age_in_words"] == duration(timedelta(seconds=seconds))
    assert f"{state['age_in_words']} ago" == ago(NOW - timedelta(seconds=seconds), NOW)
