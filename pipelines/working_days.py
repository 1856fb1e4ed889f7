"""Working days of England, on which Elexon runs its settlements: no weekends, no bank holidays."""

from datetime import date, timedelta
from functools import lru_cache

from dateutil.easter import easter  # type: ignore[import-untyped]

SATURDAY = 5
DAY = timedelta(days=1)


def is_working_day(day: date) -> bool:
    """Whether offices are open."""
    return day.weekday() < SATURDAY and day not in bank_holidays(day.year)


def next_working_day(day: date) -> date:
    """The first working day after a day."""
    after = day + DAY
    while not is_working_day(after):
        after += DAY
    return after


@lru_cache(maxsize=100)
def bank_holidays(year: int) -> frozenset[date]:
    """The regular bank holidays of England, moved to the next free weekday where they fall on a weekend."""
    sunday = easter(year)
    found = {
        sunday - 2 * DAY,
        sunday + DAY,
        _monday_from(date(year, 5, 1)),
        _monday_from(date(year, 5, 25)),
        _monday_from(date(year, 8, 25)),
    }
    for fixed in (date(year, 1, 1), date(year, 12, 25), date(year, 12, 26)):
        while fixed.weekday() >= SATURDAY or fixed in found:
            fixed += DAY
        found.add(fixed)
    return frozenset(found)


def _monday_from(day: date) -> date:
    """The first Monday on or after a day."""
    return day + timedelta(days=-day.weekday() % 7)
