"""Half-hours, settlement days and windows. Every instant is an aware datetime in UTC.

A half-hour is named by its start. A settlement day is a calendar day of Europe/London: 46, 48 or 50 half-hours.
A window is half-open: [start, end).
"""

from collections.abc import Iterator
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


def piece_end(start: datetime, longest: timedelta, *, at_year_end: bool) -> datetime:
    """Where a window that begins at `start` must end at the latest.

    With `at_year_end` it also ends by 31 December 23:30 UTC: an upstream that files the last half-hour of a year under
    the next year gives it only to a request that begins there.
    """
    boundary = datetime(start.year, 12, 31, 23, 30, tzinfo=UTC)
    if start == boundary:
        boundary = boundary.replace(year=start.year + 1)
    return min(start + longest, boundary) if at_year_end else start + longest
