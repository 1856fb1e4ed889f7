"""`maintenance`: what grows without end is cut back, by a stated policy.

- Payloads older than PAYLOAD_RETENTION_DAYS (400) that no row of a clean table comes from any more: forecasts that newer ones
  replaced, and what the quality gate held back. With them go their vintages; how far they were off stays counted in
  `forecast_skill`. What is still to be published stays, and so does
  the payload behind every row: each stays traceable, and `public` can be built again from what is left.
- Bodies that were rejected, requests that brought nothing new, and quality results, older than LEDGER_RETENTION_DAYS (90).
  `ops.runs` is kept.
- What dlt notes of each landing in tables of its own, older than a week: every landing has a name that is used once, so nothing
  reads it again.
"""

import argparse
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from flows import command
from flows.dbt_runner import Dbt
from flows.outcome import flow, outcome, went_well
from flows.settings import FlowSettings
from flows.steps import step
from pipelines.catalogue import DATASETS
from warehouse import ledger
from warehouse.database import Database, Role, resolve
from warehouse.locks import exclusive
from warehouse.prepare import prepare
from warehouse.printed import out
from warehouse.settings import WarehouseSettings

NOTES_OF_DLT_KEPT = timedelta(days=7)
"""Longer than any landing takes."""
NOTES_OF_DLT = {"_dlt_loads": "inserted_at", "_dlt_version": "inserted_at", "_dlt_pipeline_state": "created_at"}
"""Table of schema staging -> when its row was written."""


@flow(name="maintenance")
def maintenance() -> dict[str, Any]:
    """Remove old payloads that nothing refers to, and old entries of the ledger; say what was removed."""
    settings, database = FlowSettings(), resolve()
    prepare(database)
    now = datetime.now(UTC)
    with ledger.run(database, "maintenance", {}) as run, exclusive(database, "publish"):
        removed = {
            **remove_payloads(database, now - timedelta(days=settings.payload_retention_days)),
            **remove_entries(database, now - timedelta(days=settings.ledger_retention_days)),
            **remove_notes_of_dlt(database, now - NOTES_OF_DLT_KEPT),
        }
        run.summary |= {"removed": removed}
        for what, count in removed.items():
            out(f"{what}: {count} removed")
        if not any(removed.values()):
            out("Nothing was old enough to remove.")
    return outcome([], removed=removed)


@step("remove payloads that were superseded")
def remove_payloads(database: Database, before: datetime) -> dict[str, int]:
    """Payloads of before that instant that no clean row comes from, with their vintages."""
    consumers = _consumers(database)
    removed = {}
    with database.connect() as connection:
        for slug in DATASETS:
            if _exists(connection, f"staging.{slug}_payloads"):
                with connection.transaction():
                    removed[slug] = _remove(connection, slug, consumers.get(slug, []), before)
    return removed


def _consumers(database: Database) -> dict[str, list[tuple[str, str]]]:
    dbt = Dbt(database, WarehouseSettings().data_dir)
    try:
        manifest = dbt.parse().result()
    finally:
        dbt.close()
    consumers: dict[str, list[tuple[str, str]]] = {}
    for node in manifest.nodes.values():
        for slug in node.config.get("publishes") or () if node.resource_type == "model" else ():
            consumers.setdefault(slug, []).append((node.schema, node.name))
    return consumers


