"""What a piece of work needs: how long, by when, where, how much power."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

LONGEST = timedelta(days=7)


@dataclass(frozen=True)
class Job:
    """Work of a length that must have ended by a deadline. Raises ValueError if that cannot be."""

    words: str
    """what is run; sent to the service, so nothing secret"""
    length: timedelta
    submitted_at: datetime
    deadline: datetime
    earliest: datetime | None = None
    """not before this instant; None is now"""
    place: str | None = None
    """where it runs; None if it may run anywhere"""
    power_kw: float | None = None
    more: dict[str, Any] = field(default_factory=dict)
    """further fields of the service's `TaskRequest`"""

    def __post_init__(self) -> None:
        if not timedelta(minutes=1) <= self.length <= LONGEST:
            raise ValueError("a run takes a minute at least and seven days at most")
        if self.deadline < max(self.submitted_at, self.earliest or self.submitted_at) + self.length:
            raise ValueError("the deadline is before the soonest end; give a later one, or fewer hours")
        if self.power_kw is not None and not self.power_kw > 0:
            raise ValueError("the power must be more than 0 kW")

    @property
    def minutes(self) -> int:
        """Its length in whole minutes."""
        return max(1, round(self.length.total_seconds() / 60))

    @property
    def last_end(self) -> datetime:
        """The deadline for the service, which counts from its own now: a job without time to spare gets the seconds until then."""
        return max(self.deadline, self.submitted_at + timedelta(minutes=self.minutes, seconds=30))

    def body(self, region_ids: list[int] | None) -> dict[str, Any]:
        """What is sent to `POST /submit_task`."""
        found: dict[str, Any] = {
            "request": self.words,
            "duration_minutes": self.minutes,
            "deadline": self.last_end.isoformat(),
            "is_deferrable": True,
            **self.more,
        }
        if self.earliest is not None and self.earliest > self.submitted_at:
            found["earliest_start"] = self.earliest.isoformat()
        if region_ids:
            found["region_ids"] = region_ids
        if self.power_kw is not None:
            found["power_kw"] = self.power_kw
        return found
