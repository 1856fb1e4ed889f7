"""Which windows are still to be asked for, in the fewest requests that an upstream's limits allow."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

import psycopg

from pipelines.collect import Request
from pipelines.dataset import Dataset
from pipelines.periods import HALF_HOUR, Window, floor
from warehouse.database import Database, Role
from warehouse.ledger import Fetch

SETTLED_AFTER = timedelta(hours=48)
"""The upstreams revise what they gave for a day and more: a window that was fetched sooner is asked for again."""


def refresh_windows(dataset: Dataset, now: datetime) -> Iterator[Window]:
    """What a refresh asks of a dataset; nothing of one that other datasets are quicker than."""
    window = dataset.refreshes(now)
    return dataset.pieces.cover(window.half_hours()) if window else iter(())


def backfill_requests(
    database: Database, datasets: Sequence[Dataset], asked: Window, now: datetime, *, force: bool
) -> list[Request]:
    """What a backfill of a window asks for: what each dataset can have of it and that is not there yet."""
    reaches = {dataset: window for dataset in datasets if (window := reach(dataset, asked, now))}
    served = {dataset.slug: window for dataset in reaches if (window := _served(dataset, reaches[dataset], now))}
    return [
        Request(dataset, piece, even_if_known=force)
        for dataset, window in reaches.items()
        for piece in missing(
            database, dataset, window, force=force, served=[served[slug] for slug in dataset.after if slug in served]
        )
    ]


def missing(
    database: Database, dataset: Dataset, window: Window, *, force: bool, served: Iterable[Window] = ()
) -> Iterator[Window]:
    """The windows of a dataset that are not there yet: not a real value in each series, fetched once it had settled.

    What datasets that are better placed can serve is left to them.
    """
    there = set() if force else settled(database, dataset, window)
    for other in served:
        there.update(other.half_hours())
    return dataset.pieces.cover(h for h in window.half_hours() if h not in there)


def reach(dataset: Dataset, asked: Window, now: datetime) -> Window | None:
    """The part of a window that the dataset can have at an instant."""
    first, last = max(asked.start, dataset.earliest(now)), min(asked.end, floor(now - dataset.lag))
    return Window(first, last) if first < last else None


def stand_in_requests(
    database: Database, datasets: Sequence[Dataset], fetches: Iterable[Fetch], now: datetime
) -> list[Request]:
    """What the second source of the same quantity is asked for where the first did not give all that it should have.

    A backfill leaves to the better placed dataset what that can have. Where that failed or left holes, those that come `after` it
    are asked for the window.
    """
    short: dict[str, list[Window]] = {}
    for fetch in fetches:
        if fetch.half_hours_synthetic or fetch.outcome in ("failed", "rejected"):
            short.setdefault(fetch.dataset, []).append(Window(fetch.window_start, fetch.window_end))
    requests = []
    for dataset in datasets:
        half_hours = {
            half_hour
            for slug in dataset.after
            for window in short.get(slug, ())
            if (part := reach(dataset, window, now))
            for half_hour in part.half_hours()
        }
        if half_hours:
            there = settled(database, dataset, Window(min(half_hours), max(half_hours) + HALF_HOUR))
            requests += [Request(dataset, piece) for piece in dataset.pieces.cover(half_hours - there)]
    return requests


def _served(dataset: Dataset, window: Window, now: datetime) -> Window | None:
    """The part of its window that a dataset has for certain, so that no other need be asked for it."""
    last = min(window.end, floor(dataset.serves_until(now))) if dataset.serves_until else window.end
    return Window(window.start, last) if window.start < last else None


def settled(database: Database, dataset: Dataset, window: Window) -> set[datetime]:
    """The half-hours that are there for good: real, and fetched once the upstream no longer revises them."""
    with database.connect(role=Role.TRANSFORMER) as connection:
        if dataset.settled_in == ():
            return _asked_for_good(connection, dataset, window)
        tables = dataset.settled_in or dataset.clean_tables
        return set.intersection(*(_there_for_good(connection, dataset, table, window) for table in tables))


def _there_for_good(connection: psycopg.Connection, dataset: Dataset, table: str, window: Window) -> set[datetime]:
    if not _exists(connection, f"public.{table}"):
        return set()
    rows = connection.execute(
        f"select period_start, min(fetched_at) from public.{table} where period_start >= %(start)s and period_start < %(end)s "
        f"and not is_synthetic and {dataset.rows} group by period_start having count(*) >= %(series)s",
        {"start": window.start, "end": window.end, "series": dataset.series},
    )
    return {half_hour for half_hour, fetched_at in rows if fetched_at >= dataset.settles(half_hour)}


def _asked_for_good(connection: psycopg.Connection, dataset: Dataset, window: Window) -> set[datetime]:
    """The half-hours of windows that were answered; of events nobody can tell by the rows whether one is missing."""
    if not _exists(connection, f"staging.{dataset.payload_table}"):
        return set()
    answered = connection.execute(
        "select greatest(window_start, %(start)s), least(window_end, %(end)s, fetched_at - %(settled_after)s) "
        f"from staging.{dataset.payload_table} where origin = 'live' and window_start < %(end)s and window_end > %(start)s",
        {"start": window.start, "end": window.end, "settled_after": SETTLED_AFTER},
    )
    return {
        half_hour
        for first, last in answered
        if floor(first) < floor(last)
        for half_hour in Window(floor(first), floor(last)).half_hours()
    }


def _exists(connection: psycopg.Connection, relation: str) -> bool:
    row = connection.execute("select to_regclass(%s) is not null", [relation]).fetchone()
    return bool(row and row[0])
