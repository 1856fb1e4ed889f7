"""`maintenance`: what grows without end is cut back, by a stated policy.

- Payloads older than PAYLOAD_RETENTION_DAYS (400) that no row of a clean table comes from any more: forecasts that newer ones
  replaced, and what the quality gate held back. With them go their vintages; how far they were off stays counted in
  `forecast_skill`. What is still to be published stays, and so do captures that a user brought (`origin = 'archive'`) and
  the payload behind every row: each stays traceable, and `public` can be built again from what is left.
  System prices are the exception: each response is the first that held some calculation of a price, which
  `system_price_vintages` keeps for good, so its payload stays.
- Bodies that were rejected, requests that brought nothing new, and quality results, older than LEDGER_RETENTION_DAYS (90).
- Requests that landed or were rejected, and runs, older than PAYLOAD_RETENTION_DAYS. What a payload is traced by stays:
  its verdict, the run that landed it and the run that validated it.
- What dlt notes of each landing in tables of its own, older than a week: every landing has a name that is used once, so nothing
  reads it again.
"""

import argparse
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from flows.dbt_runner import Dbt
from flows.ledger_retention import NOTES_OF_DLT_KEPT, remove_entries, remove_notes_of_dlt
from flows.outcome import flow, outcome, went_well
from flows.run_log import say
from flows.settings import FlowSettings
from flows.steps import step
from pipelines.catalogue import DATASETS
from warehouse import command, ledger
from warehouse.database import Database, Role, has_relation
from warehouse.locks import exclusive
from warehouse.prepare import prepare
from warehouse.relations import PENDING_PAYLOADS
from warehouse.server import resolve
from warehouse.settings import WarehouseSettings


@flow(name="maintenance")
def maintenance() -> dict[str, Any]:
    """Remove old payloads that nothing refers to, and old entries of the ledger; say what was removed."""
    settings, database = FlowSettings(), resolve()
    prepare(database)
    now = datetime.now(UTC)
    superseded = now - timedelta(days=settings.payload_retention_days)
    with ledger.run(database, "maintenance", {}) as run, exclusive(database, "publish"):
        removed = {
            **remove_payloads(database, superseded),
            **remove_entries(
                database,
                results_before=now - timedelta(days=settings.ledger_retention_days),
                fetches_before=superseded,
            ),
            **remove_notes_of_dlt(database, now - NOTES_OF_DLT_KEPT),
        }
        run.summary |= {"removed": removed}
        for what, count in removed.items():
            say(f"{what}: {count} removed")
        if not any(removed.values()):
            say("Nothing was old enough to remove.")
    return outcome([], removed=removed)


@step("remove payloads that were superseded")
def remove_payloads(database: Database, before: datetime) -> dict[str, int]:
    """Payloads of before that instant that no clean row comes from, with their vintages."""
    consumers = _consumers(database)
    removed = {}
    with database.connect(role=Role.LOADER) as loader, database.connect(role=Role.TRANSFORMER) as transformer:
        for slug in DATASETS:
            if has_relation(loader, f"staging.{slug}_payloads"):
                # Each schema by the role that writes it. The transformer commits first: a kill between the two commits leaves
                # payloads that are published once more, and removed the next night.
                with loader.transaction(), transformer.transaction():
                    superseded = _forget(transformer, slug, consumers.get(slug, []), before)
                    removed[slug] = _remove(loader, slug, superseded)
    return removed


def _consumers(database: Database) -> dict[str, list[tuple[str, str]]]:
    dbt = Dbt(database, WarehouseSettings().data_dir)
    try:
        facts = dbt.facts()
    finally:
        dbt.close()
    return {dataset: [(node.schema, node.name) for node in nodes] for dataset, nodes in facts.consumers().items()}


def _remove(loader: psycopg.Connection, slug: str, payload_ids: list[UUID]) -> int:
    loader.execute("delete from ops.payload_verdicts where payload_id = any(%s)", [payload_ids])
    return loader.execute(f"delete from staging.{slug}_payloads where payload_id = any(%s)", [payload_ids]).rowcount


def _forget(
    connection: psycopg.Connection, slug: str, consumers: list[tuple[str, str]], before: datetime
) -> list[UUID]:
    """Remove what dbt keeps of the payloads that were superseded; returns these."""
    if not has_relation(connection, PENDING_PAYLOADS, *(f"{schema}.{name}" for schema, name in consumers)):
        return []  # what is to be built again from the payloads refers to none of them yet
    there = [(schema, name) for schema, name in consumers if _has_payloads(connection, schema, name)]
    captures = [f"{schema}.{name}" for schema, name in there if name.endswith("__captures")]
    unreferenced = " ".join(
        f"and not exists (select 1 from {schema}.{name} as kept where kept.payload_id = payload.payload_id)"
        for schema, name in there
        if not name.endswith("__captures")
    )
    connection.execute(
        f"create temporary table superseded on commit drop as select payload_id from staging.{slug}_payloads as payload "
        f"where fetched_at < %s and origin <> 'archive' {unreferenced} "
        f"and payload_id not in (select payload_id from {PENDING_PAYLOADS} where dataset = %s)",
        [before, slug],
    )
    if captures and has_relation(connection, "intermediate.int_forecast_skill__days"):
        _close_days(connection)
    for table in captures:
        connection.execute(f"delete from {table} where payload_id in (select payload_id from superseded)")
    connection.execute(
        "delete from intermediate.published_payloads where payload_id in (select payload_id from superseded)"
    )
    return [payload_id for (payload_id,) in connection.execute("select payload_id from superseded").fetchall()]


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


def _has_payloads(connection: psycopg.Connection, schema: str, name: str) -> bool:
    row = connection.execute(
        "select exists (select from information_schema.columns where (table_schema, table_name, column_name) = (%s, %s, %s))",
        [schema, name, "payload_id"],
    ).fetchone()
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
