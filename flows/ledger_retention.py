"""What is cut back of `ops`, of rejected bodies, and of what dlt notes of itself: whatever nothing is traced by any more.

Every delete is safe to repeat, and keeps what a read depends on: the run and verdict of each payload that is still there, and each
dataset's first window that was landed while it was new, from which on `data_coverage` expects every day.
"""

from datetime import datetime, timedelta

import psycopg

from flows.steps import step
from pipelines.catalogue import DATASETS
from warehouse.database import Database, Role, has_relation

NOTES_OF_DLT_KEPT = timedelta(days=7)
"""Longer than any landing takes."""
NOTES_OF_DLT = {"_dlt_loads": "inserted_at", "_dlt_version": "inserted_at", "_dlt_pipeline_state": "created_at"}
"""Table of dlt, in staging and in the schema of rows on their way there -> when its row was written."""

# Both as an index has them (migration 20261126_2303).
_OLD_FETCHES = """
delete from ops.fetches where outcome in ('landed', 'rejected') and fetched_at < %s and fetch_id not in (
    select distinct on (dataset) fetch_id from ops.fetches
    where outcome = 'landed' and fetched_at - window_end < interval '1 day'
    order by dataset, window_start, fetch_id
)
"""
_OLD_RUNS = """
delete from ops.runs as run where started_at < %s and status <> 'running'
    and not exists (select from ops.payload_verdicts as of_run where of_run.run_id = run.run_id)
    and not exists (select from ops.fetches as of_run where of_run.run_id = run.run_id)
    and not exists (select from ops.quality_results as of_run where of_run.run_id = run.run_id)
    and not exists (select from ops.portal_datasets as of_run where of_run.run_id = run.run_id)
    and not exists (select from ops.replay_decisions as of_run where of_run.run_id = run.run_id)
"""


@step("cut back the ledger")
def remove_entries(database: Database, *, results_before: datetime, fetches_before: datetime) -> dict[str, int]:
    """Quality results and requests that brought nothing of before one instant; other requests, and runs, of before another."""
    results = {
        "quality results": "delete from ops.quality_results where checked_at < %s",
        "requests that brought nothing new": "delete from ops.fetches where outcome in ('known', 'failed') and fetched_at < %s",
    }
    with database.connect(role=Role.LOADER) as connection:
        if has_relation(connection, "staging.rejected_payloads"):
            results["rejected bodies"] = "delete from staging.rejected_payloads where fetched_at < %s"
        removed = {
            what: connection.execute(statement, [results_before]).rowcount for what, statement in results.items()
        }
        removed["requests that landed or were rejected"] = connection.execute(_OLD_FETCHES, [fetches_before]).rowcount
        runs = _OLD_RUNS + "".join(_of_payloads(connection))
        return removed | {"runs": connection.execute(runs, [fetches_before]).rowcount}


def _of_payloads(connection: psycopg.Connection) -> list[str]:
    """Conditions that keep the run which landed a payload: payloads are dlt's, and name it without a foreign key."""
    tables = [f"staging.{dataset.payload_table}" for dataset in DATASETS.values()]
    return [
        f"    and run_id not in (select run_id from {table} where run_id is not null)\n"
        for table in tables
        if has_relation(connection, table)
    ]


@step("cut back what dlt notes of itself")
def remove_notes_of_dlt(database: Database, before: datetime) -> dict[str, int]:
    """Loads, schemas and states of landings that ended before that instant; dlt never deletes them itself."""
    with database.connect(role=Role.LOADER) as connection:
        return {
            f"notes of dlt in {schema}.{table}": connection.execute(
                f"delete from {schema}.{table} where {written_at} < %s", [before]
            ).rowcount
            for schema in ("staging", "staging_incoming")
            for table, written_at in NOTES_OF_DLT.items()
            if has_relation(connection, f"{schema}.{table}")
        }
