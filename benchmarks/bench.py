"""What every measurement uses: databases of its own, the emulator, flows in processes of their own, lines of the table."""

import json
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.settings import inherited
from tests.emulator import Emulator
from warehouse.database import Database
from warehouse.server import resolve
from warehouse.settings import PROJECT_ROOT


@dataclass(frozen=True)
class Measure:
    """A line of the table: ours against something, and the bar that the ratio has to meet."""

    name: str
    ours_s: float
    against: str
    against_s: float
    ratio: float
    bar: str
    met: bool


def at_most(name: str, ours: float, against: str, other: float, bar: float) -> Measure:
    """Ours may take `bar` times as long as the other."""
    return Measure(name, ours, against, other, ours / other, f"<= {bar}", ours / other <= bar)


def at_least(name: str, ours: float, against: str, other: float, bar: float) -> Measure:
    """The other takes at least `bar` times as long as ours."""
    return Measure(name, ours, against, other, other / ours, f">= {bar}", other / ours >= bar)


class Bench:
    """Databases of its own beside the user's, and the emulator in this process."""

    def __init__(self, emulator: Emulator):
        self.emulator = emulator
        self.server = resolve()
        alone = {"PREFECT_API_URL": "", "DASK_ADDRESS": "", "CARBON_INTENSITY_REQUESTS_PER_SECOND": "10000"}
        self.environment = inherited({**emulator.settings, **alone})

    def database(self, name: str) -> Database:
        """A fresh, empty database."""
        with self.server.connect() as connection:
            connection.execute(f'drop database if exists "{name}" with (force)')
            connection.execute(f'create database "{name}"')
        return replace(self.server, name=name)

    def drop(self, *databases: Database) -> None:
        """Give back the space."""
        with self.server.connect() as connection:
            for database in databases:
                connection.execute(f'drop database if exists "{database.name}" with (force)')

    def flow(self, database: Database, *arguments: str, **settings: str) -> dict[str, Any]:
        """Run a flow in a process of its own."""
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.flow", *arguments],
            cwd=PROJECT_ROOT,
            env={**self.environment, "DATABASE_URL": database.address(), **settings},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"the benchmark's flow failed:\n{done.stderr[-3000:]}")
        outcome = json.loads(done.stdout.splitlines()[-1])
        assert not outcome["failures"], outcome
        return dict(outcome)


def say(words: str) -> None:
    """A line of progress."""
    print(words, file=sys.stderr, flush=True)
