"""Under a Prefect server the same flows run as tracked flow runs, their steps as task runs."""

import json
import os
import subprocess
import sys

import pytest

from tests.conftest import Energy
from warehouse.settings import PROJECT_ROOT

TRACKED = """
import asyncio, json, os
from prefect.testing.utilities import prefect_test_harness
from prefect.client.orchestration import get_client

async def what_ran():
    async with get_client() as client:
        runs = sorted(await client.read_flow_runs(), key=lambda run: run.start_time)
        flows = [(run.state.type.value, run.state.name, run.state.message, run.parameters["datasets"]) for run in runs]
        return flows, sorted((run.name.rsplit("-", 1)[0], run.state.name) for run in await client.read_task_runs())

with prefect_test_harness(server_startup_timeout=120):
    from flows.refresh import refresh
    outcome = refresh(datasets=["carbon_intensity__generation"])
    _, tasks = asyncio.run(what_ran())
    os.environ["CARBON_INTENSITY_URL"] = "http://127.0.0.1:9"
    refresh(datasets=["carbon_intensity__generation", "elexon__market_index"])
    refresh(datasets=["carbon_intensity__generation"])
    flows, _ = asyncio.run(what_ran())
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
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["outcome"]["failures"] == []
    generation, market = "carbon_intensity__generation", "elexon__market_index"
    stands_in = "synthetic values stand in"
    assert found["flows"] == [
        ["COMPLETED", "Completed", None, [generation]],
        ["COMPLETED", "Partly fetched", f"1 of 2 requests failed; {stands_in}", [generation, market]],
        ["COMPLETED", "Nothing fetched", f"1 of 1 request failed; {stands_in}", [generation]],
    ]
    assert {state for _, state in found["tasks"]} == {"Completed"}
    steps = {"build the clean tables", "clean checkpoint", "land", "staging checkpoint", "unpack what is new"}
    judged = {"judge what landed of carbon_intensity__generation", "judge generation_mix_national"}
    nodes = {"dbt generation_mix_national", "dbt int_carbon_intensity__generation_batch"}
    assert steps | judged | nodes <= {name for name, _ in found["tasks"]}
    assert energy.value("select count(*) from generation_mix_national where not is_synthetic") > 190
