"""One bad payload holds back itself: where unpacking, validating or publishing fails, the payloads that fail are found and held.

The door lets in only what SQL can read, so this is the second line: payloads that landed under an older door, or values
that a constraint of a clean table refuses.
"""

import uuid
from collections.abc import Callable, Iterable, Sequence

import psycopg
import sqlalchemy.exc

from flows.dbt_runner import Built, Dbt
from flows.pending import forget_published, pending_payloads
from warehouse.database import Database, Role
from warehouse.ledger import Run
from warehouse.relations import payload_rows


def hold_unreadable(database: Database, run: Run, dataset: str, consumers: Sequence[str]) -> dict[uuid.UUID, str]:
    """Hold the pending payloads of a dataset that SQL cannot unpack. Returns the reason of each."""
    held = {}
    for payload_id in pending_payloads(database, dataset, consumers):
        try:
            with database.connect(role=Role.TRANSFORMER) as connection:
                # as text, so that every column is really computed
                connection.execute(
                    f"select count(md5(unpacked::text)) from {payload_rows(dataset)} as unpacked where payload_id = %s",
                    [payload_id],
                )
        except psycopg.DataError as error:
            held[payload_id] = f"it cannot be unpacked: {_first_line(error)}"
    for payload_id, reason in held.items():
        run.record_verdicts(dataset, [payload_id], held_because=reason)
    return held


def hold_unvalidatable(
    database: Database, run: Run, dataset: str, consumers: Sequence[str], validate_alone: Callable[[uuid.UUID], None]
) -> dict[uuid.UUID, str]:
    """Hold the pending payloads of a dataset that raise when they are validated alone. Returns the reason of each.

    Only what the data itself raises counts: a server that is away, or a column that is missing, is no payload's fault.
    """
    held = {}
    for payload_id in pending_payloads(database, dataset, consumers):
        try:
            validate_alone(payload_id)
        except (psycopg.DataError, sqlalchemy.exc.DataError) as error:
            held[payload_id] = f"it cannot be validated: {_first_line(error)}"
    for payload_id, reason in held.items():
        run.record_verdicts(dataset, [payload_id], held_because=reason)
    return held


def hold_unwritable(database: Database, run: Run, dbt: Dbt, table: str) -> dict[str, str]:
    """Publish to a table that failed what can be published, and hold the payloads that it fails on.

    Returns, for each dataset with held payloads, why. Holds nothing if the table cannot be built without any payload
    either: then no payload is to blame.
    """
    datasets = [dataset for dataset, tables in dbt.consumers().items() if table in tables]
    if forget_published(database, table):
        dbt.unpack(datasets)  # a table that is made anew publishes every payload
    payloads = {
        payload_id: dataset
        for dataset in datasets
        for payload_id in pending_payloads(database, dataset, [table], passed=True)
    }

    def write(ids: Sequence[uuid.UUID]) -> str | None:
        return _failure(dbt.publish_only(table, ids), table)

    if write([]):
        return {}
    held: dict[str, str] = {}
    for payload_id, failure in _culprits(list(payloads), write):
        if write([]):  # the server has gone, or the disk is full: no payload is to blame
            return held
        reason = f"{table} cannot take it: {failure}"
        run.record_verdicts(payloads[payload_id], [payload_id], held_because=reason)
        held[payloads[payload_id]] = reason
    return held


def _culprits(
    ids: Sequence[uuid.UUID], write: Callable[[Sequence[uuid.UUID]], str | None]
) -> Iterable[tuple[uuid.UUID, str]]:
    """Writes in ever smaller parts what can be written; yields each payload that fails alone, with the error."""
    failure = write(ids) if ids else None
    if failure is None:
        return
    if len(ids) == 1:
        yield ids[0], failure
        return
    middle = len(ids) // 2
    yield from _culprits(ids[:middle], write)
    yield from _culprits(ids[middle:], write)


def _failure(built: Built, table: str) -> str | None:
    message = built.failures.get(table) or next(iter(built.failures.values()), None)
    if message is None:
        return None
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return next((line for line in lines if not line.startswith("Database Error")), message)[:300]


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:300]
