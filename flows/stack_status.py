"""What `make status` says: each process and where it is, each schedule's last and next run, and how old the data is."""

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import psycopg
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import PrefectException

from flows.cadence import CADENCES
from flows.prefect_api import SERVER, PrefectApi, current_api
from flows.processes import Processes, Running
from flows.publication import heard_from
from flows.schedules import last_run, next_run
from flows.settings import FlowSettings
from flows.stack_check import is_quiet
from flows.stack_service import SERVICE, answers
from flows.work_pool import scheduled_deployments
from pipelines.catalogue import DATASETS
from warehouse.counts import ago
from warehouse.database import Database, Role
from warehouse.errors import UsageError
from warehouse.printed import out
from warehouse.server import resolve, uses_embedded
from warehouse.settings import WarehouseSettings

WORKER = "worker"
NOT_SCHEDULED = "NONE SCHEDULED"
NO_ANSWER = "DOES NOT ANSWER"


def status() -> bool:
    """Say what runs, what ran last and runs next, and how old the data is; False if something is not as it should be."""
    warehouse, settings = WarehouseSettings(), FlowSettings()
    processes = Processes(warehouse.data_dir)
    database = _database(warehouse)
    lines: dict[str, str | None] = {"PostgreSQL": _address(database)}
    is_well = True
    for name in (SERVER, WORKER, SERVICE):
        running = processes.running(name)
        lines[name] = _describe(running) if running else None
        if running and name == SERVICE and not answers(running.address):
            lines[name], is_well = f"{NO_ANSWER} at {lines[name]}: `make up` starts it anew", False
    api = current_api()
    if settings.prefect_api_url and api and not processes.running(SERVER):
        lines[SERVER] = f"{api.url} (PREFECT_API_URL)" if api.is_up() else None
    for name, line in lines.items():
        out(f"{name:15} {line or 'not running'}")
    now = datetime.now(UTC)
    if api and lines[SERVER]:
        schedules = list(_schedules(api, now))
        out("\n".join(schedules))
        is_well = is_well and not any(line.endswith(NOT_SCHEDULED) for line in schedules)
    if database:
        for line in _ages(database, now):
            out(line)
    is_well &= is_quiet(processes, dict.fromkeys((SERVER, WORKER, SERVICE)))
    serious = _serious(warehouse)
    return all(lines.values()) and is_well and not serious


def _database(warehouse: WarehouseSettings) -> Database | None:
    if not uses_embedded(warehouse):
        return resolve(warehouse)
    from warehouse import embedded

    return embedded.running(warehouse.data_dir)


def _serious(warehouse: WarehouseSettings) -> list[str]:
    """What the embedded server's log says since it started that somebody should read; said in a line."""
    if not uses_embedded(warehouse):
        return []
    from warehouse import embedded_files, server_log

    lines = server_log.serious(warehouse.data_dir)
    if lines:
        out(f"ERRORS          {len(lines)} in {embedded_files.log_file(warehouse.data_dir)}, the first: {lines[0]}")
    return lines


def _address(database: Database | None) -> str | None:
    if database is None:
        return None
    with database.connect():
        return f"{database.host}:{database.port} ({'embedded' if database.is_embedded else 'DATABASE_URL'})"


def _schedules(api: PrefectApi, now: datetime) -> Iterator[str]:
    """A line per deployment with a schedule."""
    try:
        with api.connected(), get_client(sync_client=True) as client:
            for deployment in scheduled_deployments(client):
                last, following = last_run(client, deployment.id), next_run(client, deployment.id)
                due = following.expected_start_time if following else None
                yield (
                    f"{deployment.name:27} last: {_last(last, now)}; next: "
                    + (f"{due:%Y-%m-%d %H:%M}Z" if due else NOT_SCHEDULED)
                )
    except (httpx.HTTPError, PrefectException, RuntimeError) as error:
        yield f"The schedules cannot be read from Prefect ({type(error).__name__})."


def _last(run: FlowRun | None, now: datetime) -> str:
    if run is None or run.state is None:
        return "none yet"
    message = f" ({run.state.message})" if run.state.message else ""
    return f"{run.state.name}{message}, {ago(run.end_time or run.start_time, now)}"


def _ages(database: Database, now: datetime) -> Iterator[str]:
    """A line per source: when its upstream last gave real data for the present."""
    try:
        with database.connect(role=Role.LOADER) as connection:
            heard = heard_from(connection, list(DATASETS))
    except (psycopg.Error, UsageError):
        yield "The age of the data is not known: the tables of runs do not exist yet. `make run` makes them."
        return
    for source in CADENCES:
        newest = max(
            (heard[slug] for slug, dataset in DATASETS.items() if dataset.source == source and slug in heard),
            default=None,
        )
        yield f"{source:27} real data last received: {ago(newest, now)}"


def _describe(running: Running) -> str:
    since = datetime.fromtimestamp(running.since, UTC)
    return f"{running.address} (process {running.pid}, since {since:%Y-%m-%d %H:%M}Z)"
