"""Placed work runs in Prefect: a task that names a deployment is its run, at its time, whatever happens to `dispatch`."""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.emulator import Emulator
from tests.flows.stack_under_test import NOT_OURS
from warehouse.settings import PROJECT_ROOT

if TYPE_CHECKING:
    from tests.flows.stack_under_test import Stack

pytest_plugins = ["tests.flows.stack_under_test"]
pytestmark = pytest.mark.xdist_group("stack")

EXAMPLE = "example-job/example-job"
KILLS, WORKLOADS = 20, 8
ROUNDED = timedelta(seconds=0.5)
"""Prefect waits for whole seconds, to the nearest"""


@pytest.fixture
def placing(stack: "Stack", emulator: Emulator) -> "Stack":
    """The stack with a forecast to place work by."""
    if (
        not stack.query("select to_regclass('public.carbon_intensity_regional') is not null")[0][0]
        or not stack.query("select count(*) from carbon_intensity_regional where period_start > now()")[0][0]
    ):
        done = stack.ran("refresh", datasets=["carbon_intensity"])
        assert done["state_type"] == "COMPLETED", done["state"]
    return stack


def submit(stack: "Stack", *, after: float = 0, deployment: str = EXAMPLE, **more: Any) -> str:
    """A task that names a deployment and begins so many seconds from now, not before and not after; its id."""
    earliest = datetime.now(UTC) + timedelta(seconds=after)
    body = {
        "request": "Try the example job", "duration_minutes": 1, "power_kw": 0.1, "is_deferrable": False,
        "earliest_start": earliest.isoformat(), "deadline": (earliest + timedelta(hours=2)).isoformat(),
        "run": {"deployment": deployment, "parameters": {"name": "Ada", "seconds": 1}}, **more,
    }  # fmt: skip
    headers = {"Authorization": f"Bearer {stack.token}"}
    answer = httpx.post(f"{stack.service}/submit_task", json=body, headers=headers, timeout=60)
    assert answer.status_code == 201 and answer.json()["status"] == "scheduled", answer.text
    return str(answer.json()["workload_id"])


def runs_of(stack: "Stack", workload_id: str) -> list[dict[str, Any]]:
    return list(stack.post("flow_runs/filter", flow_runs={"tags": {"all_": [f"workload:{workload_id}"]}}))


def workload(stack: "Stack", workload_id: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {stack.token}"}
    answer = httpx.get(f"{stack.service}/workloads/{workload_id}", headers=headers, timeout=60)
    return dict(answer.json())


def change(stack: "Stack", workload_id: str, status: str) -> None:
    headers = {"Authorization": f"Bearer {stack.token}"}
    httpx.patch(
        f"{stack.service}/workloads/{workload_id}", json={"status": status}, headers=headers, timeout=60
    ).raise_for_status()


def dispatch(stack: "Stack") -> None:
    code, words = stack.run("flows.dispatch", **prefect(stack))
    assert code == 0, words


def prefect(stack: "Stack") -> dict[str, str]:
    return {"PREFECT_API_URL": stack.api, "PREFECT_API_AUTH_STRING": stack.password}


def test_a_task_that_names_a_deployment_is_its_run_at_its_time(placing: "Stack") -> None:
    workload_id = submit(placing, after=75)
    dispatch(placing)
    (run,) = runs_of(placing, workload_id)
    placed = workload(placing, workload_id)
    starts_at = datetime.fromisoformat(placed["placement"]["starts_at"])
    assert run["state_type"] == "SCHEDULED" and datetime.fromisoformat(run["expected_start_time"]) == starts_at
    assert run["parameters"] == {"name": "Ada", "seconds": 1}
    dispatch(placing)
    assert [one["id"] for one in runs_of(placing, workload_id)] == [run["id"]]
    done = placing.wait(run["id"])
    assert done["state_type"] == "COMPLETED" and datetime.fromisoformat(done["start_time"]) >= starts_at - ROUNDED
    dispatch(placing)
    ended = workload(placing, workload_id)
    assert ended["status"] == "completed" and ended["attempts"] == 1
    for ours, theirs in (("actual_start", "start_time"), ("actual_end", "end_time")):
        assert datetime.fromisoformat(ended[ours]) == datetime.fromisoformat(done[theirs])
    assert ended["actual_carbon_kg"] is not None


def test_what_is_cancelled_moved_refused_or_fails_is_so_on_both_sides(placing: "Stack") -> None:
    cancelled, stopped, moved = (submit(placing, after=3600) for _ in range(3))
    unknown = submit(placing, deployment="no-such/deployment")
    closed = submit(placing, deployment="backfill/backfill")
    failing = submit(placing, run={"deployment": EXAMPLE, "parameters": {"seconds": "many"}})
    dispatch(placing)
    change(placing, cancelled, "cancelled")
    placing.post(f"flow_runs/{runs_of(placing, stopped)[0]['id']}/set_state", state={"type": "CANCELLED"}, force=True)
    change(placing, moved, "pending")
    dispatch(placing)
    assert [run["state_type"] for run in runs_of(placing, moved)] == ["CANCELLED"]
    headers = {"Authorization": f"Bearer {placing.token}"}
    again = httpx.post(f"{placing.service}/workloads/{moved}/placement", headers=headers, timeout=60)
    assert again.status_code == 200, again.text
    dispatch(placing)
    states = {name: [run["state_type"] for run in runs_of(placing, one)] for name, one in
              {"cancelled": cancelled, "unknown": unknown, "closed": closed}.items()}  # fmt: skip
    assert states == {"cancelled": ["CANCELLED"], "unknown": [], "closed": []}
    assert sorted(run["state_type"] for run in runs_of(placing, moved)) == ["CANCELLED", "SCHEDULED"]
    said = {one: workload(placing, one)["failed_because"] or "" for one in (unknown, closed, failing)}
    assert "there is no deployment" in said[unknown] and "not open to workloads" in said[closed]
    assert "Prefect refuses the run" in said[failing]
    ended = workload(placing, stopped)
    assert (ended["status"], ended["failed_because"]) == ("cancelled", "its run was cancelled in Prefect")
    change(placing, moved, "cancelled")
    dispatch(placing)


def test_twenty_kills_of_dispatch_start_nothing_twice_and_forget_nothing(placing: "Stack") -> None:
    ids = [submit(placing, after=20 + 5 * number) for number in range(WORKLOADS)]
    chosen, killed = random.Random(5), 0
    inherited = {name: value for name, value in os.environ.items() if not NOT_OURS.match(name)}
    while killed < KILLS:
        process = subprocess.Popen(
            [sys.executable, "-m", "flows.dispatch"],
            cwd=PROJECT_ROOT, env={**inherited, **placing.settings, **prefect(placing)},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(chosen.uniform(1, 9))
        killed += process.poll() is None
        process.kill()
        process.wait()
    ends = time.monotonic() + 400
    while True:
        dispatch(placing)
        statuses = Counter(workload(placing, one)["status"] for one in ids)
        if statuses == {"completed": WORKLOADS}:
            break
        assert time.monotonic() < ends, statuses
        time.sleep(5)
    for one in ids:
        assert [run["state_type"] for run in runs_of(placing, one)] == ["COMPLETED"]
        assert workload(placing, one)["attempts"] == 1
