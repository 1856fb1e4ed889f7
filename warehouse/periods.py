"""Half-hours, settlement days and windows. Every instant is an aware datetime in UTC.

A half-hour is named by its start. A settlement day is a calendar day of Europe/London: 46, 48 or 50 half-hours.
A window is half-open: [start, end).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

HALF_HOUR = timedelta(minutes=30)
HALF_HOUR_SECONDS = 1800
LONDON = ZoneInfo("Europe/London")
# ASCII digits and offsets that PostgreSQL reads as well; `datetime.fromisoformat` alone also accepts weeks and 16:00 hours
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?(Z|[+-](0[0-9]|1[0-5]):[0-5][0-9])?"
)
_MINUTE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}Z")


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
    if not _MINUTE.fullmatch(text):
        raise ValueError(f"{text!r} is not written as YYYY-MM-DDTHH:MMZ")
    instant = datetime.fromisoformat(text)
    if instant.minute % 30:
        raise ValueError(f"{text!r} is not on a half-hour")
    return instant


def parse_instant(text: str) -> datetime:
    """An instant in any of the ISO forms that SQL reads too; UTC if it names no offset. ValueError for anything else."""
    if not _INSTANT.fullmatch(text):
        raise ValueError(f"a timestamp cannot be read: {text!r}")
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def day_start(day: date) -> datetime:
    """The first instant of a settlement day, in UTC."""
    return datetime.combine(day, time(), tzinfo=LONDON).astimezone(UTC)


def settlement_days(first: date, last: date) -> Window:
    """The half-hours of the settlement days `first` to `last`, both included."""
    return Window(day_start(first), day_start(last + timedelta(days=1)))


def settlement_day(instant: datetime) -> date:
    """The settlement day that an instant falls on."""
    return instant.astimezone(LONDON).date()


def settlement_period(instant: datetime) -> int:
    """The settlement period, 1 to 46, 48 or 50, that begins at a half-hour."""
    return int((instant - day_start(settlement_day(instant))) / HALF_HOUR) + 1


def from_settlement(day: date, period: int) -> datetime:
    """The half-hour of a settlement day and period. ValueError for a period that the day does not have.

    Periods count elapsed half-hours since local midnight, so that the day of 46 skips no number and the day of 50
    repeats none.
    """
    start = day_start(day) + (period - 1) * HALF_HOUR
    if period < 1 or settlement_day(start) != day:
        raise ValueError(f"{day} has no settlement period {period}")
    return start
