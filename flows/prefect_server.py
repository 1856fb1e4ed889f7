"""The Prefect server of `make up`: how it is started, and what is deployed to it.

The server runs any code it is given, as the user who started it. So every request needs the password, which only that user
can read (`prefect.env` in DATA_DIR), and pages of other origins may not call it.
"""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx
import psycopg
import yaml

from flows.prefect_api import SERVER, PrefectApi, keep, kept, password_of
from flows.processes import Processes
from flows.settings import FlowSettings
from warehouse import ports
from warehouse.database import Database
from warehouse.errors import UsageError
from warehouse.printed import out
from warehouse.server import uses_embedded
from warehouse.settings import PROJECT_ROOT, WarehouseSettings

POOL = "energy"
PREFECT = (sys.executable, "-m", "prefect")
TRIES = 3
"""Another program may take the port between the look and the start."""


def start(
    processes: Processes, settings: FlowSettings, database: Database, environment: Mapping[str, str]
) -> PrefectApi:
    """Start the server if it does not run; returns its API. Raises UsageError, with its last log lines, if it cannot."""
    data_dir = WarehouseSettings().data_dir
    running = processes.running(SERVER)
    started_with, instance = data_dir / "prefect" / "database", _instance(database)
    if running and _read(started_with) == instance:
        return PrefectApi(running.address, password_of(data_dir))
    host, password = settings.prefect_server_api_host, password_of(data_dir)
    store = _store(database, data_dir)
    processes.stop(SERVER)
    started_with.parent.mkdir(parents=True, exist_ok=True)
    started_with.write_text(instance)
    before = re.search(rf"//{re.escape(host)}:(\d+)/", kept(data_dir).get("PREFECT_API_URL", ""))
    wanted = (
        int(before[1]) if before and running else settings.prefect_server_api_port
    )  # a worker of before looks there
    for tries_left in reversed(range(TRIES)):
        port = ports.free(host, wanted)
        instead = f", at port {port} because another program has {wanted}" if wanted not in (0, port) else ""
        out(f"Prefect         starting{instead}; it keeps its own records in {store[0]}", flush=True)
        api = PrefectApi(f"http://{host}:{port}/api", password)
        try:
            processes.start(
                SERVER,
                [sys.executable, "-m", "flows.prefect_app", "--host", host, "--port", str(port)],
                environment=_server_environment(environment, api, store[1], port),
                answers=lambda api=api: api.url if api.is_up() else None,  # type: ignore[misc]
                seconds=180,
            )
        except UsageError:
            if tries_left and ports.free(host, port) != port:
                continue
            raise
        break
    keep(data_dir, api.environment())
    return api


def _instance(database: Database) -> str:
    """Which start of the embedded PostgreSQL this is: a server of Prefect has queues and connections of the one it began with."""
    if not uses_embedded(WarehouseSettings()):
        return ""
    with database.connect() as connection:
        row = connection.execute("select pg_postmaster_start_time()::text").fetchone()
    return row[0] if row else ""


def _read(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


def _server_environment(environment: Mapping[str, str], api: PrefectApi, store: str, port: int) -> dict[str, str]:
    password = api.password.get_secret_value() if api.password else ""
    return {
        **environment,
        "PREFECT_API_DATABASE_CONNECTION_URL": store,
        "PREFECT_API_DATABASE_TIMEOUT": "60",
        "PREFECT_API_URL": api.url,
        "PREFECT_API_AUTH_STRING": password,
        "PREFECT_SERVER_API_AUTH_STRING": password,
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": api.page,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_UI_V2_ENABLED": "false",  # its page calls an analytics host, whatever the setting says
        "PREFECT_UI_STATIC_DIRECTORY": str(WarehouseSettings().data_dir.resolve() / "prefect" / "ui"),
        # a restart of the server must find the slots that runs hold
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PREFECT_UI_API_URL": "/api",  # the page calls the host and port that it came from
    }


def _store(database: Database, data_dir: Path) -> tuple[str, str]:
    """Where Prefect keeps its records: a database of its own beside ours, if the server has what Prefect needs.

    Prefect needs the extension pg_trgm. Some servers do not have it; then it is SQLite.
    """
    name = f"{database.name}_prefect"
    try:
        with database.connect() as connection:
            row = connection.execute(
                "select exists (select from pg_available_extensions where name = 'pg_trgm') and rolcreatedb, "
                "exists (select from pg_database where datname = %s) from pg_roles where rolname = current_user",
                [name],
            ).fetchone()
            if row and row[0]:
                if not row[1]:
                    connection.execute(f'create database "{name}"')
                address = Database(database.host, database.port, database.user, name, database.password)
                return f"PostgreSQL, database {name}", address.address().replace("postgresql", "postgresql+asyncpg", 1)
    except psycopg.Error:
        pass
    path = data_dir.resolve() / "prefect" / "prefect.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    return f"{path} (SQLite: this PostgreSQL has no pg_trgm)", f"sqlite+aiosqlite:///{path}"


def deployment_names() -> list[str]:
    """The deployments of `prefect.yaml`."""
    described = yaml.safe_load((PROJECT_ROOT / "prefect.yaml").read_text())
    return [deployment["name"] for deployment in described["deployments"]]


def deploy(api: PrefectApi, environment: Mapping[str, str]) -> None:
    """Create the work pool and the deployments of `prefect.yaml`. Raises UsageError if Prefect refuses."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import PrefectException
    from prefect.workers.process import ProcessWorker

    template = ProcessWorker.get_default_base_job_template()
    try:
        with api.connected(), get_client(sync_client=True) as client:
            pool = WorkPoolCreate(name=POOL, type="process", base_job_template=template)
            client.create_work_pool(pool, overwrite=True)
    except (httpx.HTTPError, PrefectException, RuntimeError) as error:
        raise UsageError(f"Prefect at {api.url} refused the work pool {POOL!r} ({type(error).__name__}).") from None
    done = subprocess.run(
        [*PREFECT, "--no-prompt", "deploy", "--all"],
        cwd=PROJECT_ROOT,
        env={**environment, **api.environment()},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    if done.returncode:
        words = " | ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
        raise UsageError(f"prefect deploy --all failed at {api.url}: {words}")
