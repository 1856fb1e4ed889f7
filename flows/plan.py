"""Which windows are still to be asked for, in the fewest requests that an upstream's limits allow."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from pipelines.dataset import Dataset
from pipelines.periods import HALF_HOUR, LONDON, Window, day_start, floor, piece_end
from warehouse.database import Database, Role

AHEAD = timedelta(hours=48)
DAYS_REREAD = 2
SETTLED_AFTER = timedelta(hours=48)
"""The upstreams revise a half-hour for a day and more after it has ended: what was fetched sooner is asked again."""


def refresh_windows(dataset: Dataset, now: datetime) -> Iterator[Window]:
    """The settlement days that may still be revised, and the 48 hours to come."""
    today = now.astimezone(LONDON).date()
    window = Window(day_start(today - timedelta(days=DAYS_REREAD)), floor(now) + AHEAD)
    return cover(window.half_hours(), dataset)


def missing(database: Database, dataset: Dataset, window: Window, *, force: bool) -> Iterator[Window]:
    """The windows of a dataset that are not there yet: not a real value in each series, fetched once it had settled."""
    there = set() if force else settled(database, dataset, window)
    return cover((h for h in window.half_hours() if h not in there), dataset)


def settled(database: Database, dataset: Dataset, window: Window) -> set[datetime]:
    """The half-hours that the clean tables hold for good."""
    statement = (
        "select period_start from public.{table} where period_start >= %(start)s and period_start < %(end)s "
        "and not is_synthetic and fetched_at >= period_end + %(settled_after)s "
        "group by period_start having count(*) >= %(series)s"
    )
    values = {"start": window.start, "end": window.end, "settled_after": SETTLED_AFTER, "series": dataset.series}
    found: list[set[datetime]] = []
    with database.connect(role=Role.TRANSFORMER) as connection:
        for table in dataset.clean_tables:
            there = connection.execute("select to_regclass(%s)", [f"public.{table}"]).fetchone()
            if there is None or there[0] is None:
                return set()
            found.append({row[0] for row in connection.execute(statement.format(table=table), values)})
    return set.intersection(*found)


def cover(half_hours: Iterable[datetime], dataset: Dataset) -> Iterator[Window]:
    """The fewest windows that hold all of these half-hours, none longer than the upstream allows.

    Each window begins at the first half-hour that no window holds yet and reaches as far as it may, which no other
    choice of windows can better.
    """
    start = last = end = None
    for half_hour in sorted(half_hours):
        if end is None or half_hour >= end:
            if start is not None and last is not None:
                yield Window(start, last + HALF_HOUR)
            start = half_hour
            end = piece_end(start, dataset.longest_window, at_year_end=dataset.splits_at_year_end)
        last = half_hour
    if start is not None and last is not None:
        yield Window(start, last + HALF_HOUR)


def has_unpublished(database: Database, datasets: Iterable[Dataset]) -> bool:
    """Whether payloads wait to be published, as a killed run leaves them."""
    with database.connect(role=Role.TRANSFORMER) as connection:
        ledger = connection.execute("select to_regclass('intermediate.published_payloads')").fetchone()
        for dataset in datasets:
            table = connection.execute("select to_regclass(%s)", [f"staging.{dataset.payload_table}"]).fetchone()
            if table is None or table[0] is None:
                continue
            if ledger is None or ledger[0] is None:
                return True
            waiting = connection.execute(
                f"select exists (select 1 from staging.{dataset.payload_table} as payload "
                "left join ops.payload_verdicts as verdict using (payload_id) "
                "where verdict.verdict is distinct from 'held' and (select count(*) from intermediate.published_payloads "
                "as published where published.payload_id = payload.payload_id and model_name = any(%s)) < %s)",
                [list(dataset.clean_tables), len(dataset.clean_tables)],
            ).fetchone()
            if waiting and waiting[0]:
                return True
    return False
