"""The `energy` command and the library against the service as it is served, each in a process of its own."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.conftest import copy_database
from tests.service.conftest import TOKEN, serve
from warehouse.database import Database
from warehouse.settings import PROJECT_ROOT

CLIENT = PROJECT_ROOT / "client"
# The command with a clock that a test sets forward: what a machine sees that was suspended meanwhile.
WITH_A_CLOCK = """
import sys, time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from energy.__main__ import command
from energy.clock import Clock

class Shifted(Clock):
    def now(self):
        return datetime.now(timezone.utc) + timedelta(seconds=float(Path(sys.argv[1]).read_text() or 0))

    def sleep(self, seconds):
        time.sleep(min(seconds, 0.05))

sys.exit(command(sys.argv[2:], Shifted()))
"""
PATIENCE = 30
"""Seconds until something that must happen is taken not to happen"""


def until(holds: Callable[[], Any]) -> Any:
    """What it gives as soon as that is true."""
    ends = time.monotonic() + PATIENCE
    while not (found := holds()):
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.05)
    return found


@dataclass
class Machine:
    """A user's machine: the command, its clock, and the service's database to look into."""

    folder: Path
    url: str
    database: Database | None = None
    token: str = TOKEN
    settings: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """What a process of the user has."""
        ours = {"ENERGY_URL": self.url, "ENERGY_TOKEN": self.token, "PYTHONPATH": str(CLIENT), "PYTHONUNBUFFERED": "1"}
        return {**os.environ, **ours, **self.settings}

    def start(self, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
        """`energy ARGUMENTS` with the shifted clock."""
        self.shift(0)
        return subprocess.Popen(
            [sys.executable, "-c", WITH_A_CLOCK, str(self.folder / "shift"), *arguments],
            env=self.environment(), cwd=self.folder, text=True,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )  # fmt: skip

    def energy(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """`energy ARGUMENTS`, to its end."""
        return self.python("-m", "energy", *arguments)

    def python(self, *arguments: str, seconds: float = 60) -> "subprocess.CompletedProcess[str]":
        """A Python program of the user, to its end."""
        return subprocess.run(
            [sys.executable, *arguments], env=self.environment(), cwd=self.folder, text=True, capture_output=True,
            timeout=seconds, check=False,
        )  # fmt: skip

    def shift(self, seconds: float) -> None:
        """Its clock is so far ahead from now on."""
        (self.folder / "new").write_text(str(seconds))
        (self.folder / "new").rename(self.folder / "shift")

    def query(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows, as the owner of the service's database sees them."""
        assert self.database
        with self.database.connect() as connection:
            cursor = connection.execute(statement, values or None)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def statuses(self) -> list[str]:
        """Of each workload, the oldest first."""
        return [status for (status,) in self.query("select status from app.compute_workloads order by created_at")]

    def place_at(self, seconds: float) -> None:
        """Give the one workload another place, so many seconds from now."""
        assert self.database
        with self.database.connect(autocommit=False) as connection:
            (old,) = connection.execute("select placement_id from app.compute_workloads").fetchone() or (None,)
            connection.execute(
                "update app.compute_workloads set earliest_start = least(earliest_start, now() - interval '1 hour')"
            )
            connection.execute("update app.compute_workloads set status = 'pending'")
            row = connection.execute(
                "insert into app.workload_placements overriding user value "
                "select (jsonb_populate_record(placement, jsonb_build_object("
                "'placement_id', gen_random_uuid(), 'released_at', null, "
                "'starts_at', now() + make_interval(secs => %s), "
                "'ends_at', now() + make_interval(secs => %s) + (placement.ends_at - placement.starts_at)))).* "
                "from app.workload_placements as placement where placement_id = %s returning placement_id",
                [seconds, seconds, old],
            ).fetchone()
            assert row
            connection.execute("update app.compute_workloads set status = 'scheduled', placement_id = %s", list(row))


@dataclass
class Served:
    """The service as `python -m service` serves it, and its database."""

    process: "subprocess.Popen[str]"
    url: str
    database: Database


@pytest.fixture(scope="session")
def _served(server: Database, grid_template: Database, session_dir: Path) -> Iterator[list[Served]]:
    """The service that tests share; one that a test has ended is started again."""
    database = replace(grid_template, name=f"{grid_template.name}_client")
    copy_database(server, grid_template, database)
    kept: list[Served] = []
    yield kept
    for one in kept:
        one.process.kill()
        one.process.wait(20)
    with server.connect() as connection:
        connection.execute(f'drop database if exists "{database.name}" with (force)')


@pytest.fixture
def served(_served: list[Served], grid_template: Database, session_dir: Path) -> Served:
    """The service, without a workload."""
    database = replace(grid_template, name=f"{grid_template.name}_client")
    if not _served or _served[-1].process.poll() is not None:
        with (session_dir / "service-of-client.log").open("a") as log:
            process = serve(database, session_dir, log)
        assert process.stdout
        address = re.search(r"http://\S+", process.stdout.readline())
        assert address, (session_dir / "service-of-client.log").read_text()
        _served.append(Served(process, address[0], database))
    with database.connect() as connection:
        connection.execute("delete from app.compute_workloads")
    return _served[-1]


@pytest.fixture
def machine(served: Served, tmp_path: Path) -> Machine:
    """A machine with the service in reach."""
    return Machine(
        tmp_path, served.url, served.database, settings={"ENERGY_PATIENCE_SECONDS": "25"}
    )  # machines are noisy


@contextmanager
def started(machine: Machine, *arguments: str, **options: Any) -> Iterator["subprocess.Popen[str]"]:
    """A process of `energy` that is gone afterwards, and so is what it has started."""
    process = machine.start(*arguments, **options)
    try:
        yield process
    finally:
        if process.poll() is None:
            for one in (process, *psutil.Process(process.pid).children(recursive=True)):
                one.kill()
        process.communicate(timeout=PATIENCE)
