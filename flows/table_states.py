"""How each clean table stands: how full, how new, how much of it real."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg

from flows.session import Session
from pipelines.catalogue import DATASETS
from warehouse.database import Role

SNAPSHOTS = ("grid_zones", "compute_windows", "grid_snapshots", "offers")
"""Small tables, which get a row when something changed."""


@dataclass(frozen=True)
class TableState:
    """How a clean table stands."""

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
            feeds.setdefault(table, []).append(dataset.payload_table)
    with session.database.connect(role=Role.TRANSFORMER) as connection:
        return [_state(connection, table, payload_tables) for table, payload_tables in feeds.items()]


def _state(connection: psycopg.Connection, table: str, payload_tables: Sequence[str]) -> TableState:
    built = connection.execute(
        "select to_regclass(%s) is not null and to_regclass('intermediate.int_data_coverage__days') is not null",
        [f"public.{table}"],
    ).fetchone()
    if not (built and built[0]):
        return TableState(table, 0, 0, None, None)
    heard = " union all ".join(
        f"select max(fetched_at) as heard from staging.{payloads} where origin = 'live'" for payloads in payload_tables
    )
    if table in SNAPSHOTS:
        counts = f"select count(*), count(*) filter (where is_synthetic), max(fetched_at) from public.{table}"
    else:
        starts = "delivery_start" if table == "flexibility_prices" else "period_start"
        counts = (
            "select coalesce(sum(row_count), 0), coalesce(sum(row_count_synthetic), 0), "
            f"(select max({starts}) from public.{table}) "
            f"from intermediate.int_data_coverage__days where split_part(dataset, '/', 1) = '{table}'"
        )
    row = connection.execute(
        f"select counted.*, (select max(heard) from ({heard}) as answers) from ({counts}) as counted"
    ).fetchone()
    return TableState(table, int(row[0]), int(row[1]), row[2], row[3]) if row else TableState(table, 0, 0, None, None)
