"""Which half-hours each request is for, and how a range is spelled."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from warehouse.periods import HALF_HOUR, Window, day_start, floor, settlement_day

SOURCE = "elexon"
WEEK = timedelta(days=7)
"""The longest range of the market index, both ends counted; the forecasts document none and get the same."""
PUBLISHED_AFTER = timedelta(hours=2)
DAYS_REREAD = 2
FIRST = datetime(2016, 1, 1, tzinfo=UTC)


def recent(now: datetime) -> Window:
    """The last days up to now."""
    return Window(day_start(settlement_day(now) - timedelta(days=DAYS_REREAD)), floor(now) + HALF_HOUR)


def recent_days(now: datetime) -> Window:
    """The last days and today, whole."""
    today = settlement_day(now)
    return Window(day_start(today - timedelta(days=DAYS_REREAD)), day_start(today + timedelta(days=1)))


def today_and_tomorrow(now: datetime) -> Window:
    """What there are forecasts of."""
    today = settlement_day(now)
    return Window(day_start(today), day_start(today + timedelta(days=2)))


def between(window: Window, **more: str) -> str:
    """Both ends are included upstream: the last half-hour requested is the last that is meant."""
    return urlencode(
        {"from": f"{window.start:%Y-%m-%dT%H:%MZ}", "to": f"{window.end - HALF_HOUR:%Y-%m-%dT%H:%MZ}", **more}
    )


def days(window: Window) -> str:
    """A range of settlement days, both ends included."""
    last = settlement_day(window.end - HALF_HOUR)
    return urlencode({"settlementDateFrom": settlement_day(window.start), "settlementDateTo": last})
