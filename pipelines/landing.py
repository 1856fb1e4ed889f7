"""Payloads to PostgreSQL through dlt: one row a response, merged on `payload_id`, so that a body lands once.

A payload is whole in its one row, so a load that is killed half-way leaves rows that are each complete, and the next
run adds the rest: what is there is known by its key, not by dlt's package state. Each process therefore works in a
folder of its own that nobody needs afterwards. Loads of all processes take turns, because dlt empties and fills one
table of incoming rows per dataset.
"""

import gc
import json
import logging
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import dlt
from dlt.destinations import postgres
from dlt.destinations.impl.postgres.factory import PostgresTypeMapper
from dlt.pipeline.exceptions import PipelineStepFailed

from pipelines.dataset import Dataset
from pipelines.payload import Payload, Rejected
from pipelines.periods import Window
from pipelines.staging_rows import PAYLOAD_COLUMNS, REJECTED_COLUMNS, arrow, payload_row, rejected_row
from pipelines.work_folder import WorkFolder
from warehouse.database import Database, Role
from warehouse.locks import exclusive

SCHEMA = "staging"
REJECTED_TABLE = "rejected_payloads"
ROWS_A_FILE = 4
"""Each file is one COPY; a few files let PostgreSQL parse JSON on more than one core."""

DATA_REFUSALS = ("invalid input syntax", "unsupported Unicode", "out of range", "numeric format", "stack depth")


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
        _configure()
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
        fresh = {p.payload_id: p for p in payloads if p.payload_id not in landed.known}
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
        """Make the tables that are not there yet, so that dbt finds each of its sources."""
        with self._database.connect(role=Role.LOADER) as connection:
            rows = connection.execute("select tablename from pg_tables where schemaname = %s", [SCHEMA]).fetchall()
        there = {row[0] for row in rows}
        wanted = {dataset.payload_table: PAYLOAD_COLUMNS for dataset in datasets} | {REJECTED_TABLE: REJECTED_COLUMNS}
        missing = [_resource(t, [arrow([], c)], c) for t, c in wanted.items() if t not in there]
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

    def _see_again(self, payloads: Sequence[Payload]) -> None:
        """Note the version under which a body came that was there already, so that it is not asked for again under that version.

        The version that it came with first stays: it says when its values could have been known.
        """
        with self._database.connect(role=Role.LOADER) as connection:
            for payload in payloads:
                if payload.request_params.get("version") is not None:
                    seen = {
                        "seen_version": payload.request_params["version"],
                        "seen_at": payload.fetched_at.isoformat(),
                    }
                    connection.execute(
                        f"update {SCHEMA}.{payload.dataset.payload_table} set request_params = request_params || %s::jsonb "
                        "where payload_id = %s",
                        [json.dumps(seen), payload.payload_id],
                    )

    def _run(self, payloads: Sequence[Payload], rejected: Sequence[Rejected]) -> None:
        resources = []
        for table in dict.fromkeys(p.dataset.payload_table for p in payloads):
            rows = [payload_row(p, self._run_id) for p in payloads if p.dataset.payload_table == table]
            resources.append(_resource(table, (arrow([row], PAYLOAD_COLUMNS) for row in rows), PAYLOAD_COLUMNS))
        if rejected:
            rows = [rejected_row(r, self._run_id) for r in rejected]
            resources.append(
                _resource(REJECTED_TABLE, (arrow([row], REJECTED_COLUMNS) for row in rows), REJECTED_COLUMNS)
            )
        if resources:
            with exclusive(self._database, f"landing {SCHEMA}"):
                self._pipeline.run(resources)
            gc.collect()  # dlt leaves its sources, and with them our bodies, in cycles of references

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


def newest_version(database: Database, dataset: Dataset, window: Window) -> str | None:
    """The version of the last live payload of this dataset and window, for upstreams and snapshots that have versions."""
    version: str | None = _newest(
        database,
        dataset,
        "select coalesce(request_params ->> 'seen_version', request_params ->> 'version')",
        "(%s or (window_start, window_end) = (%s, %s))",
        [dataset.is_snapshot, window.start, window.end],
    )
    return version


def newest_size(database: Database, dataset: Dataset, window: Window) -> int | None:
    """How much the last whole answer held: of this window, or of one of the same length that reached the present as this does."""
    size: int | None = _newest(
        database,
        dataset,
        "select (request_params ->> 'size')::integer",
        "request_params ->> 'version' is not null and request_params ? 'size' and ((window_start, window_end) = (%s, %s) "
        "or (%s and window_end >= fetched_at and window_end - window_start = %s))",
        [window.start, window.end, window.end >= datetime.now(UTC), window.end - window.start],
    )
    return size


def _newest(database: Database, dataset: Dataset, select: str, condition: str, values: Sequence[Any]) -> Any:
    with database.connect(role=Role.LOADER) as connection:
        there = connection.execute("select to_regclass(%s)", [f"{SCHEMA}.{dataset.payload_table}"]).fetchone()
        if there is None or there[0] is None:
            return None
        row = connection.execute(
            f"{select} from {SCHEMA}.{dataset.payload_table} where origin = 'live' and {condition} "
            "order by greatest(fetched_at, (request_params ->> 'seen_at')::timestamptz) desc limit 1",
            values,
        ).fetchone()
    return row[0] if row else None


def _configure() -> None:
    """dlt's settings for this process: no telemetry, no compression of files that live for a second."""
    for key, value in {
        "runtime.dlthub_telemetry": False,
        "data_writer.disable_compression": True,
        "normalize.data_writer.disable_compression": True,
        "data_writer.file_max_items": ROWS_A_FILE,
        "normalize.data_writer.file_max_items": ROWS_A_FILE,
        "normalize.parquet_normalizer.add_dlt_load_id": True,
        "normalize.parquet_normalizer.add_dlt_id": True,
    }.items():
        dlt.config[key] = value


def _resource(table: str, rows: Iterable[Any], columns: dict[str, Any]) -> Any:
    return dlt.resource(
        rows,
        name=table,
        columns=columns,
        primary_key="payload_id",
        write_disposition={"disposition": "merge", "strategy": "insert-only"},
        file_format="csv",
    )


def _is_refused_data(error: PipelineStepFailed) -> bool:
    """Whether PostgreSQL refused the data itself, rather than being away or out of space."""
    return error.step == "load" and any(sign in str(error) for sign in DATA_REFUSALS)
