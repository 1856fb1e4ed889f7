"""The time zone that a page is written in: the reader's own, Great Britain's unless the address names another one."""

from datetime import datetime, timedelta, tzinfo
from functools import cache
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from fastapi import Depends, Query

from service.problems import Problem

LONDON = "Europe/London"
UTC = "UTC"


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


class Clock:
    """Instants as a reader's clock shows them."""

    def __init__(self, name: str = LONDON):
        self.name = name
        self.zone: tzinfo = ZoneInfo(name)

    @property
    def words(self) -> str:
        """What the times of a page are in, for a person."""
        return {LONDON: "UK time", UTC: "UTC"}.get(self.name, f"the time of {self.name}")

    def local(self, instant: datetime) -> datetime:
        """The same instant on this clock."""
        return instant.astimezone(self.zone)

    def time(self, instant: datetime) -> str:
        """`14:30`; with the letters of the zone where the clock shows it twice that day."""
        local = self.local(instant)
        is_twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
        return f"{local:%H:%M} {local:%Z}" if is_twice else f"{local:%H:%M}"

    def moment(self, instant: datetime) -> str:
        """`Thu 14:30`."""
        return f"{self.local(instant):%a} {self.time(instant)}"

    def full(self, instant: datetime) -> str:
        """`Thu 26 Nov 2026, 14:30`."""
        local = self.local(instant)
        return f"{local:%a} {local.day} {local:%b %Y}, {self.time(instant)}"

    def relative(self, instant: datetime, now: datetime) -> str:
        """`02:30`, `02:30 tomorrow`, `02:30 on Saturday`, for a sentence that was written `now`."""
        days = (self.local(instant).date() - self.local(now).date()).days
        if days == 0:
            return self.time(instant)
        if days in (1, -1):
            return f"{self.time(instant)} {'tomorrow' if days == 1 else 'yesterday'}"
        local = self.local(instant)
        near = timedelta(0) < instant - now < timedelta(days=6)
        return f"{self.time(instant)} on {local:%A}" if near else f"{self.time(instant)} on {local.day} {local:%B %Y}"


async def _clock(
    tz: Annotated[
        str,
        Query(
            max_length=64, description="Time zone of all times on the page, by its IANA name.", examples=[LONDON, UTC]
        ),
    ] = LONDON,
) -> Clock:
    if tz not in _zones():
        raise Problem(422, "query.tz: is no time zone that is known here; such as Europe/London or UTC")
    return Clock(tz)


InZone = Annotated[Clock, Depends(_clock)]
