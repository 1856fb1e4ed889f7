"""How a window is spelled, and what a refresh requests.

The API returns a half-hour if its END lies in [from, to], both included. A window [start, end) is therefore requested
as `from = start + 30 min, to = end`: exactly its half-hours, no leading extra row. The same form fetches the last
half-hour of a year, which `/generation` and `/regional` give only to a request that begins in the next year. A range whose ends
are equal is refused: a lone half-hour is requested with an end a minute later.
"""

from datetime import datetime, timedelta

from warehouse.periods import HALF_HOUR, Window, day_start, floor, iso, settlement_day

SOURCE = "carbon_intensity"
AHEAD = timedelta(hours=48)
LONGEST_RANGE = timedelta(days=13, hours=23, minutes=30)
"""From `from` to `to`: regional refuses 14 days, national 31; 14 days of regional are 4.4 MB of the gateway's 6."""
LONGEST_WINDOW = LONGEST_RANGE + HALF_HOUR
"""The half-hours of the longest range: one more, because those that end at `from` and at `to` are both in it."""
A_MINUTE = timedelta(minutes=1)


def days_to_refresh(now: datetime) -> Window:
    """The settlement days that may still be revised, and the 48 hours to come."""
    return Window(day_start(settlement_day(now) - timedelta(days=2)), floor(now) + AHEAD)


def span(window: Window) -> str:
    """A window as part of a path."""
    first, last = window.start + HALF_HOUR, window.end
    return f"{iso(first)}/{iso(last if last > first else last + A_MINUTE)}"
