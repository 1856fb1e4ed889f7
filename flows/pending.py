"""What is still to be published: read from what is there, never from a watermark."""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence

import psycopg

from warehouse.database import Database, Role


def pending(database: Database, consumers: Mapping[str, Sequence[str]]) -> list[str]:
    """The datasets with payloads that one of their consumers has not published and that are not held back."""
    with database.connect(role=Role.TRANSFORMER) as connection:
        has_ledger = _exists(connection, "intermediate.published_payloads")
        return [
            dataset
            for dataset, names in consumers.items()
            if _exists(connection, f"staging.{dataset}_payloads") and _waits(connection, dataset, names, has_ledger)
        ]


def pending_payloads(
    database: Database, dataset: str, consumers: Sequence[str], *, passed: bool = False
) -> list[uuid.UUID]:
    """The payloads of a dataset that one of its consumers has not published and that are not held, oldest first.

    With `passed`, only those that have passed the staging checkpoint.
    """
    with database.connect(role=Role.TRANSFORMER) as connection:
        has_ledger = _exists(connection, "intermediate.published_payloads")
        rows = connection.execute(
            f"select payload.payload_id {_from_pending(dataset, consumers, has_ledger)} "
            + (
                "and exists (select 1 from ops.payload_verdicts as verdict where verdict.payload_id = payload.payload_id) "
                if passed
                else ""
            )
            + "order by payload.fetched_at, payload.payload_id"
        ).fetchall()
    return [row[0] for row in rows]


def forget_published(database: Database, table: str) -> bool:
    """Drop a table's entries in the ledger of published payloads if the table is gone; returns whether it is."""
    with database.connect(role=Role.TRANSFORMER) as connection:
        if _exists(connection, f"public.{table}") or _exists(connection, f"intermediate.{table}"):
            return False
        connection.execute("delete from intermediate.published_payloads where model_name = %s", [table])
    return True


def full_batches(database: Database, datasets: Iterable[str]) -> list[str]:
    """The datasets whose batch still holds the rows of an earlier publication."""
    return list(_full(database, datasets))


def _full(database: Database, datasets: Iterable[str]) -> Iterator[str]:
    with database.connect(role=Role.TRANSFORMER) as connection:
        for dataset in datasets:
            row = connection.execute(f"select exists (select 1 from intermediate.int_{dataset}_batch)").fetchone()
            if row and row[0]:
                yield dataset


def _waits(connection: psycopg.Connection, dataset: str, consumers: Sequence[str], has_ledger: bool) -> bool:
    row = connection.execute(f"select exists (select 1 {_from_pending(dataset, consumers, has_ledger)})").fetchone()
    return bool(row and row[0])


def _from_pending(dataset: str, consumers: Sequence[str], has_ledger: bool) -> str:
    unpublished = " or ".join(
        "not exists (select 1 from intermediate.published_payloads as published "
        f"where model_name = '{consumer}' and published.payload_id = payload.payload_id)"
        for consumer in consumers
    )
    return (
        f"from staging.{dataset}_payloads as payload where ({unpublished if has_ledger else 'true'}) "
        "and not exists (select 1 from ops.payload_verdicts as verdict where verdict.payload_id = payload.payload_id "
        "and verdict.verdict = 'held') "
    )


def _exists(connection: psycopg.Connection, relation: str) -> bool:
    row = connection.execute("select to_regclass(%s) is not null", [relation]).fetchone()
    return bool(row and row[0])
