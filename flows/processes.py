"""Processes that outlive the command that started them: known by their id and the moment they began, in one file each."""

import fcntl
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from warehouse.errors import UsageError
from warehouse.settings import PROJECT_ROOT

STOP_SECONDS = 15


ERROR_LINE = re.compile(r"\| (ERROR|CRITICAL) |^Traceback ", re.M)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read; whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    fresh.rename(path)


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

    def _alive(self, name: str) -> Running | None:
        try:
            kept = json.loads((self._folder / f"{name}.json").read_text())
            process = psutil.Process(kept["pid"])
            if abs(process.create_time() - kept["since"]) > 1 or process.status() == psutil.STATUS_ZOMBIE:
                return None
        except (FileNotFoundError, ValueError, KeyError, psutil.Error):
            return None
        return Running(name, kept["pid"], kept["address"], kept["since"])

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
        self.logs.mkdir(parents=True, exist_ok=True)
        log = self.logs / f"{name}.log"
        if log.exists():
            log.replace(log.with_suffix(".previous.log"))
        with log.open("w") as output:
            process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=PROJECT_ROOT,
                env=dict(environment),
                start_new_session=True,  # it and its children are stopped together, and no terminal stops them
            )
        since = psutil.Process(process.pid).create_time()
        self._keep(name, process.pid, since, "")
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and process.poll() is None:
            address = answers()
            if address is not None:
                self._keep(name, process.pid, since, address)
                return Running(name, process.pid, address, since)
            time.sleep(0.2)
        why = "ended" if process.poll() is not None else f"did not answer within {seconds:.0f} seconds"
        self.stop(name)
        last = " | ".join(line.strip() for line in log.read_text(errors="replace").splitlines()[-3:])
        raise UsageError(f"The {name} {why} ({last}). Its log: {log}")

    def stop(self, name: str) -> bool:
        """Stop it and its children; False if it was not running."""
        running = self._alive(name)
        path = self._folder / f"{name}.json"
        if running is None:
            path.unlink(missing_ok=True)
            return False
        with suppress(psutil.NoSuchProcess, ProcessLookupError):  # it may end by itself at this very moment
            family = [psutil.Process(running.pid), *psutil.Process(running.pid).children(recursive=True)]
            os.killpg(running.pid, signal.SIGTERM)
            _, alive = psutil.wait_procs(family, timeout=STOP_SECONDS)
            for process in alive:
                process.kill()
        path.unlink(missing_ok=True)
        return True

    def log_size(self, name: str) -> int:
        """How long its log is now, in bytes."""
        path = self.logs / f"{name}.log"
        return path.stat().st_size if path.exists() else 0

    def errors(self, name: str, *, after: int = 0) -> list[str]:
        """The lines of its log that are errors or begin a traceback, from this byte on."""
        path = self.logs / f"{name}.log"
        if not path.exists():
            return []
        with path.open("rb") as log:
            log.seek(after)
            lines = log.read().decode(errors="replace").splitlines()
        return [line for line in lines if ERROR_LINE.search(line)]

    @contextmanager
    def one_at_a_time(self) -> Iterator[None]:
        """Hold off other commands that start or stop processes of this DATA_DIR."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _keep(self, name: str, pid: int, since: float, address: str) -> None:
        path = self._folder / f"{name}.json"
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps({"pid": pid, "since": since, "address": address}))
        fresh.rename(path)
