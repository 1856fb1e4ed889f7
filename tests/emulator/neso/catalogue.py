"""Packages, resources, and when each is published."""

import re
import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

BASE = "https://api.neso.energy"
_NAMESPACE = uuid.UUID("6f6a7c1e-3b0b-5a55-9d1b-8a6d0f3f1b11")


def derived_id(text: str) -> str:
    """An id of what has no id of its own here; the same in every process."""
    return str(uuid.uuid5(_NAMESPACE, text))


@dataclass(frozen=True)
class Daily:
    """Once a day at this time, UTC; from `until` on no more."""

    at: time
    until: datetime | None = None

    def latest(self, now: datetime) -> datetime:
        """The latest publication."""
        if self.until and now >= self.until:
            return self.until
        today = datetime.combine(now.date(), self.at, UTC)
        return today if today <= now else today - timedelta(days=1)


@dataclass(frozen=True)
class Once:
    """At this instant alone."""

    at: datetime

    def latest(self, now: datetime) -> datetime:
        """The publication, as if it had always been there."""
        return self.at


Schedule = Daily | Once


def daily(text: str, until: str | None = None) -> Daily:
    """Daily at "HH:MM:SS[.ffffff]"."""
    return Daily(time.fromisoformat(text), datetime.fromisoformat(until).replace(tzinfo=UTC) if until else None)


def once(text: str) -> Once:
    """At an ISO instant in UTC."""
    return Once(datetime.fromisoformat(text).replace(tzinfo=UTC))


@dataclass(frozen=True)
class Resource:
    """A file of a package. `modified` is what CKAN claims: "published", "stale" (weeks old) or "never" (null)."""

    id: str
    name: str
    schedule: Schedule
    filename: str = ""
    description: str = ""
    modified: str = "published"
    format: str = "CSV"
    appears: datetime | None = None
    """Before this the portal does not have it."""

    def exists(self, now: datetime) -> bool:
        """Whether the portal has it."""
        return self.appears is None or self.appears <= now

    @property
    def url_type(self) -> str:
        """A file that was uploaded, or a table without one."""
        return "upload" if self.filename else "datastore"

    def published(self, now: datetime) -> datetime:
        """When its rows last changed."""
        return self.schedule.latest(now)

    def last_modified(self, now: datetime) -> datetime | None:
        """What CKAN says of that."""
        if self.modified == "never":
            return None
        if self.modified == "stale":
            first = date(now.year, now.month, 1) - timedelta(days=10)
            return datetime.combine(first, time(12, 38, 33, 467657), UTC)
        return self.published(now)

    def filename_at(self, now: datetime) -> str:
        """The file's name; `{+1}` in it is the day after its publication."""
        day = self.published(now).date()
        return re.sub(r"\{\+(\d+)\}", lambda found: f"{day + timedelta(days=int(found[1])):%Y%m%d}", self.filename)


@dataclass(frozen=True)
class Package:
    """A dataset of the portal."""

    name: str
    id: str
    title: str
    organization: str
    notes: str
    tags: tuple[str, ...]
    frequency: str
    resources: tuple[Resource, ...] = field(default_factory=tuple)
