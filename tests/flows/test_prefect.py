"""Under a Prefect server the same flows run as tracked flow runs, their steps as task runs."""

import json
import os
import subprocess
import sys

import pytest

from tests.conftest import Energy
from warehouse.settings import PROJECT_ROOT

TRACKED = """
import asyncio, json
from prefect.testing.utilities import prefect_test_harness
from prefect.client.orchestration import get_client

async def what_ran():
    async with get_client() as client:
        flows = [(run.state.name, run.parameters) for run in await client.read_flow_runs()]
        return flows, sorted((run.name.rsplit("-", 1)[0], run.state.name) for run in await client.read_task_runs())

with prefect_test_harness(server_startup_timeout=120):
    from flows.refresh import refresh
    outcome = refresh(datasets=["carbon_intensity__generation"])
    flows, tasks = asyncio.run(what_ran())
print(json.dumps({"outcome": outcome, "flows": flows, "tasks": tasks}))
"""


@pytest.mark.slow
def test_a_tracked_refresh(energy: Energy, tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TRACKED],
        cwd=PROJECT_ROOT,
        env={**os.environ, "PREFECT_HOME": str(tmp_path), "PREFECT_LOGGING_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["outcome"]["failures"] == []
    assert told["flows"] == [["Completed", {"datasets": ["carbon_intensity__generation"]}]]
    assert {state for _, state in told["tasks"]} == {"Completed"}
    steps = {"build the clean tables", "clean checkpoint", "land", "staging checkpoint", "unpack what is new"}
    judged = {"judge what landed of carbon_intensity__generation", "judge generation_mix_national"}
    nodes = {"dbt generation_mix_national", "dbt int_carbon_intensity__generation_batch"}
    assert steps | judged | nodes <= {name for name, _ in told["tasks"]}
    assert energy.value("select count(*) from generation_mix_national where not is_synthetic") > 190
