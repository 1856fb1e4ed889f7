"""The one writer of `ops`: what ran, what was requested, what was validated. Reading it is plain SQL."""

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg

from warehouse.database import Database, Role
from warehouse.locks import is_held
from warehouse.printed import storable


@dataclass(frozen=True)
class Fetch:
    """A request to an upstream and what became of its answer (a row of `ops.fetches`)."""

    dataset: str
    request_url: str
    window_start: datetime
    window_end: datetime
    outcome: str  # landed | known | rejected | failed
    http_status: int | None
    attempts: int
    seconds: float
    half_hours_synthetic: int
    detail: str | None
    fetched_at: datetime


@dataclass(frozen=True)
class QualityResult:
    """An expectation and how it went (a row of `ops.quality_results`)."""

    checkpoint: str
    dataset: str
    expectation: str
    column_name: str | None
    severity: str
    success: bool
    raised: str | None
    checked_count: int | None
    unexpected_count: int | None
    description: str

    @property
    def summary(self) -> str:
        """How an expectation that was not met went, in words."""
        if self.raised:
            return f"{self.description} could not be validated ({self.raised})"
        return f"{self.description} is not met"


@dataclass(frozen=True)
class CrashedRun:
    """A run whose process died."""

    run_id: uuid.UUID
    flow: str
    started_at: datetime
    prefect_flow_run_id: uuid.UUID | None

    @property
    def summary(self) -> str:
        """In a sentence."""
        return f"{self.flow}: the run of {self.started_at:%Y-%m-%d %H:%M}Z died; it is marked as crashed."


@dataclass
class Run:
    """A run under way: writes its own rows as it goes, so that a kill leaves a true record."""

    database: Database
    run_id: uuid.UUID
    flow: str
    summary: dict[str, Any] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def record_fetches(self, fetches: Iterable[Fetch]) -> None:
        """Keep what was asked and what came of it."""
        self._insert("fetches", [vars(fetch) for fetch in fetches])

    def record_quality(self, results: Iterable[QualityResult]) -> None:
        """Keep how each expectation went."""
        self._insert("quality_results", [vars(result) for result in results])

    def record_verdicts(self, dataset: str, payload_ids: Sequence[uuid.UUID], *, held_because: str | None) -> None:
        """Let these payloads through to dbt, or hold them back with the reason.

        A verdict stands once given, except that what passed can still be held: a table may refuse what its checkpoint let through.
        """
        with self._connect() as connection:
            connection.execute(
                "insert into ops.payload_verdicts (payload_id, dataset, verdict, reason, run_id) "
                "select unnest(%s::uuid[]), %s, %s, %s, %s on conflict (payload_id) do update set verdict = excluded.verdict, "
                "reason = excluded.reason, run_id = excluded.run_id, validated_at = clock_timestamp() "
                "where payload_verdicts.verdict = 'passed' and excluded.verdict = 'held'",
                [list(payload_ids), dataset, "held" if held_because else "passed", held_because, self.run_id],
            )

    def note_portal_datasets(self, portal: str, titles: Mapping[str, str]) -> tuple[set[str], bool]:
        """Keep which datasets a portal has; returns those never seen before, and whether this was the first look."""
        with self._connect() as connection, connection.transaction():
            seen = connection.execute("select name from ops.portal_datasets where portal = %s", [portal]).fetchall()
            fresh = set(titles) - {name for (name,) in seen}
            with connection.cursor() as cursor:
                cursor.executemany(
                    "insert into ops.portal_datasets (portal, name, title, run_id) values (%s, %s, %s, %s) "
                    "on conflict do nothing",
                    [[portal, name, titles[name], self.run_id] for name in sorted(fresh)],
                )
        return fresh, not seen

    def _insert(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        if not rows:
            return
        columns = list(rows[0])
        statement = f"insert into ops.{table} (run_id, {', '.join(columns)}) values (%s{', %s' * len(columns)})"
        with self._connect() as connection, connection.cursor() as cursor, connection.transaction():
            values = [[storable(v) if isinstance(v := row[c], str) else v for c in columns] for row in rows]
            cursor.executemany(statement, [[self.run_id, *given] for given in values])

    def _connect(self) -> psycopg.Connection:
        return self.database.connect(role=Role.LOADER, name=f"energy-{self.flow}")


@contextmanager
def run(
    database: Database, flow: str, parameters: Mapping[str, Any], *, prefect_flow_run_id: uuid.UUID | None = None
) -> Iterator[Run]:
    """Open a run: `completed` at the end, `failed` if it raises or notes a failure, `crashed` if its process dies.

    The run holds an advisory lock for as long as its process lives; the next run to start ends those whose lock is free.
    """
    end_crashed_runs(database)
    this = Run(database=database, run_id=uuid.uuid4(), flow=flow)
    with database.connect(role=Role.LOADER, name=f"energy-{flow}") as connection:
        connection.execute("select pg_advisory_lock(hashtextextended(%s, 0))", [_lock_name(this.run_id)])
        connection.execute(
            "insert into ops.runs (run_id, flow, parameters, prefect_flow_run_id) values (%s, %s, %s, %s)",
            [this.run_id, flow, json.dumps(dict(parameters), default=str), prefect_flow_run_id],
        )
        status = "failed"
        try:
            yield this
            status = "failed" if this.failures else "completed"
        finally:
            connection.execute(
                "update ops.runs set status = %s, ended_at = clock_timestamp(), summary = %s where run_id = %s",
                [status, json.dumps({**this.summary, "failures": this.failures}, default=str), this.run_id],
            )


def _lock_name(run_id: uuid.UUID) -> str:
    return f"run {run_id}"


def end_crashed_runs(database: Database) -> list[CrashedRun]:
    """End the runs whose process is gone; returns those that were ended now."""
    ended = []
    with database.connect(role=Role.LOADER) as connection:
        running = connection.execute("select run_id from ops.runs where status = 'running'").fetchall()
        for (run_id,) in running:
            if not is_held(database, _lock_name(run_id)):
                ended += connection.execute(
                    "update ops.runs set status = 'crashed', ended_at = clock_timestamp() "
                    "where run_id = %s and status = 'running' returning run_id, flow, started_at, prefect_flow_run_id",
                    [run_id],
                ).fetchall()
    return [CrashedRun(*row) for row in ended]
