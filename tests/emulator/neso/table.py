"""What a table of the datastore is filled with, and the half-hours of a British day."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
HALF_HOUR = timedelta(minutes=30)
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Table:
    """Columns with their PostgreSQL types, and rows in the order of the file; None is null."""

    columns: dict[str, str]
    rows: Iterable[Sequence[object]]


def noise(of: str, size: int) -> bytes:
    """Bytes that every process gives for the same text."""
    digest = hashlib.blake2b(of.encode(), digest_size=min(size, 64)).digest()
    return digest if size <= 64 else (digest + noise(f"{of}+", size - 64))


@lru_cache(maxsize=4_000)
def midnight(day: date) -> datetime:
    """The instant, in UTC, at which a day begins in London."""
    return datetime.combine(day, time(), LONDON).astimezone(UTC)


def periods(day: date) -> int:
    """How many settlement periods a day has: 48, or 46 or 50 when the clocks change."""
    return (midnight(day + ONE_DAY) - midnight(day)) // HALF_HOUR


def starts(day: date) -> list[datetime]:
    """The instants, in UTC, at which its settlement periods begin."""
    return [midnight(day) + HALF_HOUR * period for period in range(periods(day))]


@lru_cache(maxsize=8)
def _clock(count: int) -> tuple[int, ...]:
    changes = {46: ((0, 2), (4, 48)), 50: ((0, 4), (2, 48))}.get(count, ((0, 48),))
    return tuple(half_hour for first, last in changes for half_hour in range(first, last))


def clock(day: date) -> tuple[int, ...]:
    """Half-hours since 00:00 that the clock shows at the start of each settlement period."""
    return _clock(periods(day))


def days(first: date, last: date) -> Iterable[date]:
    """Each day from the first to the last, both included."""
    return (first + ONE_DAY * count for count in range((last - first).days + 1))
