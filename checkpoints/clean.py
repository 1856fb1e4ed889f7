"""The clean checkpoint: what dbt built, over the half-hours that this run published. Nothing older is read again."""

from collections.abc import Iterable

from checkpoints.clean_tables import TABLES
from checkpoints.suite import Suites
from warehouse.database import Database, Role
from warehouse.ledger import QualityResult, Run


def fed_by(datasets: Iterable[str]) -> list[str]:
    """The clean tables that these datasets feed."""
    return [name for name, table in TABLES.items() if not table.datasets.keys().isdisjoint(datasets)]


def judge(database: Database, run: Run, suites: Suites, name: str) -> list[QualityResult]:
    """Judge the half-hours of a table that the last batches of its datasets spoke of."""
    table = TABLES[name]
    batches = " union all ".join(
        f"select min(period_start), max(period_start) from intermediate.int_{dataset}_batch"
        for dataset in table.datasets
    )
    with database.connect(role=Role.TRANSFORMER) as connection:
        span = connection.execute(f"select min(first), max(last) from ({batches}) as batch (first, last)").fetchone()
    if span is None or span[0] is None:
        return []
    first, last = span
    query = f"select * from public.{name} where {table.starts} between '{first.isoformat()}' and '{last.isoformat()}'"
    results = suites.run(checkpoint="clean", dataset=name, query=query, expectations=table.expectations)
    run.record_quality(results)
    return results
