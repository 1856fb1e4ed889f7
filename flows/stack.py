"""`python -m flows.stack up | down | status`: the whole local stack. What `make up`, `make down` and `make status` run.

The database, a Prefect server with the deployments of `prefect.yaml`, one worker, and the service. With PREFECT_API_URL set, the
server is somebody else's: only the deployments and the worker are ours.
"""

import argparse
import re
import socket
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg

from flows import command
from flows.processes import Processes, Running
from flows.settings import FlowSettings
from flows.stale_runs import HEARTBEAT_SECONDS, sweep
from warehouse.database import Database, resolve, uses_embedded
from warehouse.errors import UsageError
from warehouse.prepare import prepare
from warehouse.settings import PROJECT_ROOT, WarehouseSettings

SERVER, WORKER, SERVICE = "prefect-server", "worker", "service"
POOL = "energy"
BIN = Path(sys.executable).parent


def up() -> None:
    """Start what does not run yet; a second `up` changes nothing but the deployments."""
    warehouse, settings = WarehouseSettings(), FlowSettings()
    database = resolve(warehouse)
    prepare(database)
    print(f"PostgreSQL      {database.host}:{database.port}, database {database.name}")
    processes = Processes(warehouse.data_dir)
    environment = {**settings.environment(), "DATA_DIR": str(warehouse.data_dir.resolve())}
    server = _server(processes, settings, database, environment)
    print(f"Prefect         {server.removesuffix('/api')} (the UI; API at {server})")
    environment |= {
        "PREFECT_API_URL": server,
        "ENERGY_PROJECT_DIR": str(PROJECT_ROOT),
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_SECONDS),
    }
    _deploy(environment)
    for run in sweep(database, server):  # a dead run would have the next one of its deployment left out
        print(f"Swept           {run.told}")
    worker = processes.running(WORKER) or processes.start(
        WORKER,
        [str(BIN / "prefect"), "worker", "start", "--pool", POOL, "--name", f"{socket.gethostname()}-worker"],
        environment=environment,
        answers=_says(processes, WORKER, r"Worker '.*' started"),
        seconds=90,
    )  # fmt: skip
    print(f"Worker          of pool {POOL}, process {worker.pid}")
    service = processes.running(SERVICE) or processes.start(
        SERVICE,
        [sys.executable, "-m", "service"],
        environment=environment | {"PYTHONUNBUFFERED": "1"},
        answers=_says(processes, SERVICE, r"http://[^ ]+"),
        seconds=60,
    )
    print(f"Service         {service.address} (token: SERVICE_TOKEN, or see {warehouse.data_dir / 'service.env'})")
    print("Stop it all: make down. What runs: make status. Is everything fresh: .venv/bin/python -m flows.watch")


def _server(processes: Processes, settings: FlowSettings, database: Database, environment: Mapping[str, str]) -> str:
    if settings.prefect_api_url:
        return settings.prefect_api_url
    running = processes.running(SERVER)
    if running:
        return running.address
    port = _port(settings.prefect_server_api_port)
    address = f"http://{settings.prefect_server_api_host}:{port}/api"
    store = _store(database, WarehouseSettings().data_dir)
    print(f"Prefect         starting; it keeps its own records in {store[0]}", flush=True)
    started = processes.start(
        SERVER,
        [str(BIN / "prefect"), "server", "start", "--host", settings.prefect_server_api_host, "--port", str(port)],
        environment={
            **environment,
            "PREFECT_API_DATABASE_CONNECTION_URL": store[1],
            "PREFECT_API_DATABASE_TIMEOUT": "60",
            "PREFECT_SERVER_API_PORT": str(port),
            "PREFECT_UI_API_URL": "/api",  # the page asks the host and port that it came from, whichever those are
        },
        answers=lambda: address if _is_healthy(address) else None,
        seconds=180,
    )
    return started.address


