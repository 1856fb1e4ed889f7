"""What is still to be published: read from what is there, never from a watermark.

The rule is the view `intermediate.pending_payloads` (dbt_project/macros/pending.sql).
"""

import uuid
from collections.abc import Iterable, Iterator, Sequence

from warehouse.database import Database, Role, has_relation
from warehouse.relations import PENDING_PAYLOADS, pending_rows


def pending(database: Database) -> list[str]:
    """The datasets with payloads that one of their consumers has not published and that are not held back."""
    with database.connect(role=Role.TRANSFORMER) as connection:
        rows = connection.execute(f"select distinct dataset from {PENDING_PAYLOADS} order by dataset").fetchall()
    return [dataset for (dataset,) in rows]


def pending_payloads(
    database: Database, dataset: str, consumers: Sequence[str], *, passed: bool = False
) -> list[uuid.UUID]:
    """The payloads of a dataset that one of these consumers has not published and that are not held, oldest first.

    With `passed`, only those that have passed the staging checkpoint.
    """
    with database.connect(role=Role.TRANSFORMER) as connection:
        rows = connection.execute(
            f"select distinct fetched_at, payload_id from {PENDING_PAYLOADS} as pending where dataset = %s and consumer = any(%s) "
            "and (not %s or exists (select 1 from ops.payload_verdicts as verdict where verdict.payload_id = pending.payload_id)) "
            "order by fetched_at, payload_id",
            [dataset, list(consumers), passed],
        ).fetchall()
    return [payload_id for _, payload_id in rows]


def forget_published(database: Database, table: str) -> bool:
    """Drop a table's entries in the ledger of published payloads if the table is gone; returns whether it is."""
    with database.connect(role=Role.TRANSFORMER) as connection:
        if has_relation(connection, f"public.{table}") or has_relation(connection, f"intermediate.{table}"):
            return False
        connection.execute("delete from intermediate.published_payloads where model_name = %s", [table])
    return True


def left_over(database: Database, datasets: Iterable[str]) -> list[str]:
    """The datasets whose table of pending rows still holds those of an earlier publication."""
    return list(_left_over(database, datasets))


def _left_over(database: Database, datasets: Iterable[str]) -> Iterator[str]:
    with database.connect(role=Role.TRANSFORMER) as connection:
        for dataset in datasets:
            row = connection.execute(f"select exists (select 1 from {pending_rows(dataset)})").fetchone()
            if row and row[0]:
                yield dataset
