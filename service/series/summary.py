"""What there is of each series: first and last period, and how much is real. Counted anew after a minute."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any

import psycopg
import psycopg_pool
from psycopg.sql import SQL, Composed, Identifier

from service.series.asked import Asked
from service.series.catalogue import SERIES, Series
from service.series.query import columns_of
from service.tenancy import Connection, Pool, connected

KEPT_SECONDS = 60
AGAIN_SECONDS = 5
"""Until the next try, where the database could not be read"""
_COVERED = """
select dataset, sum(row_count)::float8 as rows, sum(row_count_synthetic)::float8 as synthetic
from data_coverage
group by dataset
"""


@dataclass
class Summaries:
    """The summary of every series, read by one request for all that come within a minute."""

    pool: Pool
    seconds: float = KEPT_SECONDS
    _kept: list[dict[str, Any]] = field(default_factory=list)
    _until: float = 0
    _reading: "asyncio.Task[list[dict[str, Any]]] | None" = None

    async def now(self) -> list[dict[str, Any]]:
        """A dict for each series, in the order of the catalogue. While the database is away: those that were read last."""
        if monotonic() < self._until:
            return self._kept
        if self._reading is None or self._reading.done():  # one reads, the others wait for what it reads
            self._reading = asyncio.create_task(self._read())
            self._reading.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._reading)

    async def _read(self) -> list[dict[str, Any]]:
        try:
            async with connected(self.pool) as connection:
                self._kept = await summaries(connection)
            self._until = monotonic() + self.seconds
        except (psycopg.OperationalError, psycopg_pool.PoolTimeout, TimeoutError):
            if not self._kept:
                raise
            self._until = monotonic() + min(self.seconds, AGAIN_SECONDS)
        return self._kept


async def summaries(connection: Connection) -> list[dict[str, Any]]:
    """Read them."""
    covered = {row["dataset"]: row for row in await (await connection.execute(_COVERED)).fetchall()}
    found = []
    for series in SERIES.values():
        parts = [row for name, row in covered.items() if series.dataset and name.split("/")[0] == series.dataset]
        parts = [covered[series.dataset]] if series.dataset in covered else parts
        rows = sum(row["rows"] for row in parts)
        first, last = await _span(connection, series)
        share = 1 - sum(row["synthetic"] for row in parts) / rows if rows else None
        found.append({**about(series), "first": first, "last": last, "real_share": share})
    return found


async def _span(connection: Connection, series: Series) -> tuple[datetime | None, datetime | None]:
    if not series.has_periods:
        return None, None
    row = await (await connection.execute(_bounds(series))).fetchone()
    return (row["first"], row["last"]) if row else (None, None)


def _bounds(series: Series) -> Composed:
    start = series.period[0]
    return SQL(f"select min({start}) as first, max({start}) as last from {{}} where {series.where}").format(
        Identifier(series.table)
    )


def about(series: Series) -> dict[str, Any]:
    """What a series is and what can be asked of it."""
    return {
        "name": series.name,
        "description": series.description,
        "unit": series.unit,
        "grain": series.grain,
        "columns": list(columns_of(Asked(series, None, None))),
        "takes_regions": series.has_regions,
        "takes_as_of": series.takes_as_of,
        "takes_horizon": series.takes_horizon,
        "resolutions": list(series.resolutions),
    }