def _store(database: Database, data_dir: Path) -> tuple[str, str]:
    """Where Prefect keeps its records: a database of its own beside ours, where the server has what Prefect needs.

    Prefect wants the extension pg_trgm. The wheel of the embedded server carries none but vector, so there it is SQLite.
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


def _deploy(environment: Mapping[str, str]) -> None:
    for arguments in (
        ("work-pool", "create", POOL, "--type", "process", "--overwrite"),
        ("--no-prompt", "deploy", "--all"),
    ):
        _run([str(BIN / "prefect"), *arguments], environment)
    _run([sys.executable, "-c", "from flows.stale_runs import keep_automation; keep_automation()"], environment)
    names = re.findall(r"^  - name: (\S+)", (PROJECT_ROOT / "prefect.yaml").read_text(), flags=re.M)
    print(f"Deployments     {', '.join(names)}")


def _run(arguments: list[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        arguments, cwd=PROJECT_ROOT, env=dict(environment), capture_output=True, text=True, check=False, timeout=180
    )
    if done.returncode:
        words = " | ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
        raise UsageError(f"{' '.join(arguments[1:4])} failed at {environment['PREFECT_API_URL']}: {words}")


def down() -> None:
    """Stop what `up` started, and the embedded database."""
    warehouse = WarehouseSettings()
    processes = Processes(warehouse.data_dir)
    for name in (SERVICE, WORKER, SERVER):
        print(f"{name:15} {'stopped' if processes.stop(name) else 'was not running'}")
    if not uses_embedded(warehouse):
        print("PostgreSQL      DATABASE_URL is set: that server is not ours to stop")
        return
    from warehouse import embedded

    print(f"PostgreSQL      {'stopped' if embedded.stop(warehouse.data_dir) else 'was not running'}")


def prefect_api() -> str | None:
    """Prefect's API: that of PREFECT_API_URL, or of the server that `up` has started; None if neither is there."""
    running = Processes(WarehouseSettings().data_dir).running(SERVER)
    return FlowSettings().prefect_api_url or (running.address if running else None)


def status() -> bool:
    """Say what runs and where; False if something of the stack does not."""
    warehouse, settings = WarehouseSettings(), FlowSettings()
    processes = Processes(warehouse.data_dir)
    lines: dict[str, str | None] = {"PostgreSQL": _postgresql(warehouse)}
    for name in (SERVER, WORKER, SERVICE):
        running = processes.running(name)
        lines[name] = _told(running) if running else None
    if settings.prefect_api_url:
        healthy = _is_healthy(settings.prefect_api_url)
        lines[SERVER] = f"{settings.prefect_api_url} (PREFECT_API_URL)" if healthy else None
    for name, line in lines.items():
        print(f"{name:15} {line or 'not running'}")
    return all(lines.values())


def _postgresql(warehouse: WarehouseSettings) -> str | None:
    if not uses_embedded(warehouse):
        database = resolve(warehouse)
        with database.connect():
            return f"{database.host}:{database.port} (DATABASE_URL)"
    from warehouse import embedded

    found = embedded.running(warehouse.data_dir)
    return f"{found.host}:{found.port} (embedded)" if found else None


def _told(running: Running) -> str:
    since = datetime.fromtimestamp(running.since, UTC)
    return f"{running.address} (process {running.pid}, since {since:%Y-%m-%d %H:%M}Z)"


def _says(processes: Processes, name: str, pattern: str):  # type: ignore[no-untyped-def]
    """Whether the process's log has such words, which are then its address."""

    def answers() -> str | None:
        found = re.search(pattern, (processes.logs / f"{name}.log").read_text(errors="replace"))
        return found[0] if found else None

    return answers


def _is_healthy(api: str) -> bool:
    try:
        return httpx.get(f"{api}/health", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def _port(wanted: int) -> int:
    """The port that was asked for, or a free one if another program has it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
            return int(probe.getsockname()[1])
        except OSError:
            return _free_port()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m flows.stack", description=__doc__)
    parser.add_argument("command", choices=("up", "down", "status"))
    chosen = parser.parse_args().command

    def run() -> bool:
        if chosen == "status":
            return status()
        with Processes(WarehouseSettings().data_dir).one_at_a_time():
            (up if chosen == "up" else down)()
        return True

    command.run(run)


if __name__ == "__main__":
    main()
