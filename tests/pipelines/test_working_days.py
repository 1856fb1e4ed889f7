"""Working days of England, and the days of system prices that are read again because a settlement run changed them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.elexon.datasets import DAYS_REREAD, SYSTEM_PRICES
from pipelines.periods import LONDON, settlement_day, settlement_days
from pipelines.working_days import bank_holidays, is_working_day, next_working_day

DAY = timedelta(days=1)
# as the government publishes them
HOLIDAYS = {
    2024: "01-01 03-29 04-01 05-06 05-27 08-26 12-25 12-26",
    2025: "01-01 04-18 04-21 05-05 05-26 08-25 12-25 12-26",
    2026: "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28",
    2027: "01-01 03-26 03-29 05-03 05-31 08-30 12-27 12-28",
}


@pytest.mark.parametrize("year", HOLIDAYS)
def test_bank_holidays_are_those_that_were_proclaimed(year: int) -> None:
    assert sorted(f"{day:%m-%d}" for day in bank_holidays(year)) == HOLIDAYS[year].split()


@given(st.dates(date(2016, 1, 1), date(2035, 12, 31)))
def test_the_next_working_day_is_the_first_one_within_a_week(day: date) -> None:
    following = next_working_day(day)
    assert is_working_day(following) and day < following <= day + 6 * DAY
    assert not any(is_working_day(day + n * DAY) for n in range(1, (following - day).days))


def read_at(day: date, hour: int, minute: int) -> set[date]:
    window = SYSTEM_PRICES.refreshes(
        datetime(day.year, day.month, day.day, hour, minute, tzinfo=LONDON).astimezone(UTC)
    )
    assert window is not None
    return {settlement_day(half_hour) for half_hour in window.half_hours()}


@given(st.dates(date(2024, 1, 10), date(2027, 12, 1)))
def test_every_price_is_read_again_on_the_day_of_its_run_and_on_the_day_after(day: date) -> None:
    rerun = next_working_day(day)
    for reading in (rerun, rerun + DAY):
        assert day in read_at(reading, 18, 47)
    assert len(read_at(reading, 12, 17)) == DAYS_REREAD + 1, "the other refreshes of the day stay cheap"


def test_easter_is_read_again_after_easter() -> None:
    wanted = {date(2026, 4, 2) + n * DAY for n in range(6)}  # Thursday to Easter Tuesday
    assert read_at(date(2026, 4, 7), 18, 47) == wanted
    assert len(read_at(date(2026, 4, 12), 18, 47)) == 36, "on Sundays five weeks, for later runs"


@given(st.dates(date(2024, 1, 1), date(2027, 12, 31)))
def test_a_price_is_settled_after_the_working_day_that_runs_it_again(day: date) -> None:
    for half_hour in settlement_days(day, day).half_hours():
        assert settlement_day(SYSTEM_PRICES.settles(half_hour)) == next_working_day(day) + DAY
