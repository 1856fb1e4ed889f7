"""Rolling averages against the plainest computation of them: minute by minute."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.gsf.windows import HALF_HOUR, Point, average, lowest, rolling

BEGINS = datetime(2026, 3, 28, 22, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

values = st.lists(st.one_of(st.none(), st.integers(0, 900)), min_size=1, max_size=12)
offsets = st.integers(-60, 400)


def points_of(found: list[int | None]) -> list[Point]:
    return [Point(BEGINS + n * HALF_HOUR, HALF_HOUR, float(v)) for n, v in enumerate(found) if v is not None]


def by_minute(found: list[int | None], start: datetime, end: datetime) -> list[int | None]:
    """The value of each minute."""
    minutes = []
    while start < end:
        at = (start - BEGINS) // HALF_HOUR
        minutes.append(found[at] if 0 <= at < len(found) else None)
        start += MINUTE
    return minutes


@given(values, offsets, st.integers(1, 400))
def test_an_average_counts_each_minute_once(found: list[int | None], offset: int, length: int) -> None:
    start = BEGINS + offset * MINUTE
    computed = average(points_of(found), start, start + length * MINUTE)
    known = [value for value in by_minute(found, start, start + length * MINUTE) if value is not None]
    assert (computed is None) == (not known)
    if computed:
        assert computed[0] == pytest.approx(sum(known) / len(known)) and computed[1] == pytest.approx(
            len(known) / length
        )


@given(values, offsets, st.integers(1, 400), st.integers(1, 200))
def test_windows_lie_within_the_bounds_and_none_holds_a_gap(
    found: list[int | None], offset: int, length: int, window: int
) -> None:
    start, end = BEGINS + offset * MINUTE, BEGINS + (offset + length) * MINUTE
    computed = rolling(points_of(found), start, end, window * MINUTE)
    inside = [point for point in points_of(found) if point.end > start and point.start < end]
    expected = []
    begins = max(start, inside[0].start) if inside else end
    while begins + window * MINUTE <= end:
        minutes = by_minute(found, begins, begins + window * MINUTE)
        if None not in minutes:
            expected.append((begins, sum(v for v in minutes if v is not None) / window))
        begins += HALF_HOUR
    assert [point.start for point in computed] == [begin for begin, _ in expected]
    assert [point.value for point in computed] == pytest.approx([mean for _, mean in expected])
    assert all(point.duration == window * MINUTE for point in computed)


@given(values)
def test_the_optimal_points_are_all_those_with_the_least_value(found: list[int | None]) -> None:
    points = points_of(found)
    assert lowest(points) == [point for point in points if point.value == min(p.value for p in points)]
