"""Two hosts beside this one: a deployed backfill is taken by one of them and shared by both.

This machine holds what there is one of: PostgreSQL (Debian's), the Prefect server, the Dask scheduler, the upstreams.
Each host has a Prefect worker, a Dask worker and a DATA_DIR of its own, and reaches nothing but the bridge's address.
"""

import asyncio
import os
import pwd
import re
import secrets
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.emulator import Emulator
from tests.energy import FAST, Energy
from tests.flows.hosts import PREFECT, Cluster, Network, free_port, network
from warehouse.database import Database
from warehouse.settings import PROJECT_ROOT

YEAR = ("2023-01-01", "2023-12-31")
DATASET = "carbon_intensity__national"
REQUESTS, CHUNKS = 27, 7
PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("ip"), reason="hosts need root and iproute2"),
    pytest.mark.skipif(not PROGRAMS, reason="Debian's PostgreSQL is not installed"),
]


@pytest.fixture
def beside() -> Iterator[Network]:
    """Two hosts."""
    with ExitStack() as stack:
        try:
            made = stack.enter_context(network(2))
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"this machine cannot have network namespaces: {getattr(error, 'stderr', error)}")
        yield made


@pytest.fixture
def external(beside: Network) -> Iterator[Database]:
    """An empty database of a PostgreSQL that listens on the bridge, asks for a password, and is not run by root."""
    owner = "postgres" if any(user.pw_name == "postgres" for user in pwd.getpwall()) else "nobody"
    there = Database(beside.address, free_port(beside.address), "tester", "energy", secrets.token_hex(16))
    with tempfile.TemporaryDirectory(prefix="energy-hosts-") as folder:
        data, word = Path(folder) / "data", Path(folder) / "word"

        def program(name: str, *arguments: str) -> None:
            command = [str(PROGRAMS[-1] / name), "-D", str(data), *arguments]
            quiet = subprocess.DEVNULL  # a pipe would stay open for as long as the server lives
            subprocess.run(command, check=True, user=owner, cwd="/", stdin=quiet, stdout=quiet, stderr=quiet)

        word.write_text(there.password)
        for path in (Path(folder), word):
            shutil.chown(path, owner)
        program("initdb", "-U", there.user, "--auth=scram-sha-256", f"--pwfile={word}", "-E", "UTF8", "--locale=C")
        with (data / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {beside.subnet} scram-sha-256\n")
        listens = f"-p {there.port} -c listen_addresses={there.host} -c unix_socket_directories='' -c fsync=off"
        program("pg_ctl", "-w", "-l", f"{folder}/log", "-o", listens, "start")
        try:
            with Database(there.host, there.port, there.user, "postgres", there.password).connect() as connection:
                connection.execute("create database energy")
            yield there
        finally:
            program("pg_ctl", "-m", "immediate", "stop")


@contextmanager
def forwarded(address: str, port: int) -> Iterator[int]:
    """A port of that address behind which is this port of 127.0.0.1."""

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer))

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(pass_on, address, 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()


@pytest.fixture
def cluster(
    beside: Network, external: Database, emulator: Emulator, energy: Energy, tmp_path: Path
) -> Iterator[Cluster]:
    """The one server and scheduler here, a worker of each kind on each host."""
    with forwarded(beside.address, emulator.port) as port, Cluster(tmp_path, os.environ) as cluster:
        upstreams = {
            n: url.replace(f"127.0.0.1:{emulator.port}", f"{beside.address}:{port}")
            for n, url in emulator.settings.items()
        }
        cluster.environment |= {
            **FAST,
            **upstreams,
            "DATABASE_URL": external.address(),
            "ENERGY_PROJECT_DIR": str(PROJECT_ROOT),
        }
        cluster.start_prefect_server(beside.address)
        cluster.start_dask_scheduler(beside.address)
        for host in beside.hosts:
            cluster.start_dask_worker(f"dask {host}", host)
        cluster.wait_for_prefect_server()
        for command in (("work-pool", "create", "energy", "--type", "process"), ("--no-prompt", "deploy", "--all")):
            done = subprocess.run(
                [PREFECT, *command], cwd=PROJECT_ROOT, env=cluster.environment, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stdout + done.stderr
        for host in beside.hosts:
            home = str(tmp_path / f"prefect {host}.home")
            command = ("worker", "start", "--pool", "energy", "--type", "process", "--name", host)
            cluster.start(f"prefect {host}", PREFECT, *command, host=host, DATA_DIR=home, PREFECT_HOME=home)
        for host in beside.hosts:
            cluster.wait(f"prefect {host}", lambda host=host: "started" in cluster.log(f"prefect {host}"))
        cluster.wait_for_dask_workers(*(f"dask {host}" for host in beside.hosts))
        yield cluster


def test_a_deployed_backfill_is_shared_by_two_hosts(
    beside: Network, external: Database, cluster: Cluster, energy: Energy, emulator: Emulator
) -> None:
    flow_run = run_deployed(cluster, {"start": YEAR[0], "end": YEAR[1], "datasets": [DATASET]})
    assert flow_run["state_type"] == "COMPLETED", flow_run["state"]
    asked = [path for _, path in emulator.requests if "/intensity/2023" in path or "/intensity/2022-12-31" in path]
    took = [
        host for host in beside.hosts if f"submitting flow run '{flow_run['id']}'" in cluster.log(f"prefect {host}")
    ]
    landed = {host: len(re.findall("land a chunk.*Completed", cluster.log(f"dask {host}"))) for host in beside.hosts}
    there = the_year(external)

    assert energy.backfill(*YEAR, DATASET)["failures"] == []
    assert there == the_year(energy.database)
    assert len(there) == 365 * 48
    assert len(took) == 1
    assert all(landed.values()), landed
    assert sum(landed.values()) == CHUNKS
    assert len(asked) == len(set(asked)) == REQUESTS
    with external.connect() as connection:
        states = connection.execute(
            "select status, summary ->> 'failures' from ops.runs where flow = 'backfill'"
        ).fetchall()
    assert states == [("completed", "[]")]


def run_deployed(cluster: Cluster, parameters: dict[str, Any]) -> dict[str, Any]:
    """A run of the deployment `backfill`, as it ended."""
    with httpx.Client(base_url=cluster.environment["PREFECT_API_URL"], timeout=60) as api:

        def ask(method: str, path: str, **body: Any) -> dict[str, Any]:
            answer = api.request(method, path, **body)
            while answer.status_code == 503:  # its SQLite is busy
                time.sleep(0.5)
                answer = api.request(method, path, **body)
            return dict(answer.raise_for_status().json())

        deployment = ask("GET", "/deployments/name/backfill/backfill")["id"]
        wanted = {"parameters": parameters, "state": {"type": "SCHEDULED"}, "idempotency_key": "once"}
        flow_run = ask("POST", f"/deployments/{deployment}/create_flow_run", json=wanted)
        deadline = time.monotonic() + 400
        while flow_run["state_type"] not in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"):
            assert time.monotonic() < deadline, flow_run["state"]
            time.sleep(0.5)
            flow_run = ask("GET", f"/flow_runs/{flow_run['id']}")
        return flow_run


def the_year(database: Database) -> list[tuple[Any, ...]]:
    """The table of that year, but for what tells when and from which payload a row was written."""
    with database.connect() as connection:
        return connection.execute(
            "select to_jsonb(kept) - '{payload_id,fetched_at,updated_at}'::text[] from carbon_intensity_national as kept "
            "where period_start >= '2023-01-01' and period_start < '2024-01-01' order by period_start"
        ).fetchall()
