"""Payloads to PostgreSQL through dlt: one row per response, merged on `payload_id`, so that a body lands once.

A payload is whole in its one row, so a load that is killed half-way leaves rows that are each complete, and the next
run adds the rest: what is there is known by its key, not by dlt's package state. Each process therefore works in a
folder of its own that nobody needs afterwards. Loads of all processes take turns, because dlt empties and fills one
table of incoming rows per dataset.
"""

import gc
import logging
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import dlt
import psycopg2
from dlt.destinations import postgres
from dlt.destinations.impl.postgres.factory import PostgresTypeMapper
from dlt.pipeline.exceptions import PipelineStepFailed

from pipelines.dataset import Dataset
from pipelines.dlt_source import REJECTED_TABLE, resource
from pipelines.payload import Payload, Rejected
from pipelines.remembered import SEEN_AGAIN, seen_again
from pipelines.staging_rows import PAYLOAD_COLUMNS, REJECTED_COLUMNS, arrow, payload_row, rejected_row
from pipelines.work_folder import WorkFolder
from warehouse.database import Database, Role
from warehouse.locks import exclusive

SCHEMA = "staging"
ROWS_A_FILE = 4
"""Each file is one COPY; a few files let PostgreSQL parse JSON on more than one core."""

DATA_REFUSALS = ("22", "54")
"""Classes of SQLSTATE: data exceptions, and what is too deep or too large for the server"""


class _TypeMapper(PostgresTypeMapper):  # type: ignore[misc]
    """dlt has no uuid type; the column hint asks for PostgreSQL's."""

    def to_destination_type(self, column: Any, table: Any) -> str:
        return "uuid" if column.get("x-postgres-uuid") else super().to_destination_type(column, table)


@dataclass
class Landed:
    """What a load did, by payload_id: added, there already, or refused by PostgreSQL with the reason."""

    added: set[uuid.UUID] = field(default_factory=set)
    known: set[uuid.UUID] = field(default_factory=set)
    refused: dict[uuid.UUID, str] = field(default_factory=dict)


