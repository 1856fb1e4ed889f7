"""The clean checkpoint: what dbt built, over the half-hours that this run published. Nothing older is read again."""

from collections.abc import Sequence

import psycopg

from checkpoints.clean_tables import SharedKeys, expectations
from checkpoints.subjects import CleanTable
from checkpoints.suite import Suites
from warehouse.database import Database, Role
from warehouse.ledger import QualityResult, Run
from warehouse.relations import pending_rows


def validate(database: Database, run: Run, suites: Suites, table: CleanTable) -> list[QualityResult]:
    """Validate the half-hours of a table that the pending rows of its datasets cover."""
    spans = " union all ".join(
        f"select min(period_start), max(period_start) from {pending_rows(dataset)}" for dataset in table.datasets
    )
    with database.connect(role=Role.TRANSFORMER) as connection:
        span = connection.execute(f"select min(first), max(last) from ({spans}) as each (first, last)").fetchone()
        shared: SharedKeys = {dataset: _shared_key(connection, table, dataset) for dataset in table.datasets}
    if span is None or span[0] is None:
        return []
    first, last = span
    query = (
        f"select * from public.{table.name} where {table.starts} between '{first.isoformat()}' and '{last.isoformat()}'"
    )
    results = suites.run(checkpoint="clean", dataset=table.name, query=query, expectations=expectations(table, shared))
    run.record_quality(results)
    return results


def _shared_key(connection: psycopg.Connection, table: CleanTable, dataset: str) -> Sequence[str]:
    described = connection.execute(f"select * from {pending_rows(dataset)} limit 0").description or []
    return [name for name in table.key if name in {column.name for column in described}]
