"""A backfill on Dask workers of this host: what is refused, how the work is shared, and a worker that dies of it."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.emulator import Emulator
from tests.energy import FAST, Energy, contents
from tests.flows.hosts import Cluster, free_port
from warehouse.errors import UsageError
from warehouse.settings import PROJECT_ROOT

DAYS = ("2023-01-02", "2023-06-18")  # 12 requests of 14 days, in chunks of four
REQUESTS = 12
COMMAND = (
    *(sys.executable, "-m", "flows.backfill", "--from", DAYS[0], "--to", DAYS[1]),
    *("--datasets", "carbon_intensity__national"),
)
FORGET = """
truncate carbon_intensity_national, staging.carbon_intensity__national_payloads, intermediate.published_payloads,
    intermediate.stg_carbon_intensity__national__pending, intermediate.int_data_coverage__days, ops.payload_verdicts,
    ops.runs cascade
"""


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A Prefect server and a Dask scheduler, and nobody to work."""
    with Cluster(tmp_path_factory.mktemp("cluster"), os.environ) as cluster:
        cluster.start_prefect_server()
        cluster.start_dask_scheduler()
        cluster.wait_for_prefect_server()
        cluster.wait("dask scheduler", lambda: "Scheduler at:" in cluster.log("dask scheduler"))
        yield cluster


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[Cluster]:
    """A Dask scheduler that no worker has come to."""
    with Cluster(tmp_path, os.environ) as cluster:
        cluster.start_dask_scheduler()
        cluster.wait("dask scheduler", lambda: "Scheduler at:" in cluster.log("dask scheduler"))
        yield cluster


@pytest.fixture
def shared(energy: Energy, emulator: Emulator, tracked: Cluster) -> Cluster:
    """Two workers of that scheduler, polite enough to be watched."""
    energy.set(CARBON_INTENSITY_REQUESTS_PER_SECOND="2")
    tracked.environment |= {name: os.environ[name] for name in ("DATABASE_URL", "DATA_DIR", *FAST, *emulator.settings)}
    for name in ("one", "two"):
        if not tracked.is_running(name):
            tracked.start_dask_worker(name)
    tracked.wait_for_dask_workers("one", "two")
    return tracked


def test_what_cannot_be_is_refused_in_one_line(
    energy: Energy, emulator: Emulator, tracked: Cluster, idle: Cluster
) -> None:
    nobody = f"tcp://127.0.0.1:{free_port()}"
    cases = {
        "without a Prefect server": ({"PREFECT_API_URL": "", "DASK_ADDRESS": nobody}, "PREFECT_API_URL is not"),
        "nobody listens": ({"DASK_ADDRESS": nobody}, f"no Dask scheduler answers at {nobody}"),
        "malformed": ({"DASK_ADDRESS": "scheduler"}, "no Dask scheduler answers at scheduler"),
        "no worker": ({"DASK_ADDRESS": idle.environment["DASK_ADDRESS"]}, "has no worker"),
    }
    before = state(energy)
    known = {name: tracked.environment[name] for name in ("PREFECT_API_URL", "DASK_ADDRESS", "PREFECT_HOME")}
    with ThreadPoolExecutor() as side_by_side:
        asked = {name: side_by_side.submit(refused, {**known, **settings}) for name, (settings, _) in cases.items()}
        said = {name: future.result() for name, future in asked.items()}
    assert {name: code for name, (code, _) in said.items()} == dict.fromkeys(cases, 2)
    assert state(energy) == before
    assert emulator.requests == []
    for name, (_, words) in cases.items():
        lines = said[name][1]
        (error,) = (line for line in lines if line.startswith("error:"))
        assert error.startswith("error: DASK_ADDRESS") and words in error, name
        assert "Traceback" not in " ".join(lines)


