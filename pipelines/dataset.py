"""What a source says of one of its datasets. Fetching, landing and planning know datasets through this alone."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import JsonValue

from pipelines.periods import Window


class BodyRejected(ValueError):
    """A body is not of the documented shape; the message is the reason that is kept with it."""


@dataclass(frozen=True)
class Contents:
    """Which half-hours a body of the right shape holds: every one that it names, and those that are complete."""

    named: frozenset[datetime]
    complete: frozenset[datetime]


@dataclass(frozen=True)
class Dataset:
    """A dataset of an upstream: how it is asked for, what its bodies look like, where its values end up."""

    source: str
    name: str
    clean_tables: tuple[str, ...]
    series: int  # values a half-hour: 1, or the number of regions
    earliest: datetime
    longest_window: timedelta
    splits_at_year_end: bool
    path: Callable[[Window], str]
    judge: Callable[[bytes], Contents]
    """Judges the shape of a body (BodyRejected) and tells which half-hours it holds."""
    synthesize: Callable[[Collection[datetime], datetime], JsonValue]
    """A body of the upstream's own shape for these half-hours, as it would look at an instant."""

    @property
    def slug(self) -> str:
        """`<source>__<dataset>`, the name in every room."""
        return f"{self.source}__{self.name}"

    @property
    def payload_table(self) -> str:
        """The table of schema `staging` that its payloads land in."""
        return f"{self.slug}_payloads"