class Landing:
    """Loads payloads of one run; use it as a context manager. Not for more than one thread."""

    def __init__(self, database: Database, *, run_id: uuid.UUID, work_dir: Path):
        self._database = database
        self._run_id = run_id
        self._folder = WorkFolder(work_dir)
        configure()
        self._pipeline = self._new_pipeline()

    def __enter__(self) -> "Landing":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def load(self, payloads: Sequence[Payload], rejected: Sequence[Rejected]) -> Landed:
        """Land these; a body that PostgreSQL itself refuses is set aside as rejected, the others land."""
        landed = Landed(known=self._known(payloads))
        returned = self._returned([p for p in payloads if p.payload_id in landed.known])
        landed.known -= returned.keys()
        fresh = {p.payload_id: p for p in payloads if p.payload_id not in landed.known and p.payload_id not in returned}
        fresh |= {p.payload_id: p for p in returned.values()}
        self._see_again([p for p in payloads if p.payload_id in landed.known])
        try:
            self._run(list(fresh.values()), rejected)
            landed.added = set(fresh)
        except PipelineStepFailed as error:
            if not _is_refused_data(error):
                raise
            self._load_one_by_one(list(fresh.values()), rejected, landed)
        return landed

    def prepare(self, datasets: Iterable[Dataset]) -> None:
        """Make the tables that do not exist yet, so that dbt finds each of its sources."""
        with self._database.connect(role=Role.LOADER) as connection:
            rows = connection.execute("select tablename from pg_tables where schemaname = %s", [SCHEMA]).fetchall()
        there = {row[0] for row in rows}
        wanted = {dataset.payload_table: PAYLOAD_COLUMNS for dataset in datasets} | {REJECTED_TABLE: REJECTED_COLUMNS}
        missing = [resource(t, [arrow([], c)], c, file_format="csv") for t, c in wanted.items() if t not in there]
        if missing:
            with exclusive(self._database, f"landing {SCHEMA}"):
                self._pipeline.run(missing)

    def _load_one_by_one(self, payloads: Sequence[Payload], rejected: Sequence[Rejected], landed: Landed) -> None:
        refused = []
        for payload in payloads:
            self._pipeline = self._new_pipeline()  # the failed package stays behind with its pipeline
            try:
                self._run([payload], [])
                landed.added.add(payload.payload_id)
            except PipelineStepFailed as error:
                if not _is_refused_data(error):
                    raise
                reason = f"PostgreSQL cannot store it: {str(error.exception)[:300]}"
                landed.refused[payload.payload_id] = reason
                refused.append(Rejected.from_payload(payload, reason))
        self._pipeline = self._new_pipeline()
        self._run([], [*rejected, *refused])

    def _known(self, payloads: Sequence[Payload]) -> set[uuid.UUID]:
        known: set[uuid.UUID] = set()
        tables = {payload.dataset.payload_table for payload in payloads}
        with self._database.connect(role=Role.LOADER) as connection:
            for table in tables:
                ids = [p.payload_id for p in payloads if p.dataset.payload_table == table]
                statement = f"select payload_id from {SCHEMA}.{table} where payload_id = any(%s)"
                known.update(row[0] for row in connection.execute(statement, [ids]))
        return known

    def _returned(self, payloads: Sequence[Payload]) -> dict[uuid.UUID, Payload]:
        """Bodies that came before and then gave way to another, by the payload_id that they came with first.

        An upstream that goes back on a revision has changed its answer once more: that is a new vintage, with a key of its own.
        """
        returned = {}
        with self._database.connect(role=Role.LOADER) as connection:
            for payload in payloads:
                if payload.origin != "live":
                    continue
                newest = connection.execute(
                    f"select payload_id, request_params ->> 'returned' from {SCHEMA}.{payload.dataset.payload_table} "
                    "where origin = 'live' and (%s or (window_start, window_end) = (%s, %s)) "
                    "order by fetched_at desc limit 1",
                    [payload.dataset.is_snapshot, payload.window.start, payload.window.end],
                ).fetchone()
                if newest and str(payload.payload_id) not in (str(newest[0]), newest[1]):
                    returned[payload.payload_id] = payload.returned_after(newest[0])
        return returned

    def _see_again(self, payloads: Sequence[Payload]) -> None:
        """Note when a body came again that was there already, and under which version, so that it is not requested again.

        When and with which version it came first stays: that says when its values could have been known. If it is not whole
        by now, it does not count as seen: only since when that is so is noted.
        """
        with self._database.connect(role=Role.LOADER) as connection:
            for payload in payloads:
                if payload.origin == "live":
                    connection.execute(
                        f"update {SCHEMA}.{payload.dataset.payload_table} set request_params = {SEEN_AGAIN} "
                        "where payload_id = %s",
                        [*seen_again(payload.request_params, payload.fetched_at), payload.payload_id],
                    )

    def _run(self, payloads: Sequence[Payload], rejected: Sequence[Rejected]) -> None:
        resources = []
        for table in dict.fromkeys(p.dataset.payload_table for p in payloads):
            resources.append(resource(table, self._tables(table, payloads), PAYLOAD_COLUMNS, file_format="csv"))
        if rejected:
            rows = [rejected_row(r, self._run_id) for r in rejected]
            tables = (arrow([row], REJECTED_COLUMNS) for row in rows)
            resources.append(resource(REJECTED_TABLE, tables, REJECTED_COLUMNS, file_format="csv"))
        if resources:
            with exclusive(self._database, f"landing {SCHEMA}"):
                self._pipeline.run(resources)
            gc.collect()  # dlt leaves its sources, and with them our bodies, in cycles of references

    def _tables(self, table: str, payloads: Sequence[Payload]) -> Iterator[Any]:
        """The rows of a table, made one by one as dlt takes them: a body is several times as large on its way there."""
        for payload in payloads:
            if payload.dataset.payload_table == table:
                yield arrow([payload_row(payload, self._run_id)], PAYLOAD_COLUMNS)

    def _new_pipeline(self) -> Any:
        pipeline = dlt.pipeline(
            f"landing_{uuid.uuid4().hex[:8]}",
            destination=postgres(
                credentials=self._database.url(role=Role.LOADER),
                type_mapper=_TypeMapper,
                staging_dataset_name_layout="%s_incoming",
            ),
            dataset_name=SCHEMA,
            pipelines_dir=str(self._folder.path),
        )
        # dlt resets its logger with each pipeline; it remarks on every Arrow string that becomes jsonb or uuid
        logging.getLogger("dlt").setLevel(logging.ERROR)
        return pipeline


def configure() -> None:
    """dlt's settings for this process: no telemetry, no compression of files that live for a second."""
    for key, value in {
        "runtime.dlthub_telemetry": False,
        "data_writer.disable_compression": True,
        "normalize.data_writer.disable_compression": True,
        "data_writer.buffer_max_items": 1,
        "normalize.data_writer.buffer_max_items": 1,
        "data_writer.file_max_items": ROWS_A_FILE,
        "normalize.data_writer.file_max_items": ROWS_A_FILE,
        "normalize.parquet_normalizer.add_dlt_load_id": True,
        "normalize.parquet_normalizer.add_dlt_id": True,
    }.items():
        dlt.config[key] = value


def _is_refused_data(error: PipelineStepFailed) -> bool:
    """Whether PostgreSQL refused the data itself, rather than being away or out of space."""
    return (_sqlstate(error.exception) or "").startswith(DATA_REFUSALS)


def _sqlstate(error: object) -> str | None:
    """PostgreSQL's own code of an error, which dlt wraps: the job's failure holds its client's, and that the driver's."""
    while error is not None:
        if isinstance(error, psycopg2.Error):
            code: str | None = error.pgcode
            return code
        error = (
            getattr(error, "client_exception", None)
            or getattr(error, "dbapi_exception", None)
            or getattr(error, "__cause__", None)
        )
    return None
