"""Which windows are still to be requested, in the fewest requests that an upstream's limits allow."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import psycopg

from flows.dataset_facts import dataset_facts
from pipelines.catalogue import DATASETS
from pipelines.collect import Request
from pipelines.dataset import REVISED_FOR, Dataset
from pipelines.remembered import IS_WHOLE, NOT_HELD, SEEN_AT
from warehouse.database import Database, Role, has_relation
from warehouse.ledger import Fetch
from warehouse.periods import HALF_HOUR, Window, floor


def refresh_windows(dataset: Dataset, now: datetime) -> Iterator[Window]:
    """What a refresh asks of a dataset; nothing of one that other datasets are quicker than."""
    window = dataset.refreshes(now)
    return dataset.pieces.cover(window.half_hours()) if window else iter(())


def backfill_requests(
    database: Database, datasets: Sequence[Dataset], asked: Window, now: datetime, *, force: bool
) -> list[Request]:
    """What a backfill requests of a window: what each dataset can provide and the database does not have yet."""
    reaches = {dataset: window for dataset in datasets if (window := reach(dataset, asked, now))}
    served = {dataset.slug: window for dataset in reaches if (window := _served(dataset, reaches[dataset], now))}
    return [
        Request(dataset, piece, even_if_known=force)
        for dataset, window in reaches.items()
        for piece in missing(
            database,
            dataset,
            window,
            force=force,
            served=[served[slug] for slug in dataset_facts()[dataset.slug].defers_to if slug in served],
        )
    ]


def missing(
    database: Database, dataset: Dataset, window: Window, *, force: bool, served: Iterable[Window] = ()
) -> Iterator[Window]:
    """The windows of a dataset that are incomplete: some value is missing, synthetic, or was fetched before it was final.

    What a dataset it defers to can provide is skipped.
    """
    there = set() if force else complete(database, dataset, window)
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
    """Requests to the second source of a quantity for what the first should have given and did not.

    A run fetches from the dataset that takes precedence what that can provide. Whatever came of that, the datasets that
    defer to it are fetched for the half-hours that it should have, if they are not real afterwards.
    """
    fetched: dict[str, list[Window]] = {}
    for fetch in fetches:
        fetched.setdefault(fetch.dataset, []).append(Window(fetch.window_start, fetch.window_end))
    requests = []
    for dataset in datasets:
        half_hours = {
            half_hour
            for slug in dataset_facts()[dataset.slug].defers_to
            for window in fetched.get(slug, ())
            if (given := reach(DATASETS[slug], window, now)) and (part := reach(dataset, given, now))
            for half_hour in part.half_hours()
        }
        half_hours -= {half_hour for window in fetched.get(dataset.slug, ()) for half_hour in window.half_hours()}
        if half_hours:
            there = _real(database, dataset, Window(min(half_hours), max(half_hours) + HALF_HOUR))
            requests += [Request(dataset, piece) for piece in dataset.pieces.cover(half_hours - there)]
    return requests


def _real(database: Database, dataset: Dataset, window: Window) -> set[datetime]:
    """The half-hours that are real in the first clean table of a dataset, whoever gave them."""
    table, facts = dataset.clean_tables[0], dataset_facts()[dataset.slug]
    with database.connect(role=Role.TRANSFORMER) as connection:
        if not has_relation(connection, f"public.{table}"):
            return set()
        rows = connection.execute(
            f"select distinct period_start from public.{table} where period_start >= %s and period_start < %s "
            f"and not is_synthetic and {facts.own_rows}",
            [window.start, window.end],
        )
        return {half_hour for (half_hour,) in rows}


def _served(dataset: Dataset, window: Window, now: datetime) -> Window | None:
    """The part of its window that a dataset has for certain, so that no other need be fetched for it."""
    last = min(window.end, floor(dataset.serves_until(now))) if dataset.serves_until else window.end
    return Window(window.start, last) if window.start < last else None


def complete(database: Database, dataset: Dataset, window: Window) -> set[datetime]:
    """The half-hours that are complete: real, and fetched once the upstream no longer revises them."""
    facts = dataset_facts()[dataset.slug]
    with database.connect(role=Role.TRANSFORMER) as connection:
        if facts.complete_in == ():
            return _fetched_when_final(connection, dataset, window)
        tables = facts.complete_in or dataset.clean_tables
        return set.intersection(*(_complete_in_table(connection, dataset, table, window) for table in tables))


def _complete_in_table(connection: psycopg.Connection, dataset: Dataset, table: str, window: Window) -> set[datetime]:
    if not has_relation(connection, f"public.{table}", f"staging.{dataset.payload_table}"):
        return set()
    facts = dataset_facts()[dataset.slug]
    rows = connection.execute(
        f"select period_start, min(coalesce({SEEN_AT}, written.fetched_at)) from public.{table} as written "
        f"left join staging.{dataset.payload_table} as payload on written.payload_id = payload.payload_id "
        "where period_start >= %(start)s and period_start < %(end)s "
        f"and not is_synthetic and {facts.own_rows} group by period_start having count(*) >= %(values)s",
        {"start": window.start, "end": window.end, "values": facts.values_per_half_hour},
    )
    return {half_hour for half_hour, fetched_at in rows if fetched_at >= dataset.final_at(half_hour)}


def _fetched_when_final(connection: psycopg.Connection, dataset: Dataset, window: Window) -> set[datetime]:
    """The half-hours of windows that got a whole response: the rows of events do not show whether one is missing."""
    if not has_relation(connection, f"staging.{dataset.payload_table}"):
        return set()
    answered = connection.execute(
        f"select greatest(window_start, %(start)s), least(window_end, %(end)s, {SEEN_AT} - %(revised_for)s) "
        f"from staging.{dataset.payload_table} as payload "
        f"where origin = 'live' and {NOT_HELD} and window_start < %(end)s and window_end > %(start)s "
        f"and {IS_WHOLE}",
        {"start": window.start, "end": window.end, "revised_for": REVISED_FOR},
    )
    return {
        half_hour
        for first, last in answered
        if floor(first) < floor(last)
        for half_hour in Window(floor(first), floor(last)).half_hours()
    }
