"""Settlement days and periods: half-hours of the London day, 46 or 50 of them when the clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
HALF_HOUR = timedelta(minutes=30)
DAY = timedelta(days=1)
FIRST = datetime(2016, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=10_000)
def half_hours(day: date) -> tuple[datetime, ...]:
    """The starts of the half-hours of a settlement day, in UTC."""
    start, end = midnight(day), midnight(day + DAY)
    return tuple(start + n * HALF_HOUR for n in range((end - start) // HALF_HOUR))


@lru_cache(maxsize=100_000)
def settled(start: datetime) -> tuple[date, int]:
    """The settlement day and period of the half-hour that starts here."""
    day = start.astimezone(LONDON).date()
    return day, (start - midnight(day)) // HALF_HOUR + 1


@lru_cache(maxsize=10_000)
def midnight(day: date) -> datetime:
    """When a settlement day begins, in UTC."""
    return datetime.combine(day, time(), LONDON).astimezone(UTC)


def between(first: datetime, last: datetime) -> list[datetime]:
    """The half-hours that start in [first, last]."""
    start = ceiling(max(first, FIRST))
    return [start + n * HALF_HOUR for n in range((last - start) // HALF_HOUR + 1)] if last >= start else []


def ceiling(instant: datetime) -> datetime:
    """The first half-hour that does not start before this."""
    floor = instant.replace(minute=instant.minute - instant.minute % 30, second=0, microsecond=0)
    return floor if floor == instant else floor + HALF_HOUR


def iso(instant: datetime) -> str:
    """As the upstream writes it."""
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
