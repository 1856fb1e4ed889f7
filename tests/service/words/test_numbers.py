"""Numbers in words are read whole: never the end of a longer number."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.words.numbers import _ONES, _TEENS, _TENS, NUMBER, number
from service.words.reading import read
from tests.service.words.test_reading import FRIDAY

SMALL = {value: word for word, value in {**_ONES, **_TEENS, **_TENS}.items()}


def in_words(value: int, joint: str = " ", conjunction: str = " and ") -> str:
    """As it is said in English."""
    if value in SMALL:
        return SMALL[value]
    if value < 100:
        return f"{SMALL[value // 10 * 10]}{joint}{SMALL[value % 10]}"
    size, name = (100, "hundred") if value < 1000 else (1000, "thousand")
    rest = f"{conjunction}{in_words(value % size, joint, conjunction)}" if value % size else ""
    return f"{in_words(value // size, joint, conjunction)} {name}{rest}"


@given(st.integers(1, 99_999), st.sampled_from(["-", " "]), st.sampled_from([" and ", " "]))
def test_a_number_in_words_is_that_number(value: int, joint: str, conjunction: str) -> None:
    words = in_words(value, joint, conjunction)
    assert re.fullmatch(NUMBER, words) and number(words) == value


@given(st.integers(1, 9_999), st.sampled_from(["-", " "]))
def test_sizes_in_words_say_what_they_say_in_digits(value: int, joint: str) -> None:
    for request in ("for {} minutes", "draws {} watts", "on {} H100s", "using {} kWh"):
        said, written = (read(request.format(each), FRIDAY, 60).found for each in (in_words(value, joint), f"{value}"))
        assert {field: value for field, (value, _) in said.items()} == {
            field: value for field, (value, _) in written.items()
        }
        assert said


@pytest.mark.parametrize(
    ("request_words", "listed"),
    [
        ("two million watts", "watts"), ("for two million hours", "hours"), ("three dozen H100s", "H100s"),
        ("three million and six hours", "hours"), ("half a kilowatt", "kilowatt"), ("several kilowatts", "several kilowatts"),
        ("a few hundred watts", "hundred watts"), ("in megawatts", "megawatts"), ("3 hundred watts", "watts"),
        ("two or three kilowatts", "two or three kilowatts"), ("twelve gigawatts", "twelve gigawatts"),
    ],
)  # fmt: skip
def test_a_size_that_is_not_read_whole_is_listed(request_words: str, listed: str) -> None:
    reading = read(request_words, FRIDAY)
    assert reading.found == {}
    assert any(listed in words for words, _ in reading.unread), reading.unread
