"""How a range of half-hours is cut into requests: where one may begin, and how far it may reach.

The upstreams differ: some take any window up to a length, some only whole settlement days, some have a file a year.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from warehouse.periods import HALF_HOUR, LONDON, Window, day_start


@dataclass(frozen=True)
class Pieces:
    """`begins(h)` is where a request for half-hour `h` begins, `reaches(begin)` how far it may go, `ends(last)` where it
    ends if `last` is the last half-hour wanted of it."""

    begins: Callable[[datetime], datetime]
    reaches: Callable[[datetime], datetime]
    ends: Callable[[datetime], datetime]

    def cover(self, half_hours: Iterable[datetime]) -> Iterator[Window]:
        """The fewest windows that hold all of these half-hours.

        Each begins at the first half-hour that no window holds yet and reaches as far as it may, which no other choice
        of windows can better.
        """
        start = last = limit = None
        for half_hour in sorted(half_hours):
            if limit is None or half_hour >= limit:
                if start is not None and last is not None:
                    yield Window(start, self.ends(last))
                start = self.begins(half_hour)
                limit = self.reaches(start)
            last = half_hour
        if start is not None and last is not None:
            yield Window(start, self.ends(last))


def half_hours(longest: timedelta, *, never_over: Callable[[datetime], datetime] | None = None) -> Pieces:
    """Any window up to a length; with `never_over(begin)` none that goes over an instant of the upstream's own."""

    def reaches(begin: datetime) -> datetime:
        return min(begin + longest, never_over(begin)) if never_over else begin + longest

    return Pieces(begins=lambda h: h, reaches=reaches, ends=lambda last: last + HALF_HOUR)


def settlement_days(most: int) -> Pieces:
    """Whole settlement days, up to `most` of them."""
    return Pieces(
        begins=lambda h: day_start(_day(h)),
        reaches=lambda begin: day_start(_day(begin) + timedelta(days=most)),
        ends=lambda last: day_start(_day(last) + timedelta(days=1)),
    )


def utc_days(most: int) -> Pieces:
    """Whole days of UTC, up to `most` of them."""
    return Pieces(
        begins=_midnight,
        reaches=lambda begin: begin + timedelta(days=most),
        ends=lambda last: _midnight(last) + timedelta(days=1),
    )


def settlement_years() -> Pieces:
    """One settlement year, whole."""
    return Pieces(begins=_year_start, reaches=_year_end, ends=_year_end)


def next_last_half_hour_of_a_year(begin: datetime) -> datetime:
    """The next 31 December 23:30 UTC: an upstream that files the last half-hour of a year under the next year gives it
    only to a request that begins there."""
    boundary = datetime(begin.year, 12, 31, 23, 30, tzinfo=UTC)
    return boundary if begin < boundary else boundary.replace(year=begin.year + 1)


def next_auction_year(begin: datetime) -> datetime:
    """The next 31 March 23:00 of London, when the EFA day of 1 April begins: the seam between two files of auction results."""
    seam = _auction_year_start(begin.year)
    return seam if begin < seam else _auction_year_start(begin.year + 1)


def auction_year(instant: datetime) -> int:
    """The year in which the financial year of an auction's delivery began, by EFA days."""
    return instant.year if instant >= _auction_year_start(instant.year) else instant.year - 1


def _auction_year_start(year: int) -> datetime:
    return day_start(date(year, 4, 1)) - timedelta(hours=1)


def _day(instant: datetime) -> date:
    return instant.astimezone(LONDON).date()


def _midnight(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _year_start(instant: datetime) -> datetime:
    return day_start(date(_day(instant).year, 1, 1))


def _year_end(instant: datetime) -> datetime:
    return day_start(date(_day(instant).year + 1, 1, 1))
