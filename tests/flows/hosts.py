"""A small cluster for tests and measurements: a Prefect server, a Dask scheduler, workers of both; and hosts for them.

A host is this machine, or a network namespace with one wire to a bridge: it reaches this machine by the bridge's address
and by nothing else, and its 127.0.0.1 is its own. Everything that was started or made ends with its `with` block.
"""

import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from warehouse.settings import PROJECT_ROOT

PREFECT = str(Path(sys.executable).parent / "prefect")
DASK = (sys.executable, "-m", "distributed.cli.dask_{}")


class Cluster:
    """Processes that end together; each has a log and a home in `folder`, and all are given `environment`."""

    def __init__(self, folder: Path, environment: Mapping[str, str]):
        self.folder = folder
        self.environment = {**environment, "PREFECT_HOME": str(folder / "prefect"), "PYTHONUNBUFFERED": "1"}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *error: object) -> None:
        family = [process for started in self.processes.values() for process in _family(started.pid)]
        for sign, seconds in ((signal.SIGTERM, 5), (signal.SIGKILL, 10)):
            for process in family:
                with suppress(psutil.Error):
                    process.send_signal(sign)
            _, family = psutil.wait_procs(family, timeout=seconds)

    def start(self, name: str, *command: str, host: str | None = None, **more: str) -> "subprocess.Popen[bytes]":
        """Start a process in the project's folder, on a host of its own if one is named."""
        where = ("ip", "netns", "exec", host) if host else ()
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [*where, *command],
                cwd=PROJECT_ROOT, env={**self.environment, **more}, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        return self.processes[name]

    def is_running(self, name: str) -> bool:
        """Whether it was started and has not ended."""
        return name in self.processes and self.processes[name].poll() is None

    def log(self, name: str) -> str:
        """What a process has said."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def wait(self, name: str, holds: Callable[[], object], seconds: float = 120) -> None:
        """Wait for something that this process leads to."""
        deadline = time.monotonic() + seconds
        while not holds():
            assert self.processes[name].poll() is None, f"{name} has ended:\n{self.log(name)[-3000:]}"
            assert time.monotonic() < deadline, f"{name} is not so far after {seconds} s:\n{self.log(name)[-3000:]}"
            time.sleep(0.1)

    def kill(self, name: str) -> None:
        """As if the machine had lost its power."""
        family = _family(self.processes[name].pid)
        for process in family:
            process.kill()
        psutil.wait_procs(family, timeout=10)

    def start_prefect_server(self, at: str = "127.0.0.1") -> str:
        """Begin to start one; returns its API."""
        port = free_port(at)
        self.start(
            *("prefect server", PREFECT, "server", "start", "--host", at, "--port", str(port)),
            PREFECT_API_DATABASE_CONNECTION_URL=f"sqlite+aiosqlite:///{self.folder}/prefect.db",
            PREFECT_API_DATABASE_TIMEOUT="60",
        )
        self.environment["PREFECT_API_URL"] = f"http://{at}:{port}/api"
        return self.environment["PREFECT_API_URL"]

    def wait_for_prefect_server(self) -> None:
        """Wait until it answers."""

        def is_healthy() -> bool:
            with suppress(httpx.HTTPError):
                return httpx.get(f"{self.environment['PREFECT_API_URL']}/health", timeout=2).is_success
            return False

        self.wait("prefect server", is_healthy)

    def start_dask_scheduler(self, at: str = "127.0.0.1") -> str:
        """Begin to start one; returns its address."""
        port = str(free_port(at))
        module = [part.format("scheduler") for part in DASK]
        self.start("dask scheduler", *module, "--host", at, "--port", port, "--no-dashboard")
        self.environment["DASK_ADDRESS"] = f"tcp://{at}:{port}"
        return self.environment["DASK_ADDRESS"]

    def start_dask_worker(self, name: str, host: str | None = None, **more: str) -> None:
        """Begin to start one, with a DATA_DIR of its own."""
        home = self.folder / f"{name}.home"
        self.start(
            *(name, *(part.format("worker") for part in DASK), self.environment["DASK_ADDRESS"]),
            *("--name", name, "--nthreads", "1", "--no-dashboard", "--local-directory", str(home)),
            host=host,
            **{"DATA_DIR": str(home), "PREFECT_HOME": str(home / "prefect"), **more},
        )

    def wait_for_dask_workers(self, *names: str) -> None:
        """Wait until the scheduler knows them."""
        for name in names:
            self.wait(name, lambda name=name: "Registered to:" in self.log(name))  # type: ignore[misc]


def _family(pid: int) -> list[psutil.Process]:
    """A process that we started, and all that came of it."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    return []


def free_port(at: str = "127.0.0.1") -> int:
    """A port that nobody has."""
    with socket.socket() as probe:
        probe.bind((at, 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Network:
    """This machine's address on a bridge, and the hosts beside it."""

    address: str
    subnet: str
    hosts: tuple[str, ...]


@contextmanager
def network(hosts: int) -> Iterator[Network]:
    """So many hosts on one bridge. Raises CalledProcessError where this machine cannot have them."""
    mark = secrets.token_hex(3)
    bridge, names = f"en{mark}", tuple(f"energy-{mark}-{number}" for number in range(1, hosts + 1))
    subnet = f"10.{secrets.randbelow(100) + 100}.{secrets.randbelow(256)}"
    try:
        _ip(f"link add {bridge} type bridge")
        _ip(f"addr add {subnet}.1/24 dev {bridge}")
        _ip(f"link set {bridge} up")
        for number, name in enumerate(names, start=1):
            _ip(f"netns add {name}")
            _ip(f"link add v{mark}{number} type veth peer name eth0 netns {name}")
            _ip(f"link set v{mark}{number} master {bridge} up")
            _ip(f"-n {name} addr add {subnet}.{number + 1}/24 dev eth0")
            _ip(f"-n {name} link set lo up")
            _ip(f"-n {name} link set eth0 up")
        yield Network(f"{subnet}.1", f"{subnet}.0/24", names)
    finally:
        with suppress(subprocess.CalledProcessError):  # the wires go with it
            for name in names:
                _ip(f"netns del {name}")
        with suppress(subprocess.CalledProcessError):
            _ip(f"link del {bridge}")


def _ip(arguments: str) -> None:
    subprocess.run(["ip", *arguments.split()], check=True, capture_output=True, text=True)
