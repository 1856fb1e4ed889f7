"""Under a Prefect server the same flows run as tracked flow runs, their steps as task runs."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.energy import Energy
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
    refresh(datasets=["carbon_intensity__national"])
    flows, _ = asyncio.run(what_ran())
print(json.dumps({"outcome": outcome, "flows": flows, "tasks": tasks}))
"""

LOGGED = """
import json
from datetime import date
from prefect.testing.utilities import prefect_test_harness
from prefect.client.orchestration import get_client
from prefect.logging.handlers import APILogHandler

with prefect_test_harness(server_startup_timeout=120):
    from flows.backfill import backfill
    from flows.discover import discover_neso
    from flows.dispatch import dispatch
    from flows.export import export
    from flows.maintenance import maintenance
    from flows.refresh import refresh
    refresh(datasets=["carbon_intensity__national"])
    for _ in range(2):
        backfill(date(2024, 3, 1), date(2024, 3, 1), ["carbon_intensity__national"])
    maintenance()
    export(tables=["carbon_intensity_national"])
    discover_neso()
    dispatch()
    APILogHandler().flush()
    with get_client(sync_client=True) as client:
        names = {run.id: client.read_flow(run.flow_id).name for run in client.read_flow_runs()}
        logs = [log for offset in (0, 200, 400) for log in client.read_logs(limit=200, offset=offset)]
print(json.dumps([(names[log.flow_run_id], log.level, log.message) for log in logs]))
"""


def run_under_a_server(script: str, home: Path, level: str) -> Any:
    """What a script prints last, as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=PROJECT_ROOT,
        env={**os.environ, "PREFECT_HOME": str(home), "PREFECT_LOGGING_LEVEL": level},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_what_a_flow_says_is_in_the_log_of_its_run(energy: Energy, tmp_path: Path) -> None:
    """Progress and summaries alike; Prefect's UI shows nothing else of a run that a worker carries out."""
    logged = run_under_a_server(LOGGED, tmp_path, "INFO")
    for flow, *lines in (
        (
            "refresh",
            "Fetching: 1 of 1 requests",
            "Validating and publishing",
            "Data quality: ",
            "stg_carbon_intensity__",
        ),
        ("backfill", "Backfilling: 1 of 1 requests", "Nothing is missing: ", "Data quality: "),
        ("maintenance", "Nothing was old enough to remove."),
        ("export", " written, "),
        ("discover-neso", "NESO's portal has "),
        ("dispatch", "othing"),
    ):
        said = [message for name, _, message in logged if name == flow]
        for line in lines:
            assert any(line in message for message in said), (flow, line, said)


@pytest.mark.slow
def test_a_tracked_refresh(energy: Energy, tmp_path: Path) -> None:
    found = run_under_a_server(TRACKED, tmp_path, "ERROR")
    assert found["outcome"]["failures"] == []
    generation, market = "carbon_intensity__generation", "elexon__market_index"
    national = "carbon_intensity__national"  # never fetched before
    assert found["flows"] == [
        ["COMPLETED", "Completed", None, [generation]],
        ["COMPLETED", "Partly fetched", "1 of 2 requests failed; no synthetic value stands in", [generation, market]],
        ["COMPLETED", "Nothing fetched", "1 of 1 request failed; no synthetic value stands in", [generation]],
        ["COMPLETED", "Nothing fetched", "1 of 1 request failed; synthetic values stand in", [national]],
    ], "what is real already needs nothing to stand in for it"
    assert {state for _, state in found["tasks"]} == {"Completed"}
    steps = {"build the clean tables", "clean checkpoint", "land", "staging checkpoint", "unpack what is new"}
    validated = {"validate what landed of carbon_intensity__generation", "validate generation_mix_national"}
    nodes = {"dbt generation_mix_national", "dbt stg_carbon_intensity__generation"}
    assert steps | validated | nodes <= {name for name, _ in found["tasks"]}
    assert energy.value("select count(*) from generation_mix_national where not is_synthetic") > 190
