"""A whole stack for tests: `python -m flows.stack up` in a DATA_DIR of its own, against the emulator, stopped at the end.

One for the session: test modules take it as a plugin (`pytest_plugins`). With TEST_DATABASE_URL its database is on that server.
"""

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from flows.process_logs import ERROR_LINE
from flows.processes import Processes
from tests.conftest import TEST_DATABASE_URL
from tests.emulator import Emulator
from tests.energy import FAST
from warehouse import embedded, server_log
from warehouse.database import Database, existing_roles
from warehouse.prepare import set_up
from warehouse.settings import PROJECT_ROOT

TOKEN = "platform-token-of-the-stack"
FINAL = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
NOT_OURS = re.compile(r"PREFECT_|PG|DBT_|DLT_|DATABASE_URL$|DATA_DIR$|SERVICE_|DASK_|ALERT_")


@dataclass
class Stack:
    """The stack of one DATA_DIR, seen from outside: its commands, its addresses, its processes."""

    data_dir: Path
    settings: dict[str, str]
    given: Database | None = None
    first_words: str = ""
    api: str = field(default="", init=False)
    service: str = field(default="", init=False)

    def run(self, module: str, *arguments: str, **settings: str) -> tuple[int, str]:
        """A command of the project with the stack's settings: its exit code and what it said."""
        inherited = {name: value for name, value in os.environ.items() if not NOT_OURS.match(name)}
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=PROJECT_ROOT,
            env={**inherited, **self.settings, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=400,
            check=False,
        )
        return done.returncode, done.stdout

    def up(self, *, is_paused: bool = True, **settings: str) -> str:
        """Bring it up; what that said. Schedules are paused, unless they are what a test is about."""
        code, words = self.run("flows.stack", "up", **settings)
        assert code == 0, words
        (self.api,), (self.service,) = (
            re.findall(r"API at (\S+?)[;)]", words),
            re.findall(r"^Service +(\S+)", words, re.M),
        )
        for deployment in self.deployments().values() if is_paused else ():
            for schedule in deployment["schedules"]:
                self._ask("PATCH", f"deployments/{deployment['id']}/schedules/{schedule['id']}", {"active": False})
        if is_paused:  # a run that had come due before holds its deployment's turn
            for run in self.post("flow_runs/filter", flow_runs={"state": {"type": {"any_": ["PENDING", "RUNNING"]}}}):
                if run["auto_scheduled"]:
                    self.wait(run["id"])
        return words

    @property
    def password(self) -> str:
        """What Prefect's API asks for: user and password."""
        kept = (self.data_dir / "prefect.env").read_text()
        return re.findall(r"^export PREFECT_API_AUTH_STRING=(\S+)$", kept, re.M)[0]

    @property
    def auth(self) -> httpx.BasicAuth:
        """The same for httpx."""
        return httpx.BasicAuth(*self.password.split(":", 1))

    def log_errors(self) -> list[str]:
        """The lines of all logs of the stack, of this start and the one before, that are errors or begin a traceback."""
        return server_log.serious(self.data_dir) + [
            f"{path.name}: {line}"
            for path in sorted((self.data_dir / "logs").glob("*.log"))
            for line in path.read_text(errors="replace").splitlines()
            if ERROR_LINE.search(line) or " ERROR " in line
        ]

    def is_up(self) -> bool:
        """Whether each of its processes runs."""
        return all(self.pids().values())

    def pids(self) -> dict[str, int | None]:
        """The process that is kept for each name."""
        found = {name: Processes(self.data_dir).running(name) for name in ("prefect-server", "worker", "service")}
        return {name: running.pid if running else None for name, running in found.items()}

    def processes(self) -> list[psutil.Process]:
        """Every process on this machine that has to do with this DATA_DIR, whoever its parent is."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                is_ours = process.environ().get("DATA_DIR") == str(self.data_dir)
                if is_ours or Path(process.cwd()).is_relative_to(self.data_dir):
                    found.append(process)
        return found

    def get(self, path: str) -> Any:
        """An answer of Prefect's API."""
        return self._ask("GET", path)

    def post(self, path: str, items: Any = None, **body: Any) -> Any:
        """The same of a POST."""
        return self._ask("POST", path, body if items is None else items)

    def patch(self, path: str, **body: Any) -> Any:
        """The same of a PATCH."""
        return self._ask("PATCH", path, body)

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        for _ in range(30):  # on SQLite the server asks for a retry; its own client does so
            answer = httpx.request(method, f"{self.api}/{path}", json=body, timeout=60, auth=self.auth)
            if answer.status_code != 503:
                break
            time.sleep(1)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def deployments(self) -> dict[str, dict[str, Any]]:
        """The deployments that the server has, by name."""
        return {found["name"]: found for found in self.post("deployments/filter")}

    def start(self, deployment: str, **parameters: Any) -> str:
        """Run a deployment; the id of its run."""
        path = f"deployments/{self.deployments()[deployment]['id']}/create_flow_run"
        return str(self.post(path, parameters=parameters, state={"type": "SCHEDULED"})["id"])

    def ran(self, deployment: str, **parameters: Any) -> dict[str, Any]:
        """The same, when it is over."""
        return self.wait(self.start(deployment, **parameters))

    def wait(self, run_id: str, states: Sequence[str] = FINAL, seconds: float = 240) -> dict[str, Any]:
        """The run, once it is in such a state."""
        until = time.monotonic() + seconds
        while (run := self.get(f"flow_runs/{run_id}"))["state_type"] not in states:
            assert time.monotonic() < until, f"still {run['state']['name']}: {self.log('worker')[-3000:]}"
            time.sleep(0.5)
        return dict(run)

    def log(self, name: str) -> str:
        """What a process has said."""
        return (self.data_dir / "logs" / f"{name}.log").read_text(errors="replace")

    @property
    def database(self) -> Database:
        """Where its tables are."""
        found = self.given or embedded.running(self.data_dir)
        assert found, "its database does not run"
        return found

    def query(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows, as the owner of the database sees them."""
        with self.database.connect() as connection:
            return connection.execute(statement, values or None).fetchall()  # type: ignore[arg-type]

    @property
    def token(self) -> str:
        """A token that the service lets in."""
        kept = self.data_dir / "service.env"
        return TOKEN if self.given else kept.read_text().strip().removeprefix("SERVICE_TOKEN=")


@contextmanager
def a_stack(settings: dict[str, str], request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A stack that is not up yet, in a folder of its own; whatever a test leaves of it is ended."""
    with tempfile.TemporaryDirectory(prefix="energy-stack-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL's own user goes through it
        stack = Stack(Path(folder), {"DATA_DIR": folder, "SERVICE_PORT": "0", **FAST, **settings})
        if TEST_DATABASE_URL:
            server, template = request.getfixturevalue("server"), request.getfixturevalue("template")
            stack.given = _copy(server, template)
            stack.settings |= {"DATABASE_URL": stack.given.address(), "SERVICE_TOKEN": TOKEN}
        try:
            yield stack
        finally:
            stack.run("flows.stack", "down")
            for process in stack.processes():
                with suppress(psutil.Error):
                    process.kill()
            if stack.given:
                with server.connect() as connection:
                    for name in (stack.given.name, f"{stack.given.name}_prefect"):
                        connection.execute(f'drop database if exists "{name}" with (force)')


@pytest.fixture(scope="session")
def _stack(request: pytest.FixtureRequest, _emulator: Emulator) -> Iterator[Stack]:
    with a_stack(_emulator.settings, request) as stack:
        yield stack


def _copy(server: Database, template: Database) -> Database:
    copy = replace(template, name=f"energy_stack_{os.getpid()}")
    with server.connect() as connection:
        connection.execute(f'drop database if exists "{copy.name}" with (force)')
        connection.execute(f'create database "{copy.name}" template "{template.name}"')
    existing_roles.cache_clear()
    set_up(copy)
    return copy


@pytest.fixture
def stack(_stack: Stack, emulator: Emulator) -> Stack:
    """The stack, up. At its first start another program has the port that its Prefect server would take."""
    if not _stack.is_up():
        with closing(socket.create_server(("127.0.0.1", 0))) as taken:
            _stack.settings["PREFECT_SERVER_API_PORT"] = str(taken.getsockname()[1])
            words = _stack.up()
            _stack.first_words = _stack.first_words or words
    return _stack
