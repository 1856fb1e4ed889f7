"""Half-hours, settlement days and windows. Every instant is an aware datetime in UTC.

A half-hour is named by its start. A settlement day is a calendar day of Europe/London: 46, 48 or 50 half-hours.
A window is half-open: [start, end).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

HALF_HOUR = timedelta(minutes=30)
LONDON = ZoneInfo("Europe/London")


@dataclass(frozen=True, order=True)
class Window:
    """The half-hours from `start` up to, not including, `end`."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for instant in (self.start, self.end):
            if instant.tzinfo is None or floor(instant) != instant:
                raise ValueError(f"{instant!r} is not an aware instant on a half-hour")
        if self.end <= self.start:
            raise ValueError(f"a window must end after it starts, unlike {self.start} .. {self.end}")

    def __str__(self) -> str:
        return f"{iso(self.start)}/{iso(self.end)}"

    def half_hours(self) -> Iterator[datetime]:
        """Each half-hour's start, ascending."""
        instant = self.start
        while instant < self.end:
            yield instant
            instant += HALF_HOUR

    def __len__(self) -> int:
        return int((self.end - self.start) / HALF_HOUR)


def floor(instant: datetime) -> datetime:
    """The start of the half-hour that holds `instant`, in UTC."""
    utc = instant.astimezone(UTC)
    return utc.replace(minute=utc.minute - utc.minute % 30, second=0, microsecond=0)


def iso(instant: datetime) -> str:
    """`YYYY-MM-DDTHH:MMZ`, as the Carbon Intensity API writes it."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")


def parse_iso(text: str) -> datetime:
    """An instant from `YYYY-MM-DDTHH:MMZ`; ValueError for anything else, and for what is not on a half-hour."""
    instant = datetime.strptime(text, "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)
    if instant.minute % 30:
        raise ValueError(f"{text!r} is not on a half-hour")
    return instant


def day_start(day: date) -> datetime:
    """The first instant of a settlement day, in UTC."""
    return datetime.combine(day, time(), tzinfo=LONDON).astimezone(UTC)


def settlement_days(first: date, last: date) -> Window:
    """The half-hours of the settlement days `first` to `last`, both included."""
    return Window(day_start(first), day_start(last + timedelta(days=1)))


def runs(half_hours: Iterable[datetime]) -> Iterator[Window]:
    """The half-hours as the fewest windows without a gap, ascending."""
    start = previous = None
    for instant in sorted(set(half_hours)):
        if previous is not None and instant - previous != HALF_HOUR:
            assert start is not None
            yield Window(start, previous + HALF_HOUR)
            start = instant
        start = start or instant
        previous = instant
    if start is not None and previous is not None:
        yield Window(start, previous + HALF_HOUR)


def split(window: Window, longest: timedelta, *, at_year_end: bool = False) -> Iterator[Window]:
    """The window in the fewest pieces of at most `longest`.

    With `at_year_end` a piece also ends before 31 December 23:30 UTC: an upstream that files the last half-hour of a
    year under the next year gives it only to a request that begins there.
    """
    start = window.start
    while start < window.end:
        end = min(start + longest, window.end)
        if at_year_end:
            boundary = _year_end(start)
            if start < boundary < end:
                end = boundary
        yield Window(start, end)
        start = end


def _year_end(instant: datetime) -> datetime:
    """The next 31 December 23:30 UTC after `instant`."""
    boundary = datetime(instant.year, 12, 31, 23, 30, tzinfo=UTC)
    return boundary if instant < boundary else boundary.replace(year=instant.year + 1)
