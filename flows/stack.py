"""`python -m flows.stack up | down | status`: the whole local stack. What `make up`, `make down` and `make status` run.

The database, a Prefect server with the deployments of `prefect.yaml`, the service, and one worker. With PREFECT_API_URL set, the
server is somebody else's: only the deployments, the service and the worker are ours.
"""

import argparse
import re
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from flows import command, prefect_server
from flows.prefect_server import POOL, PREFECT, SERVER, PrefectApi, is_own
from flows.processes import Processes
from flows.schedules import skip_late_runs, unscheduled
from flows.settings import FlowSettings
from flows.stack_status import SERVICE, WORKER, status
from flows.stale_runs import HEARTBEAT_SECONDS, keep_automation, sweep
from warehouse.counts import count
from warehouse.database import Database, resolve, uses_embedded
from warehouse.prepare import prepare
from warehouse.settings import PROJECT_ROOT, WarehouseSettings

SCHEDULED_WITHIN_SECONDS = 90


def up() -> bool:
    """Start what does not run yet; a second `up` changes nothing but the deployments. False if no run is scheduled."""
    warehouse, settings = WarehouseSettings(), FlowSettings()
    database = resolve(warehouse)
    prepare(database)
    print(f"PostgreSQL      {database.host}:{database.port}, database {database.name}")
    processes = Processes(warehouse.data_dir)
    said_before = processes.log_size(SERVER) if processes.running(SERVER) else 0
    environment = _environment(settings, warehouse.data_dir.resolve())
    api = _prefect(processes, settings, database, environment)
    environment |= api.environment()
    if processes.running(WORKER) and processes.environment(WORKER).get("PREFECT_API_URL") != api.url:
        processes.stop(WORKER)  # it asks at an address that is no more
    prefect_server.deploy(api, environment)
    print(f"Deployments     {', '.join(prefect_server.deployment_names())}")
    _tidy(database, api, has_worker=processes.running(WORKER) is not None)
    service = processes.running(SERVICE) or processes.start(
        SERVICE,
        [sys.executable, "-m", "service"],
        environment=environment | {"PYTHONUNBUFFERED": "1"},
        answers=_says(processes, SERVICE, r"http://[^ ]+"),
        seconds=60,
    )
    worker = processes.running(WORKER) or processes.start(
        WORKER,
        [*PREFECT, "worker", "start", "--pool", POOL, "--name", f"{socket.gethostname()}-worker"],
        environment=environment,
        answers=_says(processes, WORKER, r"Worker '.*' started"),
        seconds=90,
    )  # fmt: skip
    print(f"Worker          of pool {POOL}, process {worker.pid}")
    print(f"Service         {service.address} (token: SERVICE_TOKEN, or see {warehouse.data_dir / 'service.env'})")
    if another := _says(processes, SERVICE, r"Port \d+ \(SERVICE_PORT\) cannot be used.*")():
        print(f"                {another}")
    is_scheduled = _is_scheduled(api, processes, said_before)
    print("Stop it all: make down. What runs: make status. Is everything fresh: make watch")
    return is_scheduled


def _environment(settings: FlowSettings, data_dir: Path) -> dict[str, str]:
    """What every process of the stack is given. Temporary files lie in DATA_DIR too: `/tmp` is shared with other users."""
    temporary = data_dir / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    return {
        **settings.environment(),
        "DATA_DIR": str(data_dir),
        "TMPDIR": str(temporary),
        "ENERGY_PROJECT_DIR": str(PROJECT_ROOT),
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_SECONDS),
    }


def _prefect(
    processes: Processes, settings: FlowSettings, database: Database, environment: dict[str, str]
) -> PrefectApi:
    data_dir = WarehouseSettings().data_dir
    if settings.prefect_api_url and not is_own(settings.prefect_api_url, data_dir):
        api = PrefectApi(settings.prefect_api_url, settings.prefect_api_auth_string)
        print(f"Prefect         {api.page} (PREFECT_API_URL; API at {api.url})")
        return api
    api = prefect_server.start(processes, settings, database, environment)
    print(f"Prefect         {api.page} (the UI; API at {api.url}; password: {data_dir / 'prefect.env'})")
    return api


def _tidy(database: Database, api: PrefectApi, *, has_worker: bool) -> None:
    """End what died and skip what is late before the worker starts: neither may keep the next run from its turn."""
    for run in sweep(database, api, has_worker=has_worker):
        print(f"Swept           {run.told}")
    with api.connected():
        keep_automation()
        skipped = 0 if has_worker else skip_late_runs()
    if skipped:
        print(f"Skipped         {count(skipped, 'scheduled run')} that came due while nothing ran")


def _is_scheduled(api: PrefectApi, processes: Processes, said_before: int) -> bool:
    """Whether every schedule has a run to come, and Prefect's server has logged no error since this command began."""
    with api.connected():
        missing = unscheduled(SCHEDULED_WITHIN_SECONDS)
    errors = processes.errors(SERVER, after=said_before)
    if missing:
        print(
            f"NOT SCHEDULED   {', '.join(missing)}: Prefect has planned no run. Its log: {processes.logs / SERVER}.log"
        )
    if errors:
        print(f"ERRORS          {len(errors)} in {processes.logs / SERVER}.log, the first: {errors[0]}")
    return not (missing or errors)


def down() -> bool:
    """Stop what `up` started, and the embedded database."""
    warehouse = WarehouseSettings()
    processes = Processes(warehouse.data_dir)
    for name in (SERVICE, WORKER, SERVER):
        print(f"{name:15} {'stopped' if processes.stop(name) else 'was not running'}")
    shutil.rmtree(warehouse.data_dir / "tmp", ignore_errors=True)
    if not uses_embedded(warehouse):
        print("PostgreSQL      DATABASE_URL is set: that server is not ours to stop")
        return True
    from warehouse import embedded

    print(f"PostgreSQL      {'stopped' if embedded.stop(warehouse.data_dir) else 'was not running'}")
    return True


def _says(processes: Processes, name: str, pattern: str) -> Callable[[], str | None]:
    """Whether the process's log has such words, which are then its address."""

    def answers() -> str | None:
        found = re.search(pattern, (processes.logs / f"{name}.log").read_text(errors="replace"))
        return found[0] if found else None

    return answers


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m flows.stack", description=__doc__)
    commands = {"up": up, "down": down, "status": status}
    parser.add_argument("command", choices=commands)
    chosen = parser.parse_args().command

    def run() -> bool:
        if chosen == "status":
            return status()
        with Processes(WarehouseSettings().data_dir).one_at_a_time():
            return commands[chosen]()

    command.run(run)


if __name__ == "__main__":
    main()
