"""The whole stack as a user starts it: what `up`, `status` and `down` do and say, and what a kill or a taken port leaves."""

import os
import re
import signal
import socket
import stat
import time
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest
import yaml

from flows.automations import AUTOMATIONS
from tests.emulator import Emulator
from tests.energy import Energy
from warehouse.settings import PROJECT_ROOT

if TYPE_CHECKING:
    from tests.flows.stack_under_test import Stack

pytest_plugins = ["tests.flows.stack_under_test"]
pytestmark = pytest.mark.xdist_group("stack")

NAMES = [
    deployment["name"] for deployment in yaml.safe_load((PROJECT_ROOT / "prefect.yaml").read_text())["deployments"]
]
NATIONAL = "carbon_intensity__national"
EIGHT_MONTHS = {"start": "2024-01-01", "end": "2024-08-31", "datasets": [NATIONAL, "carbon_intensity__generation"]}
"""36 requests: more than are landed before the first are published."""
LAST_DAY = "2024-08-31"
WITHOUT_CLOCK = """
select to_jsonb(one) - '{{payload_id,fetched_at,updated_at}}'::text[] from {} as one
where period_start >= '2024-01-01Z' and period_start < '2024-08-31T23:00Z' order by period_start
"""


def test_up_says_where_everything_is_and_a_second_up_says_the_same(stack: "Stack") -> None:
    words, pids, deployments = stack.first_words, stack.pids(), stack.deployments()
    assert f":{stack.settings['PREFECT_SERVER_API_PORT']}/" not in words, "a port that another program has is replaced"
    page = stack.api.removesuffix("/api")
    assert re.search(r"^Prefect +starting, at port \d+ because another program has \d+;", words, re.M)
    assert re.search(rf"^Prefect +{page} \(the UI; API at {stack.api}; password: .*/prefect.env\)$", words, re.M)
    assert re.search(rf"^Deployments +{', '.join(NAMES)}$", words, re.M)
    assert re.search(rf"^Worker +of pool energy, process {pids['worker']}$", words, re.M)
    assert sorted(deployments) == sorted(NAMES)
    assert stack.get("health") is True
    assert "<title>Prefect" in httpx.get(page).text
    assert httpx.get(f"{stack.service}/healthz").status_code == 200

    again = stack.up()
    assert again.splitlines() == [line for line in words.splitlines() if "starting" not in line]
    assert stack.pids() == pids
    unchanged = ("id", "entrypoint", "parameters", "concurrency_limit", "work_pool_name", "description")
    for name, now in stack.deployments().items():
        assert [now[key] for key in unchanged] == [deployments[name][key] for key in unchanged]
    assert sorted(one["name"] for one in stack.post("automations/filter")) == sorted(AUTOMATIONS)

    code, said = stack.run("flows.stack", "status")
    assert code == 0, said
    lines = dict(re.findall(r"^(\S+) +(.+)$", said, re.M))
    assert {"PostgreSQL", *pids} <= set(lines)
    assert all(f"process {pid}" in lines[name] for name, pid in pids.items())
    assert stack.api in lines["prefect-server"] and stack.service in lines["service"]


def test_the_service_takes_a_task_once_a_run_has_fetched_the_grid(stack: "Stack") -> None:
    assert httpx.get(f"{stack.service}/readyz", timeout=30).status_code in (200, 503)
    assert stack.ran("refresh-carbon-intensity")["state"]["name"] == "Completed"
    with httpx.Client(base_url=stack.service, timeout=60) as client:
        until = time.monotonic() + 40
        while client.get("/readyz").status_code != 200:
            assert time.monotonic() < until, client.get("/readyz").text
            time.sleep(1)
        task = {"request": "Train ResNet-50 on ImageNet", "user_email": "researcher@example.com"}
        assert client.post("/submit_task", json=task).status_code == 401
        answer = client.post("/submit_task", json=task, headers={"Authorization": f"Bearer {stack.token}"})
    assert answer.status_code == 201, answer.text
    assert answer.json()["placement"]
    if not stack.given:
        assert stat.S_IMODE((stack.data_dir / "service.env").stat().st_mode) == 0o600


def test_a_run_that_could_not_publish_a_table_is_failed_in_prefect_too(stack: "Stack", emulator: Emulator) -> None:
    emulator.fault("absurd", "/carbon_intensity/generation")
    run = stack.ran("refresh", datasets=["carbon_intensity__generation"])
    assert ledger(stack, run["id"]) == "failed"
    assert (run["state_type"], "held back" in (run["state"]["message"] or "")) == ("FAILED", True)


