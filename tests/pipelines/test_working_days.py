"""Working days of England, and the days of system prices that are read again because a settlement run changed them."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.elexon.system_prices import SYSTEM_PRICES
from pipelines.working_days import bank_holidays, is_working_day, next_working_day
from tests.emulator.elexon.working_days import HOLIDAYS
from warehouse.periods import settlement_day, settlement_days

DAY = timedelta(days=1)


@pytest.mark.parametrize("year", HOLIDAYS)
def test_bank_holidays_are_those_that_were_proclaimed(year: int) -> None:
    assert sorted(f"{day:%m-%d}" for day in bank_holidays(year)) == HOLIDAYS[year].split()


@given(st.dates(date(2016, 1, 1), date(2035, 12, 31)))
def test_the_next_working_day_is_the_first_one_within_a_week(day: date) -> None:
    following = next_working_day(day)
    assert is_working_day(following) and day < following <= day + 6 * DAY
    assert not any(is_working_day(day + n * DAY) for n in range(1, (following - day).days))


@given(st.dates(date(2024, 1, 10), date(2027, 12, 1)))
def test_a_price_is_read_again_after_the_run_of_the_next_working_day_and_for_weeks(day: date) -> None:
    runs = SYSTEM_PRICES.runs_again(day)
    rerun = next_working_day(day)
    assert [settlement_day(at) for at in runs[:2]] == [rerun, rerun + DAY]
    assert runs[1] == SYSTEM_PRICES.final_at(settlement_days(day, day).start)
    assert list(runs) == sorted(runs)
    assert runs[-1] - settlement_days(day, day).start >= 28 * DAY
    for half_hour in settlement_days(day, day).half_hours():
        # each period is calculated again a quarter of an hour later than its own end, days later
        assert half_hour + (rerun - day) + timedelta(minutes=45) < runs[1]


@given(st.dates(date(2024, 1, 1), date(2027, 12, 31)))
def test_a_price_is_settled_after_the_working_day_that_runs_it_again(day: date) -> None:
    for half_hour in settlement_days(day, day).half_hours():
        assert settlement_day(SYSTEM_PRICES.final_at(half_hour)) == next_working_day(day) + DAY
