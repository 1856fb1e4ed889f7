"""What a source says of one of its datasets. Fetching, landing and planning know datasets through this alone."""

import importlib
import pkgutil
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from pydantic import JsonValue

from pipelines.client import Response, UpstreamClient
from pipelines.pieces import Pieces
from warehouse.periods import HALF_HOUR, Window, settlement_day

REVISED_FOR = timedelta(hours=48)
"""How long after a half-hour most upstreams go on revising it."""


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
    parts: frozenset[tuple[str, datetime]] = frozenset()
    """What shows whether a file of other than half-hours is whole: each kind of row, with the time that it is there for."""

    @property
    def size(self) -> int:
        """How much it holds, to be compared with another body of the same file: rows that are there twice count once."""
        return len(self.complete) or self.rows

    @property
    def by_day(self) -> Mapping[date, int]:
        """How much it holds of each settlement day, to be compared with an answer for other days."""
        return Counter(map(settlement_day, self.complete or [at for _, at in self.parts]))

    def __or__(self, other: "Contents") -> "Contents":
        """Both pages of a response."""
        return Contents(
            self.named | other.named, self.complete | other.complete, self.rows + other.rows, self.parts | other.parts
        )


NOTHING = Contents(frozenset(), frozenset())


@dataclass(frozen=True)
class Earlier:
    """What an earlier answer held that was taken for whole."""

    window: Window
    size: int
    by_day: Mapping[date, int]


@dataclass(frozen=True)
class FetchRequest:
    """A request to an upstream for a window of a dataset."""

    client: UpstreamClient
    window: Window
    known_version: Callable[[], str | None] = lambda: None
    """The version of the last live payload of this dataset and window, for upstreams that report versions."""
    earlier: Callable[[], Earlier | None] = lambda: None
    """The last whole response for this window, or for one of the same length that reached the present as this does."""
    doubted_since: Callable[[], datetime | None] = lambda: None
    """When the first response since then came that was not taken for whole."""
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    """The instant of the run, by which files are chosen that roll with the calendar."""


@dataclass(frozen=True)
class FetchResult:
    """The responses to a request in their order, or the reason why nothing was fetched."""

    responses: Sequence[Response] = ()
    unchanged: str | None = None
    """Why nothing was fetched: the newest version has landed already, or the file does not exist yet."""
    note: str | None = None
    """What a person should know about how it was found."""
    params: dict[str, JsonValue] = field(default_factory=dict)


def fetches_path(path: Callable[[Window], str]) -> Callable[[FetchRequest], FetchResult]:
    """One GET of a path that the window determines."""
    return lambda request: FetchResult([request.client.get(path(request.window))])


@dataclass(frozen=True)
class Dataset:
    """A dataset of an upstream: how it is fetched, what its bodies look like, where its values end up.

    What its rows are in the clean tables is in its dbt source entry (`flows.dataset_facts`).
    """

    source: str
    name: str
    clean_tables: tuple[str, ...]
    pieces: Pieces
    fetch: Callable[[FetchRequest], FetchResult]
    validate: Callable[[bytes], Contents]
    """Which half-hours a body holds. Raises BodyRejected for a body of another shape."""
    synthesize: Callable[[Collection[datetime], datetime], JsonValue]
    """A body of the upstream's own shape for these half-hours, as it would look at an instant."""
    refreshes: Callable[[datetime], Window | None]
    """The window that a refresh fetches at an instant; None if other datasets are quicker."""
    earliest: Callable[[datetime], datetime]
    """The first half-hour that is available at an instant."""
    is_sparse: bool = False
    """True for events and whole-file forecasts: the response is complete, so no gaps are reported."""
    lag: timedelta = timedelta(0)
    """How far behind the clock its last half-hour may be without anything being missing."""
    horizon: timedelta = timedelta(0)
    """How far ahead of the clock its half-hours may be."""
    has_the_one_in_progress: bool = True
    """Whether responses hold the half-hour in progress; if not, that one is no gap."""
    may_ignore_the_window: bool = False
    """Whether the upstream may respond with its newest rows for any window: then they are accepted, and nothing is a gap."""
    is_snapshot: bool = False
    """Whether a body is the current state, for any window: then the same body for another window is the same payload."""
    final_at: Callable[[datetime], datetime] = lambda half_hour: half_hour + HALF_HOUR + REVISED_FOR
    """When a half-hour is no longer revised: a backfill fetches again what was fetched before that."""
    runs_again: Callable[[date], Sequence[datetime]] = lambda day: ()
    """When the upstream may have calculated a settlement day again: a refresh fetches it again once such an instant has passed."""
    lacks: Callable[[Contents, Window, datetime], str | None] = lambda contents, window, now: None
    """What shows at an instant that a response for a window is not whole, if something does."""
    serves_until: Callable[[datetime], datetime] | None = None
    """Up to where it certainly has its rows at an instant, if that is less than its horizon."""

    @property
    def slug(self) -> str:
        """`<source>__<dataset>`, the name in every room."""
        return f"{self.source}__{self.name}"

    @property
    def payload_table(self) -> str:
        """The table of schema `staging` that its payloads land in."""
        return f"{self.slug}_payloads"


def datasets_in(package: str) -> tuple[Dataset, ...]:
    """The datasets of a source's package, by name: each is the `Dataset` of the module that bears its name.

    A module beside `source` that is added to the package is therefore all that a new dataset needs here.
    """
    found = []
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        if module.name in ("source", "__main__"):  # they read this list
            continue
        for value in vars(importlib.import_module(f"{package}.{module.name}")).values():
            if isinstance(value, Dataset) and value.name == module.name:
                found.append(value)
    return tuple(found)
