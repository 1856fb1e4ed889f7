"""The state of each clean table: how full, how new, how much of it real."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg

from flows.publication import heard_from
from flows.session import Session
from pipelines.catalogue import DATASETS
from pipelines.dataset import Dataset
from warehouse.database import Role
from warehouse.ledger import Fetch

ARRIVES = "fetched_at"
"""What gives the time of a row of a small table that gets one when something changed: its rows are not counted by day."""


@dataclass(frozen=True)
class TableState:
    """The state of a clean table."""

    table: str
    rows: int
    rows_synthetic: int
    newest_period: datetime | None
    last_real_answer: datetime | None

    @property
    def synthetic_pct(self) -> float:
        """How much of the table is synthetic."""
        return 100 * self.rows_synthetic / self.rows if self.rows else 0.0


def table_states(session: Session) -> list[TableState]:
    """The state of each clean table. Reads counts that dbt keeps by day, so its cost does not grow with history."""
    feeds: dict[str, list[str]] = {}
    for dataset in DATASETS.values():
        for table in dataset.clean_tables:
            feeds.setdefault(table, []).append(dataset.slug)
    counted = session.dbt.facts().counted_by_day()
    with session.database.connect(role=Role.TRANSFORMER) as connection:
        heard = heard_from(connection, list(DATASETS))
        return [
            _state(
                connection,
                table,
                counted.get(table),
                max((heard[slug] for slug in slugs if slug in heard), default=None),
            )
            for table, slugs in feeds.items()
        ]


def _state(connection: psycopg.Connection, table: str, starts: str | None, heard: datetime | None) -> TableState:
    built = connection.execute(
        "select to_regclass(%s) is not null and to_regclass('intermediate.int_data_coverage__days') is not null",
        [f"public.{table}"],
    ).fetchone()
    if not (built and built[0]):
        return TableState(table, 0, 0, None, heard)
    if starts is None:
        counts = f"select count(*), count(*) filter (where is_synthetic), max({ARRIVES}) from public.{table}"
    else:
        counts = (
            "select coalesce(sum(row_count), 0), coalesce(sum(row_count_synthetic), 0), "
            f"(select max({starts}) from public.{table}) "
            f"from intermediate.int_data_coverage__days where split_part(dataset, '/', 1) = '{table}'"
        )
    row = connection.execute(counts).fetchone()
    return TableState(table, int(row[0]), int(row[1]), row[2], heard) if row else TableState(table, 0, 0, None, heard)


def synthetic_now(session: Session, fetches: Sequence[Fetch]) -> dict[tuple[str, datetime, datetime], int]:
    """How many half-hours of each requested window are synthetic in the clean tables, by (dataset, start, end) of the window.

    Counted in the tables, because a synthetic payload is landed for a whole window and published only where nothing real is.
    """
    counts, counted = {}, session.dbt.facts().counted_by_day()
    with session.database.connect(role=Role.TRANSFORMER) as connection:
        for fetch in fetches:
            if fetch.half_hours_synthetic:
                window = (fetch.dataset, fetch.window_start, fetch.window_end)
                counts[window] = max(
                    _synthetic(connection, DATASETS[fetch.dataset], table, counted.get(table, ARRIVES), window)
                    for table in DATASETS[fetch.dataset].clean_tables
                )
    return counts


def _synthetic(
    connection: psycopg.Connection, dataset: Dataset, table: str, starts: str, window: tuple[str, datetime, datetime]
) -> int:
    built = connection.execute("select to_regclass(%s) is not null", [f"public.{table}"]).fetchone()
    if not (built and built[0]):
        return 0
    row = connection.execute(
        f"select count(distinct {starts}) from public.{table} as written where is_synthetic and {starts} >= %s and {starts} < %s "
        f"and exists (select 1 from staging.{dataset.payload_table} as payload where payload.payload_id = written.payload_id)",
        [window[1], window[2]],
    ).fetchone()
    return int(row[0]) if row else 0