def test_who_does_not_answer_is_given_up_on_before_dask_would(energy: Energy) -> None:
    from flows import elsewhere

    energy.set(PREFECT_API_URL="http://127.0.0.1:9/api", DASK_ADDRESS=f"tcp://127.0.0.1:{free_port()}")
    began = time.monotonic()
    with pytest.raises(UsageError, match="no Dask scheduler answers"):
        elsewhere.is_wanted()
    assert time.monotonic() - began < 30, "Dask itself would wait thirty seconds"


@pytest.mark.slow
def test_two_workers_share_a_backfill(energy: Energy, emulator: Emulator, shared: Cluster) -> None:
    alone = by_one_process(energy, emulator)
    before = chunks_of(shared)
    assert run(shared) == 0, shared.log("backfill")[-3000:]

    landed = {name: chunks - before[name] for name, chunks in chunks_of(shared).items()}
    assert sum(landed.values()) == REQUESTS / 4
    assert all(landed.values()), f"one did it all: {landed}"
    assert energy.query("select status from ops.runs") == [("completed",)]
    assert energy.query("select outcome, count(*) from ops.fetches group by 1") == [("landed", REQUESTS)]
    assert tables(energy) == alone
    assert len(emulator.requests) == len({path for _, path in emulator.requests}) == REQUESTS
    moments = sorted(moment for moment, _ in emulator.requests)
    for first, third in zip(moments, moments[2:], strict=False):
        assert third - first > 0.9, "no more than two begin within a second"


@pytest.mark.slow
def test_when_a_worker_is_killed_the_other_does_it_all(energy: Energy, emulator: Emulator, shared: Cluster) -> None:
    alone = by_one_process(energy, emulator)
    before = chunks_of(shared)

    def kill() -> None:
        shared.wait("backfill", lambda: len(emulator.requests) >= 3)  # four make a chunk: nobody has finished one
        shared.kill("one")

    if run(shared, kill) != 0:  # then it says so, and the next run goes on
        assert "error:" in shared.log("backfill")
        assert run(shared) == 0, shared.log("backfill")[-3000:]
    assert chunks_of(shared)["one"] == before["one"]
    assert tables(energy) == alone
    assert REQUESTS <= len(emulator.requests) <= REQUESTS + 4, "only what the dead one had in hand is requested again"
    assert energy.query("select 1 from ops.runs where status in ('running', 'failed')") == []


def refused(settings: dict[str, str]) -> tuple[int, list[str]]:
    """The exit code of a backfill with such settings, and the lines that it said."""
    done = subprocess.run(
        COMMAND, cwd=PROJECT_ROOT, env={**os.environ, **settings}, capture_output=True, text=True, check=False
    )
    return done.returncode, (done.stdout + done.stderr).strip().splitlines()


def run(shared: Cluster, meanwhile: Callable[[], None] = lambda: None) -> int:
    """A backfill on the workers: its exit code."""
    shared.start("backfill", *COMMAND)
    meanwhile()
    return shared.processes["backfill"].wait(timeout=300)


def chunks_of(shared: Cluster) -> dict[str, int]:
    """How many chunks each worker has landed."""
    return {name: len(re.findall("land a chunk.*Completed", shared.log(name))) for name in ("one", "two")}


def by_one_process(energy: Energy, emulator: Emulator) -> dict[str, list[tuple[Any, ...]]]:
    """What the tables are after the same backfill in this process; then it is forgotten."""
    energy.set(CARBON_INTENSITY_REQUESTS_PER_SECOND="1000")
    assert energy.backfill(*DAYS, "carbon_intensity__national")["failures"] == []
    assert len(emulator.requests) == REQUESTS
    found = tables(energy)
    assert found["carbon_intensity_national"]
    energy.query(FORGET)
    emulator.reset()
    return found


def tables(energy: Energy) -> dict[str, list[tuple[Any, ...]]]:
    return contents(energy, without=("payload_id", "fetched_at", "updated_at"))


def state(energy: Energy) -> list[tuple[Any, ...]]:
    """What a run would change."""
    return energy.query(
        "select (select count(*) from ops.runs), (select count(*) from ops.fetches), "
        "(select count(*) from staging.carbon_intensity__national_payloads), (select count(*) from carbon_intensity_national)"
    )
