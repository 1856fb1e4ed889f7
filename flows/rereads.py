"""Which windows a refresh requests again because their upstream may have calculated them anew since they were last fetched.

It goes by what is stored, not by the clock of the refresh: a run that was skipped, or a laptop that was off, loses nothing.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from flows.plan import refresh_windows
from pipelines.collect import Request
from pipelines.dataset import Dataset
from pipelines.remembered import IS_WHOLE, NOT_HELD, OF_HALF_HOURS, SEEN_AT
from warehouse.database import Database, Role, has_relation
from warehouse.periods import Window, settlement_day

LOOKS_BACK = timedelta(days=45)
"""Longer than the runs of any dataset; what was last fetched before is left to a backfill."""


def refresh_requests(database: Database, datasets: Sequence[Dataset], now: datetime) -> list[Request]:
    """What a refresh requests: what is new, and what may have been calculated again."""
    requests = []
    for dataset in datasets:
        windows = list(refresh_windows(dataset, now))
        again = (window for window in _calculated_again(database, dataset, now) if window not in windows)
        requests += [Request(dataset, window) for window in (*windows, *again)]
    return requests


def _calculated_again(database: Database, dataset: Dataset, now: datetime) -> Iterator[Window]:
    for window, seen_at in _seen(database, dataset, now):
        runs = [run for run in dataset.runs_again(settlement_day(window.start)) if run <= now]
        if runs and (seen_at is None or seen_at < max(runs)):
            yield window


def _seen(database: Database, dataset: Dataset, now: datetime) -> list[tuple[Window, datetime | None]]:
    """The windows of the last weeks that got an answer, and when they last got a whole one, if they ever did."""
    if not dataset.runs_again(settlement_day(now)):
        return []
    with database.connect(role=Role.LOADER) as connection:
        if not has_relation(connection, f"staging.{dataset.payload_table}"):
            return []
        rows = connection.execute(
            f"select window_start, window_end, max({SEEN_AT}) filter (where {IS_WHOLE}) "
            f"from staging.{dataset.payload_table} as payload "
            f"where origin = 'live' and window_start >= %s and {OF_HALF_HOURS} and {NOT_HELD} group by 1, 2 order by 1, 2",
            [now - LOOKS_BACK],
        ).fetchall()
    return [(Window(start, end), seen_at) for start, end, seen_at in rows]
