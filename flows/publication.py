"""Whether what the upstreams gave reached the clean tables: pending payloads, and how new the newest real half-hour is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg

from flows.dataset_facts import dataset_facts
from pipelines.catalogue import DATASETS
from pipelines.dataset import Dataset
from pipelines.remembered import NOT_HELD
from warehouse.database import has_relation
from warehouse.periods import HALF_HOUR
from warehouse.relations import PENDING_PAYLOADS

LOOKS_BACK = timedelta(days=7)
"""What is older is reported as older than this; a search without an end would read whole tables."""


def waiting_since(connection: psycopg.Connection, dataset: Dataset) -> datetime | None:
    """When the oldest real answer for the present arrived that a clean table has still not published; None if none waits.

    Backfills do not count, because a chunk is published only when it is complete; neither does what was held.
    """
    if not has_relation(connection, PENDING_PAYLOADS):
        return None
    row = connection.execute(
        f"select min(fetched_at) from {PENDING_PAYLOADS} where dataset = %s "
        "and origin = 'live' and window_end >= fetched_at and fetched_at > now() - %s",
        [dataset.slug, LOOKS_BACK],
    ).fetchone()
    return row[0] if row else None


def never_published(connection: psycopg.Connection, dataset: Dataset) -> tuple[str, datetime] | None:
    """A clean table of a dataset that does not exist, and when the first answer landed that it should hold."""
    table = next((table for table in dataset.clean_tables if not has_relation(connection, f"public.{table}")), None)
    if table is None or not has_relation(connection, f"staging.{dataset.payload_table}"):
        return None
    row = connection.execute(
        f"select min(fetched_at) from staging.{dataset.payload_table} as payload where origin = 'live' and {NOT_HELD}"
    ).fetchone()
    return (table, row[0]) if row and row[0] else None


@dataclass(frozen=True)
class Newest:
    """How far a column of a clean table reaches: up to the end of a half-hour, or, without one, since when it should."""

    at: datetime
    is_seen: bool
    """Whether a half-hour with a value was seen; without one `at` is the first answer, or the end of the search."""


def newest_real(
    connection: psycopg.Connection, dataset: Dataset, now: datetime, column: str | None = None
) -> Newest | None:
    """The newest real half-hour of a dataset in its clean table with a value in `column`, by default what it is fetched for.

    None if nobody can say: events and snapshots have no half-hours, and what gave nothing, or only what was held back, has
    nothing to publish.
    """
    if dataset.is_sparse or dataset.is_snapshot:
        return None
    table, facts = f"public.{dataset.clean_tables[0]}", dataset_facts()[dataset.slug]
    if not has_relation(connection, f"staging.{dataset.payload_table}", table):
        return None
    row = connection.execute(
        f"select (select min(fetched_at) from staging.{dataset.payload_table} as payload where origin = 'live' and {NOT_HELD}), "
        f"(select max(period_end) from {table} where not is_synthetic and {facts.own_rows} and period_start >= %s "
        f"and {column or facts.published_value} is not null)",
        [now - LOOKS_BACK],
    ).fetchone()
    if row is None or row[0] is None:
        return None
    return Newest(row[1], True) if row[1] else Newest(max(row[0], now - LOOKS_BACK), False)


_ROWS = """
    case when jsonb_typeof(coalesce(payload.payload -> 'data', payload.payload #> '{result,records}')) = 'array'
        then coalesce(payload.payload -> 'data', payload.payload #> '{result,records}')
        else jsonb_build_array(payload.payload)
    end
"""


def last_change(connection: psycopg.Connection, dataset: Dataset, since: datetime) -> datetime | None:
    """When a dataset last gave a row for the present that it had not given before, of the answers from `since` on.

    Without a row since then, when it last gave any; its first answer if it has given none; None without an answer. Rows are
    compared as they are: the same ones in a window that has moved on, or under a newer version, are nothing new.
    """
    if not has_relation(connection, f"staging.{dataset.payload_table}"):
        return None
    answers = (
        f"from staging.{dataset.payload_table} as payload "
        f"where origin = 'live' and window_end >= fetched_at and {NOT_HELD}"
    )
    row = connection.execute(
        "select coalesce("
        "(select max(first_at) from (select min(fetched_at) as first_at from ("
        f"select fetched_at, {_ROWS} as rows {answers} and fetched_at >= %s"
        ") as recent, jsonb_array_elements(rows) as one group by md5(one::text)) as seen), "
        f"(select fetched_at {answers} and jsonb_array_length({_ROWS}) > 0 order by fetched_at desc limit 1), "
        f"(select min(fetched_at) {answers}))",
        [since],
    ).fetchone()
    return row[0] if row else None


def heard_from(connection: psycopg.Connection, slugs: Sequence[str]) -> Mapping[str, datetime]:
    """When each dataset last gave a real answer for the present. Not backfills, failed requests or synthetic payloads.

    Nor, of what lags, an answer for a window that has just begun, as that of a new day: without any rows it is no fault, and no
    sign of life. Until then the window before it says it.
    """
    return dict(
        connection.execute(
            "select dataset, max(fetched_at) from ops.fetches "
            "join unnest(%s::text[], %s::interval[]) as watched (slug, just_begun) on slug = dataset "
            "where outcome in ('landed', 'known') and window_end >= fetched_at - just_begun "
            "and (just_begun = '0' or window_start <= fetched_at - just_begun) group by dataset",
            [list(slugs), [_may_be_empty_for(DATASETS[slug]) for slug in slugs]],
        ).fetchall()
    )


def _may_be_empty_for(dataset: Dataset) -> timedelta:
    """How long after a window has begun nothing need be there. Events need not be there at any time."""
    return dataset.lag + HALF_HOUR if dataset.lag and not dataset.is_sparse else timedelta(0)
