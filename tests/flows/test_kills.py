"""Any part of a working stack is killed at any moment: afterwards nothing shows.

Rounds of work (a backfill by its deployment, and tasks submitted to the service) in which parts are killed (SIGKILL) at random
moments, in waves of three to five: the flow's process, the worker, Prefect's server, the service, the embedded PostgreSQL. After
each wave somebody types `up`; the next wave strikes while that is still at work. After the last wave `up` has to succeed,
and the same work is done again. KILLS says how many (40); SEED which moments.
"""

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest

from tests.emulator import Emulator
from tests.energy import Energy
from tests.flows.stack_under_test import FINAL, a_stack

if TYPE_CHECKING:
    from tests.flows.stack_under_test import Stack

pytestmark = pytest.mark.xdist_group("stack")

KILLS = int(os.environ.get("KILLS", "40"))
SEED = int(os.environ.get("SEED", "1"))
PARTS = ("flow", "worker", "prefect-server", "service", "postgres")
FIRST_DAY = date(2024, 1, 1)
WAVES = 8
DAYS = 20
"""Days of a round's backfill"""
DATASETS = ["carbon_intensity__national", "carbon_intensity__generation"]
TABLES = ("carbon_intensity_national", "generation_mix_national")
TASKS_PER_SECOND = 4
ASKED_AGAIN = 3
KEPT = "select idempotency_key, workload_id::text from app.compute_workloads where idempotency_key = any(%s)"
WITHOUT_CLOCK = """
select to_jsonb(one) - '{{payload_id,fetched_at,updated_at}}'::text[] from {table} as one
where period_start >= '2024-01-01Z' and period_start < %s order by period_start
"""
LEFT = """
select
    (select count(*) from pg_locks inner join pg_database as here on here.oid = database
     where locktype = 'advisory' and datname = current_database()),
    (select count(*) from ops.runs where status = 'running')
"""


@dataclass
class Submitter:
    """Submits tasks, each under a key of its own, until it is stopped; keeps what was answered 201."""

    stack: "Stack"
    taken: dict[str, str] = field(default_factory=dict)
    """Idempotency-Key -> workload_id"""
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Submitter":
        self._thread = threading.Thread(target=self._work)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        number = 0
        while not self._stop.wait(1 / TASKS_PER_SECOND):
            number += 1
            key = f"{id(self)}-{number}-{time.monotonic_ns()}"
            with suppress(httpx.HTTPError):
                answer = submit(self.stack, key)
                if answer.status_code == 201:
                    self.taken[key] = answer.json()["workload_id"]


def submit(stack: "Stack", key: str) -> httpx.Response:
    """A small task under this key."""
    return httpx.post(
        f"{stack.service}/submit_task",
        json={"request": "a small build", "duration_minutes": 30, "power_kw": 0.001},
        headers={"Authorization": f"Bearer {stack.token}", "Idempotency-Key": key},
        timeout=30,
    )


def patiently(stack: "Stack", key: str) -> httpx.Response:
    """The same, requested again where the service says when."""
    for _ in range(10):
        answer = submit(stack, key)
        if "Retry-After" not in answer.headers:
            break
        time.sleep(float(answer.headers["Retry-After"]))
    assert answer.status_code in (200, 201), answer.text
    return answer


@pytest.fixture
def killed(request: pytest.FixtureRequest, _emulator: Emulator) -> Iterator["Stack"]:
    """A stack of its own, with no schedule to disturb a round."""
    _emulator.reset()
    with a_stack(_emulator.settings, request) as stack:
        stack.up()
        yield stack


def test_whatever_is_killed_nothing_shows(killed: "Stack", energy: Energy) -> None:
    chooser, kills, rounds, taken = random.Random(SEED), 0, 0, {}
    parts = [part for part in PARTS if part != "postgres" or not killed.given]
    assert killed.ran("refresh-carbon-intensity")["state_type"] == "COMPLETED"
    while kills < KILLS:
        start = FIRST_DAY + timedelta(days=DAYS * rounds)
        asked = {"start": str(start), "end": str(start + timedelta(days=DAYS - 1)), "datasets": DATASETS}
        victims: list[str] = []
        run_id = killed.start("backfill", **asked)
        with Submitter(killed) as submitter, ThreadPoolExecutor(WAVES) as ups:
            for wave in range(WAVES):
                for victim in chooser.sample(parts, chooser.randint(3, len(parts))):
                    time.sleep(chooser.uniform(0.05, 4))
                    if kill(killed, victim):
                        victims.append(victim)
                if wave < WAVES - 1:
                    ups.submit(killed.run, "flows.stack", "up")
                    time.sleep(chooser.uniform(0.5, 20))
            ups.shutdown()
            kills += len(victims)
            words = killed.up()
        killed.wait(run_id, FINAL, seconds=600)
        again = killed.ran("backfill", **asked)
        assert again["state"]["name"] == "Completed", (rounds, victims, again["state"], words)
        kept = dict(killed.query(KEPT, [*submitter.taken]))
        assert kept == submitter.taken, "what was answered 201 is there"
        for key in chooser.sample(sorted(kept), min(ASKED_AGAIN, len(kept))):
            assert patiently(killed, key).json().get("workload_id") == kept[key], "the same key has the same answer"
        taken |= kept
        rounds += 1
        with energy.capsys.disabled():
            struck = ", ".join(victims)
            print(f"round {rounds}: {struck} killed, {kills} kills; {len(submitter.taken)} tasks kept", flush=True)

    end = FIRST_DAY + timedelta(days=DAYS * rounds)
    energy.backfill(str(FIRST_DAY), str(end - timedelta(days=1)), *DATASETS)
    for table in TABLES:
        undisturbed = energy.query(WITHOUT_CLOCK.format(table=table), end)
        assert len(undisturbed) >= 48 * DAYS * rounds - 2
        assert killed.query(WITHOUT_CLOCK.format(table=table), end) == undisturbed
    assert dict(killed.query(KEPT, [*taken])) == taken
    assert killed.query(LEFT) == [(0, 0)], "no lock and no run is left"
    assert [d["name"] for d in killed.deployments().values() if held(d)] == [], "no run's turn is taken by a dead one"
    assert killed.run("flows.stack", "down")[0] == 0
    assert [process.cmdline() for process in killed.processes()] == []


def kill(stack: "Stack", part: str) -> int:
    """Kill a part as the kernel would; how many were there to be killed."""
    if part == "flow":
        flows = [process for process in stack.processes() if "PREFECT__FLOW_RUN_ID" in environment_of(process)]
        for process in flows:
            with suppress(psutil.Error):
                process.kill()
        return int(bool(flows))
    if part == "postgres":
        postmaster = stack.data_dir / "postgres" / "postmaster.pid"
        pid = int(postmaster.read_text().split()[0]) if postmaster.exists() else None
    else:
        pid = stack.pids()[part]
    if pid is None:
        return 0
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return 1
    return 0


def environment_of(process: psutil.Process) -> dict[str, Any]:
    """Its environment, or none if it has ended."""
    with suppress(psutil.Error):
        return process.environ()
    return {}


def held(deployment: dict[str, Any]) -> int:
    """How many runs are counted for its limit."""
    limit = deployment["global_concurrency_limit"]
    return int(limit["active_slots"]) if limit else 0
