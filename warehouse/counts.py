"""Counts and lengths of time in words, for every room: one minute, two minutes."""

from datetime import datetime, timedelta


def count(number: int, noun: str, plural: str | None = None) -> str:
    """`1 minute`, `1,200 minutes`; for a noun whose plural does not end in s, say the plural."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def duration(span: timedelta) -> str:
    """A length of time in the largest unit that says enough: `1 minute`, `90 minutes`, `5 hours`, `3 days 1 hour`."""
    minutes = round(span.total_seconds() / 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 120:
        return count(minutes, "minute")
    hours = minutes // 60
    if hours < 48:
        return count(hours, "hour")
    return count(hours // 24, "day") + (f" {count(hours % 24, 'hour')}" if hours % 24 else "")


def ago(instant: datetime | None, now: datetime) -> str:
    """How long ago: `1 minute ago`, or `never`."""
    return "never" if instant is None else f"{duration(now - instant)} ago"
