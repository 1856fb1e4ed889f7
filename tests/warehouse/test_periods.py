"""Half-hours, settlement days, and the year's end."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.periods import (
    HALF_HOUR,
    Window,
    day_start,
    floor,
    from_settlement,
    iso,
    parse_iso,
    settlement_day,
    settlement_days,
    settlement_period,
)

INSTANTS = st.datetimes(datetime(2017, 1, 1), datetime(2030, 1, 1)).map(lambda d: d.replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("day", "half_hours"),
    [(date(2023, 3, 26), 46), (date(2023, 10, 29), 50), (date(2023, 6, 1), 48), (date(2024, 12, 31), 48)],
)
def test_settlement_days_have_46_48_or_50_half_hours(day: date, half_hours: int) -> None:
    assert len(settlement_days(day, day)) == half_hours


@given(st.dates(date(2001, 1, 1), date(2040, 1, 1)))
def test_settlement_days_follow_on_without_gap_or_overlap(day: date) -> None:
    assert settlement_days(day, day).end == settlement_days(day + timedelta(days=1), day + timedelta(days=1)).start
    assert len(settlement_days(day, day)) in (46, 48, 50)


@given(INSTANTS)
def test_floor_is_the_half_hour_that_holds_an_instant(instant: datetime) -> None:
    assert floor(instant) <= instant < floor(instant) + HALF_HOUR
    assert parse_iso(iso(floor(instant))) == floor(instant)


@given(INSTANTS)
def test_settlement_periods_count_elapsed_half_hours(instant: datetime) -> None:
    start = floor(instant)
    day, period = settlement_day(start), settlement_period(start)
    assert 1 <= period <= len(settlement_days(day, day))
    assert from_settlement(day, period) == start


@pytest.mark.parametrize(("day", "period"), [(date(2023, 3, 26), 47), (date(2023, 6, 1), 49), (date(2023, 6, 1), 0)])
def test_a_day_has_no_other_periods_than_its_own(day: date, period: int) -> None:
    with pytest.raises(ValueError, match="has no settlement period"):
        from_settlement(day, period)


@pytest.mark.parametrize(
    "text", ["2023-01-01T00:15Z", "2023-13-01T00:00Z", "2023-01-01 00:00", "2023-01-01T00:00:00Z", ""]
)
def test_what_is_no_half_hour_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_iso(text)


def test_a_window_must_be_aligned_and_forward() -> None:
    start = day_start(date(2024, 1, 1))
    for first, last in ((start, start), (start, start - HALF_HOUR), (start + timedelta(minutes=1), start + HALF_HOUR)):
        with pytest.raises(ValueError):
            Window(first, last)