def test_a_backfill_whose_worker_was_killed_goes_on_under_the_next(
    stack: "Stack", energy: Energy, emulator: Emulator
) -> None:
    emulator.fault("timeout", LAST_DAY, seconds=60)
    run_id = stack.start("backfill", **EIGHT_MONTHS)
    until_asked(emulator, LAST_DAY)
    asked_before = len({path for _, path in emulator.requests})
    kill_worker(stack)
    assert stack.run("flows.stack", "status")[0] == 1
    assert (ledger(stack, run_id), stack.get(f"flow_runs/{run_id}")["state_type"]) == ("running", "RUNNING")

    said = stack.run("flows.watch")[1]
    assert re.search(r"^backfill: the run of .* died; it is marked as crashed. Run it again to go on.$", said, re.M)
    assert (ledger(stack, run_id), stack.get(f"flow_runs/{run_id}")["state_type"]) == ("crashed", "CRASHED")

    emulator.reset()
    stack.up()
    run = stack.ran("backfill", **EIGHT_MONTHS)
    assert (ledger(stack, run["id"]), run["state"]["name"]) == ("completed", "Completed")
    asked_after = len({path for _, path in emulator.requests})
    assert (asked_before >= 31, asked_after) == (True, 6), "the thirty that had landed are not requested again"

    energy.backfill(EIGHT_MONTHS["start"], EIGHT_MONTHS["end"], *EIGHT_MONTHS["datasets"])
    for table in ("carbon_intensity_national", "generation_mix_national"):
        undisturbed = energy.query(WITHOUT_CLOCK.format(table))
        assert len(undisturbed) == 244 * 48 - 2
        assert stack.query(WITHOUT_CLOCK.format(table)) == undisturbed


def test_a_port_of_the_service_that_is_taken_is_replaced_and_said_so(stack: "Stack") -> None:
    before = stack.pids()
    psutil.Process(before["service"]).kill()
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        words = stack.up(SERVICE_PORT=str(port))
    another = stack.service.rpartition(":")[2]
    assert (
        f"Port {port} (SERVICE_PORT) cannot be used, another program may have it: the service takes {another}." in words
    )
    assert httpx.get(f"{stack.service}/healthz").status_code == 200
    assert {**stack.pids(), "service": None} == {**before, "service": None}


def test_down_in_the_middle_of_a_run_leaves_nothing_and_the_schedule_goes_on_after_up(
    stack: "Stack", emulator: Emulator
) -> None:
    emulator.fault("timeout", "/carbon_intensity/intensity/", seconds=60)
    run_id = stack.start("refresh-carbon-intensity")
    until_asked(emulator, "/carbon_intensity/intensity/")
    kept, password = stack.data_dir / "prefect.env", stack.password
    words = ("service", "worker", "prefect-server", "PostgreSQL")
    ours = words[:3] if stack.given else words
    code, said = stack.run("flows.stack", "down")
    assert (code, re.findall(r"^(\S+) +stopped$", said, re.M)) == (0, list(ours))
    assert [process.cmdline() for process in stack.processes()] == []
    code, said = stack.run("flows.stack", "status")
    assert (code, said.count("not running")) == (1, len(ours))
    code, said = stack.run("flows.stack", "down")
    assert (code, re.findall(r"^(\S+) +was not running$", said, re.M)) == (0, list(ours))

    emulator.reset()
    stack.up()
    assert password not in kept.read_text(), "what was heard at its port is worth nothing"
    assert sorted(stack.deployments()) == sorted(NAMES), "Prefect has kept its records"
    assert stack.ran("refresh-carbon-intensity")["state"]["name"] == "Completed"
    assert stack.get(f"flow_runs/{run_id}")["state_type"] in ("CRASHED", "CANCELLED")
    assert ledger(stack, run_id) == "crashed"


def ledger(stack: "Stack", run_id: str) -> Any:
    """What ops.runs says of a run of Prefect's."""
    return stack.query("select status from ops.runs where prefect_flow_run_id = %s", run_id)[0][0]


def until_asked(emulator: Emulator, what: str) -> None:
    """Wait until the upstream gets this request."""
    until = time.monotonic() + 120
    while not any(what in path for _, path in list(emulator.requests)):
        assert time.monotonic() < until, f"{what} was not requested by {datetime.now():%H:%M:%S}"
        time.sleep(0.2)


def kill_worker(stack: "Stack") -> None:
    """End the worker and the runs that it started as the kernel would, were there no memory left."""
    worker = psutil.Process(stack.pids()["worker"])
    children = worker.children(recursive=True)
    os.killpg(worker.pid, signal.SIGKILL)
    for child in children:
        child.kill()
    psutil.wait_procs([worker, *children], timeout=10)
