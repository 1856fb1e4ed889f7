"""What a source says of one of its datasets. Fetching, landing and planning know datasets through this alone."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue

from pipelines.client import Answer, UpstreamClient
from pipelines.periods import Window
from pipelines.pieces import Pieces


class BodyRejected(ValueError):
    """A body is not of the documented shape; the message is the reason that is kept with it."""


class NoDataYet(BodyRejected):
    """A body holds only half-hours before a window that has not begun: what some upstreams answer for the future."""


@dataclass(frozen=True)
class Contents:
    """Which half-hours a body of the right shape holds: every one that it names, and those that are complete."""

    named: frozenset[datetime]
    complete: frozenset[datetime]
    rows: int = 0
    """How many rows it has, for bodies that name no half-hours."""

    @property
    def size(self) -> int:
        """How much it holds, to be compared with another body of the same file: rows that are there twice count once."""
        return len(self.complete) or self.rows


@dataclass(frozen=True)
class Asking:
    """A question to an upstream: for a window, by somebody who may have its newest version already."""

    client: UpstreamClient
    window: Window
    known_version: Callable[[], str | None] = lambda: None
    """The version of the last live payload of this dataset and window, for upstreams that tell versions."""
    known_size: Callable[[], int | None] = lambda: None
    """How much the last answer that had a version held (`Contents.size`)."""
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    """The instant of the run, by which files are chosen that roll with the calendar."""


@dataclass(frozen=True)
class Answered:
    """What an upstream answered: bodies in their order, or the word that nothing has changed."""

    answers: Sequence[Answer] = ()
    unchanged: str | None = None
    """Why nothing was asked for: the version that is there is the newest, or the file does not exist yet."""
    note: str | None = None
    """What a person should know of how it was found."""
    params: dict[str, JsonValue] = field(default_factory=dict)


def asks_path(path: Callable[[Window], str]) -> Callable[[Asking], Answered]:
    """One GET of a path that the window determines."""
    return lambda asking: Answered([asking.client.get(path(asking.window))])


@dataclass(frozen=True)
class Dataset:
    """A dataset of an upstream: how it is asked for, what its bodies look like, where its values end up."""

    source: str
    name: str
    clean_tables: tuple[str, ...]
    pieces: Pieces
    ask: Callable[[Asking], Answered]
    judge: Callable[[bytes], Contents]
    """Judges the shape of a body (BodyRejected) and tells which half-hours it holds."""
    synthesize: Callable[[Collection[datetime], datetime], JsonValue]
    """A body of the upstream's own shape for these half-hours, as it would look at an instant."""
    refreshes: Callable[[datetime], Window | None]
    """What a refresh asks for at an instant."""
    earliest: Callable[[datetime], datetime]
    """The first half-hour that can be asked for at an instant."""
    series: int = 1
    """Values a half-hour: 1, or the number of regions."""
    rows: str = "true"
    """Which rows of its clean tables are its own, as SQL."""
    settled_in: tuple[str, ...] | None = None
    """The clean tables that tell which half-hours are there for good: all of them if None; if empty, the payloads do."""
    is_sparse: bool = False
    """Whether what it gives is all there is, as of events and of forecasts that a file holds whole: none is then missing."""
    lag: timedelta = timedelta(0)
    """How far behind the clock its last half-hour may be without anything being missing."""
    horizon: timedelta = timedelta(0)
    """How far ahead of the clock it may speak of half-hours."""
    has_the_one_in_progress: bool = True
    """Whether its answers hold the half-hour in progress; if not, that one is no hole."""
    may_ignore_the_window: bool = False
    """Whether its upstream may answer with its newest, whatever was asked for: then that is taken, and nothing is a hole."""
    is_snapshot: bool = False
    """Whether a body is the state of now, whatever the window: then the window makes no other payload of it."""
    settles: Callable[[datetime], datetime] = lambda half_hour: half_hour + timedelta(hours=48, minutes=30)
    """When a half-hour was revised for the last time that matters: a backfill asks again for what was fetched sooner."""
    after: tuple[str, ...] = ()
    """Datasets that are better placed: a backfill of both asks this one only for what they cannot have."""
    serves_until: Callable[[datetime], datetime] | None = None
    """Up to where it has its rows for certain at an instant, if that is less than it can be asked for."""

    @property
    def slug(self) -> str:
        """`<source>__<dataset>`, the name in every room."""
        return f"{self.source}__{self.name}"

    @property
    def payload_table(self) -> str:
        """The table of schema `staging` that its payloads land in."""
        return f"{self.slug}_payloads"
