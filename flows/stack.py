"""`python -m flows.stack up | down | status`: the whole local stack. What `make up`, `make down` and `make status` run.

The database, a Prefect server with the deployments of `prefect.yaml`, the service, and one worker. With PREFECT_API_URL set, the
server is somebody else's: only the deployments, the service and the worker are ours.
"""

import argparse
import shutil
import socket
from pathlib import Path

from flows import prefect_server, stack_service, temporary
from flows.automations import HEARTBEAT_SECONDS, keep_automations
from flows.dispatch import dispatch_all, summary
from flows.prefect_api import SERVER, PrefectApi, forget_password, is_own
from flows.prefect_server import POOL, PREFECT
from flows.processes import Processes
from flows.schedules import skip_late_runs
from flows.settings import FlowSettings
from flows.stack_check import is_quiet, is_scheduled
from flows.stack_service import SERVICE
from flows.stack_status import WORKER, status
from flows.stale_runs import sweep
from warehouse import command
from warehouse.counts import count
from warehouse.database import Database
from warehouse.prepare import prepare
from warehouse.printed import out
from warehouse.server import resolve, uses_embedded
from warehouse.settings import PROJECT_ROOT, WarehouseSettings

PARTS = (SERVER, WORKER, SERVICE)


def up() -> bool:
    """Start what does not run yet; a second `up` changes nothing but the deployments.

    False if a schedule has no run to come, or a process has logged an error since this command began.
    """
    warehouse, settings = WarehouseSettings(), FlowSettings()
    database = resolve(warehouse)
    prepare(database)
    out(f"PostgreSQL      {database.host}:{database.port}, database {database.name}")
    processes = Processes(warehouse.data_dir)
    for name in PARTS:
        processes.log(name).cut()
    marks = {name: processes.log(name).mark() for name in PARTS}
    environment = _environment(settings, warehouse.data_dir.resolve(), database)
    server = processes.running(SERVER)
    api = _prefect(processes, settings, database, environment)
    environment |= api.environment()
    if processes.environment(WORKER).get("PREFECT_API_URL") != api.url:
        processes.stop(WORKER)  # it asks at an address that is no more, or it died and has left runs
    prefect_server.deploy(api, environment)
    out(f"Deployments     {', '.join(prefect_server.deployment_names())}")
    if processes.running(SERVER) != server:
        marks[WORKER] = processes.log(WORKER).mark()  # that the server before this one was away is no news
    _tidy(database, api, has_worker=processes.running(WORKER) is not None)
    service = stack_service.start(processes, environment)
    worker = processes.running(WORKER) or processes.start(
        WORKER,
        [*PREFECT, "worker", "start", "--pool", POOL, "--name", f"{socket.gethostname()}-worker"],
        environment=environment,
        answers=lambda: processes.log(WORKER).first(r"Worker '.*' started"),
        seconds=90,
    )
    out(f"Worker          of pool {POOL}, process {worker.pid}")
    out(f"Service         {service.address} (token: SERVICE_TOKEN, or see {warehouse.data_dir / 'service.env'})")
    if another := processes.log(SERVICE).first(r"Port \d+ \(SERVICE_PORT\) cannot be used.*"):
        out(f"                {another}")
    is_well = is_scheduled(api, processes) & is_quiet(processes, marks)
    out("Stop it all: make down. What runs: make status. Is everything fresh: make watch")
    return is_well


def _environment(settings: FlowSettings, data_dir: Path, database: Database) -> dict[str, str]:
    """What every process of the stack is given. Temporary files lie in DATA_DIR too: `/tmp` is shared with other users.

    An address of the embedded database, which a shell has after `make env`, is left out: its port may change, and DATA_DIR says
    where it is.
    """
    inherited = settings.environment()
    if database.is_embedded:
        address = {"DATABASE_URL", *database.libpq_environment()}
        inherited = {name: value for name, value in inherited.items() if name not in address}
    return {
        **inherited,
        "DATABASE_AT": f"{database.host}:{database.port}",
        "DATA_DIR": str(data_dir),
        "TMPDIR": str(temporary.folder(data_dir)),
        "ENERGY_PROJECT_DIR": str(PROJECT_ROOT),
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_SECONDS),
    }


def _prefect(
    processes: Processes, settings: FlowSettings, database: Database, environment: dict[str, str]
) -> PrefectApi:
    data_dir = WarehouseSettings().data_dir
    if settings.prefect_api_url and not is_own(settings.prefect_api_url, data_dir):
        api = PrefectApi(settings.prefect_api_url, settings.prefect_api_auth_string)
        out(f"Prefect         {api.page} (PREFECT_API_URL; API at {api.url})")
        return api
    api = prefect_server.start(processes, settings, database, environment)
    out(f"Prefect         {api.page} (the UI; API at {api.url}; password: {data_dir / 'prefect.env'})")
    return api


def _tidy(database: Database, api: PrefectApi, *, has_worker: bool) -> None:
    """End what died and skip what is late before the worker starts: neither may keep the next run from its turn."""
    for run in sweep(database, api, has_worker=has_worker):
        out(f"Swept           {run.summary}")
    with api.connected():
        keep_automations(only_ours=not is_own(api.url, WarehouseSettings().data_dir))
        skipped = 0 if has_worker else skip_late_runs()
        dispatched = None if has_worker else dispatch_all(database)
    if skipped:
        out(f"Skipped         {count(skipped, 'scheduled run')} that came due while nothing ran")
    if dispatched and dispatched.done:
        out(f"Workloads       {summary(dispatched.done)}")
    for failure in dispatched.failures if dispatched else ():
        out(f"Workloads       {failure}")


def down() -> bool:
    """Stop what `up` started, and the embedded database."""
    warehouse = WarehouseSettings()
    processes = Processes(warehouse.data_dir)
    for name in reversed(PARTS):
        out(f"{name:15} {'stopped' if processes.stop(name) else 'was not running'}")
    forget_password(warehouse.data_dir)
    shutil.rmtree(warehouse.data_dir / "tmp", ignore_errors=True)
    if not uses_embedded(warehouse):
        out("PostgreSQL      DATABASE_URL is set: that server is not ours to stop")
        return True
    from warehouse import embedded

    out(f"PostgreSQL      {'stopped' if embedded.stop(warehouse.data_dir) else 'was not running'}")
    return True


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
