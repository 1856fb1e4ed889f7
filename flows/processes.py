"""Processes that outlive the command that started them: known by their id and when they began, in one file each."""

import fcntl
import json
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import psutil

from flows.process_identity import STARTED_AS, beginning, beginning_by_clock, is_alive, started_as
from flows.process_logs import Log
from warehouse.errors import UsageError
from warehouse.settings import PROJECT_ROOT

STOP_SECONDS = 15
KILLED_SECONDS = 5
"""What was killed is gone at once, unless the kernel is busy with it"""


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read; whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    fresh.rename(path)


@dataclass(frozen=True)
class _Kept:
    """The file of a process."""

    pid: int
    began: str
    mark: str
    since: float
    address: str


@dataclass(frozen=True)
class Running:
    """A process of ours that is alive."""

    name: str
    pid: int
    address: str
    since: float


class Processes:
    """The processes of one DATA_DIR."""

    def __init__(self, data_dir: Path):
        self._folder = data_dir / "run"
        self.logs = data_dir / "logs"

    def running(self, name: str) -> Running | None:
        """The process of that name, if it is alive and has answered: the same id and the same beginning."""
        alive = self._alive(name)
        return alive if alive and alive.address else None

    def environment(self, name: str) -> dict[str, str]:
        """The variables that it was started with; none if it does not run."""
        running = self.running(name)
        with suppress(psutil.Error):
            return psutil.Process(running.pid).environ() if running else {}
        return {}

    def _kept(self, name: str) -> _Kept | None:
        try:
            kept = json.loads((self._folder / f"{name}.json").read_text())
            if "began" not in kept:  # an earlier version wrote it, which knew processes by the clock alone
                kept |= {"began": beginning_by_clock(kept["pid"], kept["since"]), "mark": ""}
            return _Kept(**kept)
        except (FileNotFoundError, ValueError, TypeError, KeyError, psutil.Error):
            return None

    def _alive(self, name: str) -> Running | None:
        kept = self._kept(name)
        if kept is None or not is_alive(kept.pid, kept.began):
            return None
        return Running(name, kept.pid, kept.address, kept.since)

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        answers: Callable[[], str | None],
        seconds: float,
    ) -> Running:
        """Start it and wait until `answers` gives its address. Raises UsageError, with its last words, if it does not.

        One of that name that an interrupted start has left is stopped first.
        """
        self.stop(name)
        self._folder.mkdir(parents=True, exist_ok=True)
        mark = f"{name} {secrets.token_hex(8)}"
        with self.log(name).begin() as output:
            process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=PROJECT_ROOT,
                env={**environment, STARTED_AS: mark},
                start_new_session=True,  # it and its children are stopped together, and no terminal stops them
            )
        kept = _Kept(process.pid, beginning(process.pid), mark, psutil.Process(process.pid).create_time(), "")
        self._keep(name, kept)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and process.poll() is None:
            address = answers()
            if address is not None:
                self._keep(name, replace(kept, address=address))
                return Running(name, process.pid, address, kept.since)
            time.sleep(0.2)
        why = "ended" if process.poll() is not None else f"did not answer within {seconds:.0f} seconds"
        self.stop(name)
        raise UsageError(f"The {name} {why} ({self.log(name).last_words()}). Its log: {self.log(name).path}")

    def stop(self, name: str) -> bool:
        """Stop it and all that it started, also what it left when it died; False if nothing of it was running."""
        kept, path = self._kept(name), self._folder / f"{name}.json"
        if kept is None:
            path.unlink(missing_ok=True)
            return False
        family = {process.pid: process for process in started_as(kept.mark)}
        if is_alive(kept.pid, kept.began):
            with suppress(psutil.NoSuchProcess, ProcessLookupError):  # it may end by itself at this very moment
                leader = psutil.Process(kept.pid)
                family |= {process.pid: process for process in (leader, *leader.children(recursive=True))}
                os.killpg(kept.pid, signal.SIGTERM)
        else:
            for process in family.values():
                with suppress(psutil.NoSuchProcess):
                    process.terminate()
        _, alive = psutil.wait_procs(family.values(), timeout=STOP_SECONDS)
        killed = (*alive, *started_as(kept.mark))
        for process in killed:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(killed, timeout=KILLED_SECONDS)
        path.unlink(missing_ok=True)
        return bool(family)

    def log(self, name: str) -> Log:
        """What it says."""
        return Log(self.logs / f"{name}.log")

    @contextmanager
    def one_at_a_time(self) -> Iterator[None]:
        """Hold off other commands that start or stop processes of this DATA_DIR."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _keep(self, name: str, kept: _Kept) -> None:
        path = self._folder / f"{name}.json"
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(kept)))
        fresh.rename(path)
