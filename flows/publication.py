"""Whether what the upstreams gave reached the clean tables: answers that wait, and how new the newest real half-hour is."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import psycopg

from pipelines.dataset import Dataset

LOOKS_BACK = timedelta(days=7)
"""A half-hour that is older is reported as older than this; a search without an end would read whole tables."""


def waiting_since(connection: psycopg.Connection, dataset: Dataset, consumers: Sequence[str]) -> datetime | None:
    """When the oldest real answer for the present arrived that a clean table has still not published; None if none waits.

    Backfills do not count, because a chunk is published only when it is complete; neither does what was held.
    """
    if not _exist(connection, f"staging.{dataset.payload_table}", "intermediate.published_payloads"):
        return None
    row = connection.execute(
        f"select min(fetched_at) from staging.{dataset.payload_table} as payload "
        "where origin = 'live' and window_end >= fetched_at and fetched_at > now() - %s "
        "and exists (select 1 from unnest(%s::text[]) as consumer (name) where not exists ("
        "select 1 from intermediate.published_payloads as published "
        "where published.model_name = consumer.name and published.payload_id = payload.payload_id)) "
        "and not exists (select 1 from ops.payload_verdicts as verdict "
        "where verdict.payload_id = payload.payload_id and verdict.verdict = 'held')",
        [LOOKS_BACK, list(consumers)],
    ).fetchone()
    return row[0] if row else None


def newest_real(connection: psycopg.Connection, dataset: Dataset, now: datetime) -> datetime | None:
    """The end of the newest real half-hour of a dataset in its clean table, or `now - LOOKS_BACK` if that one is older.

    None if nobody can say: events and snapshots have no half-hours, and a dataset without a real answer has nothing to publish.
    """
    if dataset.is_sparse or dataset.is_snapshot:
        return None
    table = f"public.{dataset.clean_tables[0]}"
    if not _exist(connection, f"staging.{dataset.payload_table}", table):
        return None
    row = connection.execute(
        f"select exists (select 1 from staging.{dataset.payload_table} where origin = 'live'), "
        f"(select max(period_end) from {table} where not is_synthetic and {dataset.rows} and period_start >= %s)",
        [now - LOOKS_BACK],
    ).fetchone()
    if row is None or not row[0]:
        return None
    newest: datetime | None = row[1]
    return newest or now - LOOKS_BACK


def heard_from(connection: psycopg.Connection, slugs: Sequence[str]) -> Mapping[str, datetime]:
    """When each dataset last gave a real answer for the present. Not backfills, failed requests or synthetic payloads."""
    return dict(
        connection.execute(
            "select dataset, max(fetched_at) from ops.fetches "
            "where dataset = any(%s) and outcome in ('landed', 'known') and window_end >= fetched_at group by dataset",
            [list(slugs)],
        ).fetchall()
    )


def _exist(connection: psycopg.Connection, *relations: str) -> bool:
    row = connection.execute(
        "select bool_and(to_regclass(name) is not null) from unnest(%s::text[]) as name", [list(relations)]
    ).fetchone()
    return bool(row and row[0])
