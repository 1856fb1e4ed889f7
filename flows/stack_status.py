"""What `make status` says: each process and where it is, each schedule's last and next run, and how old the data is."""

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import psycopg
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import PrefectException

from flows.cadence import CADENCES
from flows.prefect_server import SERVER, PrefectApi, current_api
from flows.processes import Processes, Running
from flows.publication import heard_from
from flows.schedules import last_run, next_run
from flows.settings import FlowSettings
from pipelines.catalogue import DATASETS
from warehouse.counts import ago
from warehouse.database import Database, Role, resolve, uses_embedded
from warehouse.errors import UsageError
from warehouse.settings import WarehouseSettings

WORKER, SERVICE = "worker", "service"
NOT_SCHEDULED = "NONE SCHEDULED"


def status() -> bool:
    """Say what runs, what ran last and runs next, and how old the data is; False if something is not as it should be."""
    warehouse, settings = WarehouseSettings(), FlowSettings()
    processes = Processes(warehouse.data_dir)
    database = _database(warehouse)
    lines: dict[str, str | None] = {"PostgreSQL": _address(database)}
    for name in (SERVER, WORKER, SERVICE):
        running = processes.running(name)
        lines[name] = _describe(running) if running else None
    api = current_api()
    if settings.prefect_api_url and api and not processes.running(SERVER):
        lines[SERVER] = f"{api.url} (PREFECT_API_URL)" if api.is_up() else None
    for name, line in lines.items():
        print(f"{name:15} {line or 'not running'}")
    now, is_scheduled = datetime.now(UTC), True
    if api and lines[SERVER]:
        schedules = list(_schedules(api, now))
        print("\n".join(schedules))
        is_scheduled = not any(line.endswith(NOT_SCHEDULED) for line in schedules)
    if database:
        for line in _ages(database, now):
            print(line)
    errors = {name: found for name in (SERVER, WORKER, SERVICE) if (found := processes.errors(name))}
    for name, found in errors.items():
        print(f"ERRORS          {len(found)} in {processes.logs / name}.log, the first: {found[0]}")
    return all(lines.values()) and is_scheduled


def _database(warehouse: WarehouseSettings) -> Database | None:
    if not uses_embedded(warehouse):
        return resolve(warehouse)
    from warehouse import embedded

    return embedded.running(warehouse.data_dir)


def _address(database: Database | None) -> str | None:
    if database is None:
        return None
    with database.connect():
        return f"{database.host}:{database.port} ({'embedded' if database.is_embedded else 'DATABASE_URL'})"


def _schedules(api: PrefectApi, now: datetime) -> Iterator[str]:
    """A line per deployment with a schedule."""
    try:
        with api.connected(), get_client(sync_client=True) as client:
            for deployment in sorted(client.read_deployments(limit=200), key=lambda found: found.name):
                if not any(schedule.active for schedule in deployment.schedules):
                    continue
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
        yield "The age of the data is not known: the tables of runs are not there yet. `make run` makes them."
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
