"""The Prefect server of `make up`: its address and password, how it is started, and what is deployed to it.

The server runs what it is told as the user who started it. So every request needs the password, which only that user can read
(`prefect.env` in DATA_DIR), and pages of other origins may not call it.
"""

import re
import secrets
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg
import yaml
from pydantic import SecretStr

from flows.processes import Processes, Running, write_private
from flows.settings import FlowSettings
from warehouse import ports
from warehouse.database import Database, uses_embedded
from warehouse.errors import UsageError
from warehouse.settings import PROJECT_ROOT, WarehouseSettings

SERVER = "prefect-server"
POOL = "energy"
PREFECT = (sys.executable, "-m", "prefect")
USER = "energy"
TRIES = 3
"""Another program may take the port between the look and the start."""


@dataclass(frozen=True)
class PrefectApi:
    """Address and password of a Prefect API."""

    url: str
    password: SecretStr | None = field(default=None, repr=False)

    @property
    def page(self) -> str:
        """Address of the UI."""
        return self.url.removesuffix("/api")

    def environment(self) -> dict[str, str]:
        """The variables with which Prefect's own client finds it."""
        password = {"PREFECT_API_AUTH_STRING": self.password.get_secret_value()} if self.password else {}
        return {"PREFECT_API_URL": self.url, **password}

    def connected(self) -> AbstractContextManager[object]:
        """A context in which Prefect's client speaks to this API."""
        from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

        password = {PREFECT_API_AUTH_STRING: self.password.get_secret_value()} if self.password else {}
        return temporary_settings({PREFECT_API_URL: self.url, **password})

    def is_up(self) -> bool:
        """Whether the server answers with this password. One of our own also refuses requests without it: another
        program at the same address is not taken for it."""
        try:
            with httpx.Client(base_url=self.url, timeout=5) as client:
                if self.password is None:
                    return client.get("/health").status_code == 200
                auth = httpx.BasicAuth(*self.password.get_secret_value().split(":", 1))
                asked = [client.get("/admin/version", auth=auth), client.get("/admin/version")]
                return [answer.status_code for answer in asked] == [200, 401]
        except httpx.HTTPError:
            return False


def current_api() -> PrefectApi | None:
    """The API to use: that of PREFECT_API_URL, or of the server that `make up` has started; None without either."""
    data_dir, settings = WarehouseSettings().data_dir, FlowSettings()
    if settings.prefect_api_url and not is_own(settings.prefect_api_url, data_dir):
        return PrefectApi(settings.prefect_api_url, settings.prefect_api_auth_string)
    running = Processes(data_dir).running(SERVER)
    return PrefectApi(running.address, _password(data_dir)) if running else None


def is_own(url: str, data_dir: Path) -> bool:
    """Whether this address is the one in DATA_DIR/prefect.env, which a shell may have taken over."""
    kept = _kept(data_dir).get("PREFECT_API_URL")
    return kept is not None and kept.rstrip("/") == url.rstrip("/")


def start(
    processes: Processes, settings: FlowSettings, database: Database, environment: Mapping[str, str]
) -> PrefectApi:
    """Start the server if it does not run; returns its API. Raises UsageError, with its last log lines, if it cannot."""
    data_dir = WarehouseSettings().data_dir
    running = processes.running(SERVER)
    if running and not _lost_its_database(running, database):
        return PrefectApi(running.address, _password(data_dir))
    host, password = settings.prefect_server_api_host, _password(data_dir)
    store = _store(database, data_dir)
    processes.stop(SERVER)
    before = re.search(rf"//{re.escape(host)}:(\d+)/", _kept(data_dir).get("PREFECT_API_URL", ""))
    wanted = (
        int(before[1]) if before and running else settings.prefect_server_api_port
    )  # a worker of before looks there
    for tries_left in reversed(range(TRIES)):
        port = ports.free(host, wanted)
        instead = f", at port {port} because another program has {wanted}" if wanted not in (0, port) else ""
        print(f"Prefect         starting{instead}; it keeps its own records in {store[0]}", flush=True)
        api = PrefectApi(f"http://{host}:{port}/api", password)
        try:
            processes.start(
                SERVER,
                [*PREFECT, "server", "start", "--host", host, "--port", str(port)],
                environment=_server_environment(environment, api, store[1], port),
                answers=lambda api=api: api.url if api.is_up() else None,  # type: ignore[misc]
                seconds=180,
            )
        except UsageError:
            if tries_left and ports.free(host, port) != port:
                continue
            raise
        break
    lines = "".join(f"export {name}={value}\n" for name, value in api.environment().items())
    write_private(data_dir / "prefect.env", lines)
    return api


def _lost_its_database(running: Running, database: Database) -> bool:
    """Whether the embedded PostgreSQL was started after this server: its queues and connections are of the one before."""
    if not uses_embedded(WarehouseSettings()):
        return False
    with database.connect() as connection:
        row = connection.execute("select extract(epoch from pg_postmaster_start_time())::float8").fetchone()
    return row is not None and running.since < row[0]


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


def _password(data_dir: Path) -> SecretStr:
    """The password in DATA_DIR/prefect.env; made at the first call."""
    kept = _kept(data_dir).get("PREFECT_API_AUTH_STRING")
    if kept is None:
        kept = f"{USER}:{secrets.token_urlsafe(24)}"
        write_private(data_dir / "prefect.env", f"export PREFECT_API_AUTH_STRING={kept}\n")
    return SecretStr(kept)


def _kept(data_dir: Path) -> dict[str, str]:
    try:
        return dict(re.findall(r"^export (\w+)=(\S+)$", (data_dir / "prefect.env").read_text(), re.M))
    except FileNotFoundError:
        return {}


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
