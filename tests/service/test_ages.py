"""How old the data of an answer is, in figures and in words."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import ages
from service.ages import in_words
from service.outlook import is_fresh
from tests.placement.brute_force import START, outlook
from warehouse.counts import duration


def test_its_age_is_said_in_figures_and_in_words() -> None:
    grid = outlook([1.0] * 4)
    age_of_data = ages.of(grid, START + timedelta(minutes=12))
    assert age_of_data["age_seconds"] == 720 and age_of_data["known_at"] == START
    assert age_of_data["age_in_words"] == "12 minutes" and age_of_data["synthetic_age_seconds"] is None
    assert age_of_data["in_words"] == "Every value is real: the newest real forecast is 12 minutes old."
    assert in_words(60, 0.25).startswith("25.0 % of the values are synthetic; the newest real forecast is 1 minute old")
    assert in_words(60, 1.0).startswith("EVERY VALUE IS SYNTHETIC")
    assert "there is no real forecast" in in_words(None, 1.0)
    empty = ages.of(replace(grid, fetched_at=None, synthetic_share=None), START)
    assert empty["age_seconds"] is None and empty["in_words"].startswith("There is no forecast")


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.floats(0.001, 1))
def test_a_synthetic_value_never_makes_the_data_younger(real: int, synthetic: int, share: float) -> None:
    grid = replace(
        outlook([1.0] * 4), synthetic_fetched_at=START - timedelta(seconds=synthetic), synthetic_share=share,
        fetched_at=START - timedelta(seconds=real),
    )  # fmt: skip
    age_of_data = ages.of(grid, START)
    assert (age_of_data["age_seconds"], age_of_data["synthetic_age_seconds"]) == (real, synthetic)
    words = duration(timedelta(seconds=real))
    assert words in age_of_data["in_words"] and age_of_data["age_in_words"] == words


@pytest.mark.parametrize(("ahead", "fresh"), [(0, True), (-14, True), (-16, False), (1, False), (3600, False)])
def test_an_outlook_from_later_on_is_not_fresh(ahead: float, fresh: bool) -> None:
    now = START + timedelta(minutes=10)
    assert is_fresh(outlook([100.0] * 4, known_at=now + timedelta(seconds=ahead)), now, 15) is fresh
