"""A time is read with the day that is named for it, in front of it or behind it; never kept without that day."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.words.reading import read
from tests.service.words.test_reading import at

MORNING = datetime(2026, 11, 27, 7, 0, tzinfo=UTC)  # a Friday: 9am is still to come today
DAYS = [
    "today", "tonight", "tomorrow", "on Monday", "this Friday", "Sat", "on 1 December", "2 Dec 2026", "on December 3rd",
    "Tuesday 1 December", "29/11", "28/11/2026", "2026-11-30", "tomorrow morning", "on Monday evening",
]  # fmt: skip
BEFORE = [
    "before", "by", "until", "till", "done by", "finish before", "finished by", "ready at", "due", "due by", "ending at",
    "deadline", "deadline:", "at the latest by", "no later than", "must not run after", "must not finish later than",
]  # fmt: skip
AFTER = [
    "after", "from", "start after", "starting at", "start", "earliest", "earliest start at", "wait until", "hold off until",
    "not before", "do not run before", "must not start before", "don't run it until",
]  # fmt: skip
SPANS = ["between {} and {}", "from {} to {}", "between {}-{}"]
CLOCKS = ["9am", "18:00", "6.30pm", "noon", "10pm", "midnight", "9am UTC", "07:30 London time"]
JOINTS = [" ", ", ", ": ", " - ", "\n"]


def values(request: str) -> dict[str, Any]:
    return {field: value for field, (value, _) in read(request, MORNING, 60).found.items()}


@given(
    st.sampled_from(DAYS),
    st.sampled_from(BEFORE + AFTER),
    st.sampled_from(CLOCKS),
    st.sampled_from(JOINTS),
    st.sampled_from(["", "Train it ", "3 hours, ", "Render the film. "]),
)
def test_a_day_says_the_same_in_front_of_a_time_and_behind_it(
    day: str, preposition: str, clock: str, joint: str, head: str
) -> None:
    ahead = values(f"{head}{day}{joint}{preposition} {clock}")
    assert ahead == values(f"{head}{preposition} {clock} {day}")
    if set(ahead) & {"deadline", "earliest_start"}:
        assert not read(f"{head}{day}{joint}{preposition} {clock}", MORNING).unread


@given(
    st.sampled_from(DAYS),
    st.sampled_from(SPANS),
    st.sampled_from(CLOCKS[:5]),
    st.sampled_from(CLOCKS),
    st.sampled_from(JOINTS),
)
def test_a_day_says_the_same_in_front_of_a_window_and_behind_it(
    day: str, span: str, first: str, second: str, joint: str
) -> None:
    window = span.format(first, second)
    assert values(f"{day}{joint}{window}") == values(f"{window} {day}") == values(f"{window}, {day}")


@pytest.mark.parametrize(
    ("request_words", "expected"),
    [
        ("Train it tomorrow before 9am", {"deadline": at("2026-11-28 09:00")}),
        ("on Monday, by 6pm", {"deadline": at("2026-11-30 18:00")}),
        ("on Saturday after 10pm", {"earliest_start": at("2026-11-28 22:00")}),
        ("tomorrow between 8am and 11am", {"earliest_start": at("2026-11-28 08:00"), "deadline": at("2026-11-28 11:00")}),
        ("tomorrow not before 9am", {"earliest_start": at("2026-11-28 09:00")}),
        ("must not run tomorrow before 9am", {"earliest_start": at("2026-11-28 09:00")}),
        ("start on Monday after 9am", {"earliest_start": at("2026-11-30 09:00")}),
        ("finish tomorrow by 6pm", {"deadline": at("2026-11-28 18:00")}),
        ("Run tomorrow, finish before 9am", {"deadline": at("2026-11-28 09:00")}),
        (
            "on Monday after 10pm, on Tuesday before 6am",
            {"earliest_start": at("2026-11-30 22:00"), "deadline": at("2026-12-01 06:00")},
        ),
        # the other time is the one instant that fits
        ("tomorrow after 8am and before 11am", {"earliest_start": at("2026-11-28 08:00"), "deadline": at("2026-11-28 11:00")}),
        ("after 10pm tomorrow. By 6am", {"earliest_start": at("2026-11-28 22:00"), "deadline": at("2026-11-29 06:00")}),
        ("before 9am tomorrow, after 10pm", {"earliest_start": at("2026-11-27 22:00"), "deadline": at("2026-11-28 09:00")}),
    ],
)  # fmt: skip
def test_a_time_is_read_with_the_day_that_is_named_for_it(request_words: str, expected: dict[str, Any]) -> None:
    assert values(request_words) == expected
    assert read(request_words, MORNING).unread == ()


@pytest.mark.parametrize(
    ("request_words", "listed"),
    [
        ("Train it tomorrow, on time, before 9am", ["tomorrow", "before 9am"]),
        ("Train it tomorrow. It must end before 9am", ["tomorrow", "before 9am"]),
        ("next Friday before 9am", ["next Friday before 9am"]),
        ("this weekend before 9am", ["weekend", "before 9am"]),
        ("overnight before 9am", ["overnight", "before 9am"]),
        ("weekdays between 22:00 and 06:00", ["weekdays", "between 22:00 and 06:00"]),
        ("Monday or Tuesday before 9am", ["Monday or Tuesday before 9am"]),
        ("on Saturday and Sunday between 8am and 11am", ["Saturday and Sunday between 8am and 11am"]),
        ("Mon-Fri before 9am", ["Mon-Fri before 9am"]),
        ("before 9am the day after tomorrow", ["before 9am", "after tomorrow"]),
        ("before 9am on Christmas Day", ["before 9am", "Christmas Day"]),
        ("before 9am on the 28th", ["before 9am", "28th"]),
        ("before 9am in two days", ["before 9am", "in two days"]),
        ("on Monday before 9am tomorrow", ["on Monday before 9am tomorrow"]),
        ("before 9am today or tomorrow", ["before 9am today or tomorrow"]),
        ("by Monday, before 9am", ["by Monday", "before 9am"]),
        ("on Monday data before 9am", ["Monday", "before 9am"]),
        ("start tomorrow before 9am", ["start tomorrow before 9am"]),
        ("not on Monday before 9am", ["not on Monday before 9am"]),
        ("if tomorrow not before 9am", ["tomorrow not before 9am"]),
        ("on Monday between 10pm and 6am", ["on Monday between 10pm and 6am"]),
        ("between 8am and 11am tomorrow evening", ["between 8am and 11am tomorrow evening"]),
    ],
)
def test_a_time_whose_day_is_not_certain_is_listed_with_the_day(request_words: str, listed: list[str]) -> None:
    reading = read(request_words, MORNING)
    assert reading.found == {}
    for words in listed:
        assert any(words in unread for unread, _ in reading.unread), reading.unread


def test_a_start_that_may_be_of_two_days_is_listed_and_the_deadline_is_kept() -> None:
    reading = read("before 9am tomorrow, after 8am", MORNING)
    assert {field: value for field, (value, _) in reading.found.items()} == {"deadline": at("2026-11-28 09:00")}
    assert [words for words, _ in reading.unread] == ["after 8am"]


@given(st.sampled_from(DAYS), st.sampled_from(BEFORE), st.sampled_from(CLOCKS), st.integers(0, 23))
def test_a_day_apart_from_its_time_never_leaves_the_time_to_another_day(
    day: str, preposition: str, clock: str, hour: int
) -> None:
    now = MORNING.replace(hour=hour) + timedelta(minutes=1)
    found = read(f"Train it {day}, with care, {preposition} {clock}", now).found
    assert "deadline" not in found


@pytest.mark.parametrize("piece", ["on Monday ", "1 December or ", "before 9am, on ", "Mon-", "start on Monday, "])
def test_many_days_take_no_long_time(piece: str) -> None:
    begun = time.thread_time()
    read(piece * (2000 // len(piece)), MORNING, most_seconds=60)
    assert time.thread_time() - begun < 1
