"""Spans and the chart: what always holds."""

import re
import unicodedata
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from energy import spans
from energy.chunks import Chunk
from energy.commands.chart import WIDEST, Point, draw
from energy.commands.printed import out, say
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("18h", 64800), ("90m", 5400), ("1d12h", 129600), ("1.5h", 5400), ("1h 30min", 5400), ("45s", 45)],
)
def test_lengths_of_time(text: str, seconds: int) -> None:
    assert spans.span(text) == timedelta(seconds=seconds)
    assert spans.deadline(text, NOW) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "18", "h", "18x", "1h-2", "-3h", "2026-03-29", "2026-03-29T10:00", "noon"])
def test_what_is_no_deadline_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        spans.deadline(text, NOW)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.timezones()))
def test_an_instant_is_read_as_any_service_spells_it(when: datetime) -> None:
    when = when.astimezone(UTC)  # an hour that a clock change skips is another instant there
    spelled = when.isoformat()
    assert spans.instant(spelled) == when and spans.instant(spelled.replace("+00:00", "Z")) == when


def test_parts_of_a_second_of_any_length_are_read() -> None:
    assert spans.instant("2026-11-27T09:00:00.5Z").microsecond == 500_000
    assert spans.instant("2026-11-27T09:00:00.123456789Z").microsecond == 123_456


@given(
    st.lists(st.none() | st.floats(0, 1000), min_size=1, max_size=400).filter(lambda found: any(v is not None for v in found)),
    st.integers(0, 399), st.integers(1, 336),
)  # fmt: skip
def test_a_chart_is_as_wide_as_it_may_be_and_shows_the_run(values: list[float | None], start: int, length: int) -> None:
    points = [Point(NOW + i * HALF_HOUR, value) for i, value in enumerate(values) if value is not None]
    first = points[0].starts_at
    curve, runs, hours, _ = draw(points, [Chunk(first + start * HALF_HOUR, first + (start + length) * HALF_HOUR)])
    assert 1 <= len(curve) <= WIDEST and len(runs) <= len(curve)
    assert re.fullmatch(" *=+", runs), "one run, without a gap"
    assert len(hours) <= WIDEST + 6


def test_a_chart_of_known_values() -> None:
    points = [Point(NOW + i * HALF_HOUR, value) for i, value in enumerate((100, 0, 50, 100)) if i != 2]
    curve, runs, _, scale = draw(points, [Chunk(NOW + HALF_HOUR, NOW + 3 * HALF_HOUR)], is_plain=True)
    assert (curve, runs, scale) == ("81 8", " ==", "0 to 100 gCO2/kWh; = is the run")
    assert draw([], [Chunk(NOW, NOW + HALF_HOUR)]) == []


@given(st.text())
def test_no_word_of_anybody_commands_a_terminal(words: str) -> None:
    with redirect_stdout(StringIO()) as results, redirect_stderr(StringIO()) as sentences:
        out(words)
        say(words)
    for written in (results.getvalue(), sentences.getvalue()):
        assert not [one for one in written if unicodedata.category(one) == "Cc" and one not in "\n\t"]
        assert not set(written) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