def _remove(connection: psycopg.Connection, slug: str, consumers: list[tuple[str, str]], before: datetime) -> int:
    if not all(_exists(connection, f"{schema}.{name}") for schema, name in consumers):
        return 0  # what is to be built again from the payloads refers to none of them yet
    there = [(schema, name) for schema, name in consumers if _has_payloads(connection, schema, name)]
    captures = [f"{schema}.{name}" for schema, name in there if name.endswith("__captures")]
    unreferenced = " ".join(
        f"and not exists (select 1 from {schema}.{name} as kept where kept.payload_id = payload.payload_id)"
        for schema, name in there
        if not name.endswith("__captures")
    )
    connection.execute(
        f"create temporary table superseded on commit drop as select payload_id from staging.{slug}_payloads as payload "
        f"where fetched_at < %s {unreferenced} and (exists (select 1 from ops.payload_verdicts as verdict "
        "where verdict.payload_id = payload.payload_id and verdict.verdict = 'held') or not exists ("
        "select 1 from unnest(%s::text[]) as consumer (name) where not exists ("
        "select 1 from intermediate.published_payloads as published "
        "where published.model_name = consumer.name and published.payload_id = payload.payload_id)))",
        [before, [name for _, name in consumers]],
    )
    if captures and _exists(connection, "intermediate.int_forecast_skill__days"):
        _close_days(connection)
    for table in captures:
        connection.execute(f"delete from {table} where payload_id in (select payload_id from superseded)")
    for table in ("intermediate.published_payloads", "ops.payload_verdicts"):
        connection.execute(f"delete from {table} where payload_id in (select payload_id from superseded)")
    return connection.execute(
        f"delete from staging.{slug}_payloads where payload_id in (select payload_id from superseded)"
    ).rowcount


def _close_days(connection: psycopg.Connection) -> None:
    """The sums of how far forecasts were off outlive the vintages; counted again, they would miss those that go now."""
    connection.execute(
        "update intermediate.int_forecast_skill__days as day set is_closed = true "
        "from (select distinct series, region_id, forecast_type, "
        "(first_period_start at time zone 'Europe/London')::date as first_day, "
        "((first_period_start + (cardinality(forecasts) - 1) * interval '30 minutes') at time zone 'Europe/London')::date "
        "as last_day from intermediate.int_forecast_skill__forecasts "
        "where payload_id in (select payload_id from superseded) and not is_synthetic) as going "
        "where day.settlement_date between going.first_day and going.last_day and not day.is_closed "
        "and (day.series, day.region_id, day.forecast_type) = (going.series, going.region_id, going.forecast_type)"
    )


@step("cut back the ledger")
def remove_entries(database: Database, before: datetime) -> dict[str, int]:
    """Old entries that nothing is traced by."""
    statements = {
        "quality results": "delete from ops.quality_results where checked_at < %s",
        "requests that brought nothing new": "delete from ops.fetches where outcome in ('known', 'failed') and fetched_at < %s",
    }
    with database.connect(role=Role.LOADER) as connection:
        if _exists(connection, "staging.rejected_payloads"):
            statements["rejected bodies"] = "delete from staging.rejected_payloads where fetched_at < %s"
        return {what: connection.execute(statement, [before]).rowcount for what, statement in statements.items()}


@step("cut back what dlt notes of itself")
def remove_notes_of_dlt(database: Database, before: datetime) -> dict[str, int]:
    """Loads, schemas and states of landings that ended before that instant; dlt never deletes them itself."""
    with database.connect(role=Role.LOADER) as connection:
        return {
            f"notes of dlt in {table}": connection.execute(
                f"delete from staging.{table} where {written_at} < %s", [before]
            ).rowcount
            for table, written_at in NOTES_OF_DLT.items()
            if _exists(connection, f"staging.{table}")
        }


def _has_payloads(connection: psycopg.Connection, schema: str, name: str) -> bool:
    row = connection.execute(
        "select exists (select from information_schema.columns where (table_schema, table_name, column_name) = (%s, %s, %s))",
        [schema, name, "payload_id"],
    ).fetchone()
    return bool(row and row[0])


def _exists(connection: psycopg.Connection, relation: str) -> bool:
    row = connection.execute("select to_regclass(%s) is not null", [relation]).fetchone()
    return bool(row and row[0])


def main() -> None:
    """The command line."""
    argparse.ArgumentParser(
        prog="python -m flows.maintenance",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()
    command.run(lambda: went_well(maintenance))


if __name__ == "__main__":
    main()
