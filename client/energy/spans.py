"""Lengths of time and instants, as people write them and as the service sends them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

_UNITS = {"w": 7 * 86400, "d": 86400, "h": 3600, "m": 60, "min": 60, "s": 1}
_SPAN = re.compile(r"(?:\d+(?:\.\d+)?\s*(?:w|d|h|min|m|s)\s*)+")
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(w|d|h|min|m|s)")
_FRACTION = re.compile(r"\.(\d+)")


def span(text: str) -> timedelta:
    """`18h`, `90m`, `1d12h`, `1h 30min`. Raises ValueError."""
    if not _SPAN.fullmatch(text.strip()):
        raise ValueError(f"{text!r} is not a length of time; write 18h, 90m or 1d12h")
    return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text)))


def instant(text: str) -> datetime:
    """An instant with its zone, in UTC, such as 2026-11-27T09:00:00Z. Raises ValueError."""
    padded = _FRACTION.sub(lambda found: "." + found[1][:6].ljust(6, "0"), text.strip())
    try:
        found = datetime.fromisoformat(re.sub("[zZ]$", "+00:00", padded))
    except ValueError:
        raise ValueError(f"{text!r} is not a date and time; write 2026-11-27T09:00:00Z") from None
    if found.tzinfo is None:
        raise ValueError(f"{text!r} has no zone; write 2026-11-27T09:00:00Z")
    return found.astimezone(timezone.utc)


def deadline(text: str | timedelta | datetime, now: datetime) -> datetime:
    """A deadline: so long from now, or an instant. Raises ValueError."""
    if isinstance(text, timedelta):
        return now + text
    if isinstance(text, datetime):
        if text.tzinfo is None:
            raise ValueError("the deadline has no zone; give it one, such as tzinfo=timezone.utc")
        return text.astimezone(timezone.utc)
    if "-" in text or ":" in text:
        return instant(text)
    return now + span(text)


def local(when: datetime, now: datetime) -> str:
    """An instant in this machine's time: `02:30`, with the day unless it is today's."""
    there, here = when.astimezone(), now.astimezone()
    return f"{there:%H:%M}" if there.date() == here.date() else f"{there:%a %d %b %H:%M}"
