"""What `make status` and the end of `make up` say, and when they fail: against a Prefect server without a worker."""

import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from flows.prefect_api import SERVER
from flows.processes import Processes
from flows.stack_check import is_quiet, is_scheduled
from flows.stack_service import SERVICE, answers, start
from flows.stack_status import WORKER
from tests.commands import run
from tests.energy import Energy
from tests.flows.prefect_under_test import Server
from tests.flows.test_work_pool import OVER
from warehouse.counts import ago

pytest_plugins = ["tests.flows.prefect_under_test"]
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("work pool")]

NAPS = "import time; print('ready', flush=True); time.sleep(600)"
SERVES = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self): self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(f"http://127.0.0.1:{server.server_port} ", flush=True)
server.serve_forever()
"""


@dataclass
class Parts:
    """A worker and a service that do nothing, in a DATA_DIR of their own."""

    data_dir: Path
    api: str

    @property
    def processes(self) -> Processes:
        return Processes(self.data_dir)

    def status(self) -> tuple[int, str]:
        """What `make status` says, and whether all is well."""
        done = run("flows.stack", "status", DATA_DIR=str(self.data_dir), PREFECT_API_URL=self.api)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def parts(energy: Energy, server_of_others: Server, tmp_path: Path) -> Iterator[Parts]:
    """The parts, with one deployment that is scheduled; everything is well."""
    deployment = server_of_others.deployment("refresh-beckn")
    server_of_others.post(f"deployments/{deployment}/schedule", {"min_runs": 3})
    found = Parts(tmp_path, server_of_others.api.url)
    for name, program in ((WORKER, NAPS), (SERVICE, SERVES)):
        log = found.processes.log(name)
        found.processes.start(
            name,
            [sys.executable, "-c", program],
            environment=dict(os.environ),
            answers=lambda log=log: log.first(r"http://\S+|ready"),  # type: ignore[misc]
            seconds=30,
        )
    yield found
    for name in (WORKER, SERVICE):
        with suppress(psutil.Error):
            if running := found.processes.running(name):
                psutil.Process(running.pid).send_signal(signal.SIGCONT)
        found.processes.stop(name)


def test_all_is_well(parts: Parts, energy: Energy, server_of_others: Server) -> None:
    assert energy.refresh("beckn")["failures"] == []
    code, said = parts.status()
    assert code == 0, said
    assert re.search(r"^refresh-beckn +last: none yet; next: \d{4}-\d\d-\d\d \d\d:\d\dZ$", said, re.M), said
    assert re.search(r"^beckn +real data last received: less than a minute ago$", said, re.M), said
    assert re.search(rf"^elexon +real data last received: {ago(None, None)}$", said, re.M), said  # type: ignore[arg-type]
    assert f"{server_of_others.api.url} (PREFECT_API_URL)" in said
    assert "ERRORS" not in said and "not running" not in said


@pytest.mark.parametrize("name", [WORKER, SERVICE])
def test_an_error_in_a_log_is_said_and_fails(parts: Parts, name: str) -> None:
    line = "ERROR:    Exception in ASGI application"
    with parts.processes.log(name).path.open("a") as log:
        log.write(f"{line}\n")
    code, said = parts.status()
    assert code == 1
    assert f"ERRORS          1 in {parts.processes.log(name).path}, the first: {line}" in said


@pytest.mark.parametrize("name", [WORKER, SERVICE])
def test_a_part_that_died_is_said_and_fails(parts: Parts, name: str) -> None:
    os.kill(parts.processes.running(name).pid, signal.SIGKILL)  # type: ignore[union-attr]
    code, said = parts.status()
    assert code == 1 and re.search(rf"^{name} +not running$", said, re.M), said


def test_a_service_that_hangs_is_said_and_is_started_anew(parts: Parts) -> None:
    hanging = parts.processes.running(SERVICE)
    assert hanging and answers(hanging.address)
    os.kill(hanging.pid, signal.SIGSTOP)
    code, said = parts.status()
    assert code == 1
    assert re.search(rf"^service +DOES NOT ANSWER at {hanging.address} \(process {hanging.pid}", said, re.M), said
    environment = {**os.environ, "DATA_DIR": str(parts.data_dir), "SERVICE_PORT": "0", "SERVICE_TOKEN": "t" * 40}
    fresh = start(parts.processes, environment)
    assert fresh.pid != hanging.pid and not psutil.pid_exists(hanging.pid)
    assert httpx.get(f"{fresh.address}/healthz", timeout=30).status_code == 200
    assert start(parts.processes, environment) == fresh, "one that is well is left alone"
    moved = start(parts.processes, {**environment, "DATABASE_AT": "127.0.0.1:1"})
    assert moved.pid != fresh.pid, "it knows the address of the database that it began with"


def test_a_schedule_without_a_run_to_come_is_said_and_fails(
    parts: Parts, server_of_others: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert is_scheduled(server_of_others.api, parts.processes, within_seconds=0)
    with a_deployment_that_is_over(server_of_others):
        code, said = parts.status()
        assert code == 1 and re.search(r"^over +last: none yet; next: NONE SCHEDULED$", said, re.M), said
        assert not is_scheduled(server_of_others.api, parts.processes, within_seconds=0)
    assert "NOT SCHEDULED   over: Prefect has planned no run. Its log: " in capsys.readouterr().out


def test_what_up_says_of_errors_since_it_began(parts: Parts, capsys: pytest.CaptureFixture[str]) -> None:
    names = (SERVER, WORKER, SERVICE)
    log = parts.processes.log(SERVICE)
    with log.path.open("a") as file:
        file.write("CRITICAL:root:before\n")
    marks = {name: parts.processes.log(name).mark() for name in names}
    assert is_quiet(parts.processes, marks)
    with log.path.open("a") as file:
        file.write("Traceback (most recent call last):\n")
    assert not is_quiet(parts.processes, marks)
    said = capsys.readouterr().out
    assert said == f"ERRORS          1 in {log.path}, the first: Traceback (most recent call last):\n"


@contextmanager
def a_deployment_that_is_over(server: Server) -> Iterator[None]:
    """One in our pool whose schedule will never come."""
    deployment = server.deployment("over", schedule=OVER)
    try:
        yield
    finally:
        httpx.delete(f"{server.api.url}/deployments/{deployment}", timeout=60).raise_for_status()
