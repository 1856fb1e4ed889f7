"""Wishes and places that no field takes up are listed as not understood."""

import pytest

from service.words.reading import read
from tests.service.words.test_reading import FRIDAY


@pytest.mark.parametrize(
    "request_words",
    [
        "anywhere but London", "avoid London", "except Leeds", "outside Leeds", "Simulate London traffic", "before christmas",
        "after Easter", "by new year", "only when carbon is low", "when the wind blows", "only if it's windy",
        "as green as possible", "prefer cheap electricity", "minimise carbon", "avoid the peak", "avoid expensive hours",
        "anywhere but there",
        "unless electricity is expensive", "before the meeting", "outside office hours", "regions 1-5", "at the cheapest time",
        "avoid running it there", "Scotland",
    ],
)  # fmt: skip
def test_a_wish_or_place_that_no_field_takes_up_is_listed(request_words: str) -> None:
    reading = read(f"Train a model, {request_words}", FRIDAY)
    assert reading.found == {}
    assert reading.unread and all(why for _, why in reading.unread)
