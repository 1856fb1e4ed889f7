"""What other users of the machine can do to the stack, and what a kill of any of its parts leaves of a run's turn."""

import os
import re
import shlex
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from tests.emulator import Emulator
from tests.flows.test_stack import kill_worker, ledger, until_asked

if TYPE_CHECKING:
    from tests.flows.stack_under_test import Stack

pytest_plugins = ["tests.flows.stack_under_test"]
pytestmark = pytest.mark.xdist_group("stack")

A_SOURCE = "refresh-carbon-intensity"
NATIONAL = "/carbon_intensity/intensity/"


def test_nobody_without_the_password_runs_anything(stack: "Stack") -> None:
    evil = {"Origin": "https://evil.example"}
    for headers in ({}, evil, {"Authorization": "Basic ZW5lcmd5Omd1ZXNz"}, {"Authorization": "Bearer x"}):
        with httpx.Client(base_url=stack.api, headers=headers, timeout=30) as client:
            asked = [
                client.post("/flows/", json={"name": "evil"}),
                client.post("/deployments/filter", json={}),
                client.post("/flow_runs/filter", json={}),
                client.get("/admin/version"),
            ]
        assert {answer.status_code for answer in asked} == {401}
    preflight = {**evil, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    answer = httpx.options(f"{stack.api}/flows/", headers=preflight, timeout=30)
    assert answer.status_code == 400 and "access-control-allow-origin" not in answer.headers
    assert stack.get("admin/version"), "with the password it answers"


def test_it_answers_to_the_names_of_this_machine_alone(stack: "Stack") -> None:
    """A page whose name was made to lead here is of the same origin for a browser."""
    port = urlsplit(stack.api).port
    user, password = stack.password.split(":")
    for host, status in (
        ("localhost", 200),
        ("127.0.0.1", 200),
        ("evil.example", 400),
        ("127.0.0.1.evil.example", 400),
    ):
        answer = httpx.get(
            f"{stack.api}/admin/version", auth=(user, password), headers={"Host": f"{host}:{port}"}, timeout=30
        )
        assert answer.status_code == status, host


def test_the_password_is_its_owners_alone(stack: "Stack") -> None:
    assert stat.S_IMODE((stack.data_dir / "prefect.env").stat().st_mode) == 0o600
    secret = stack.password.split(":")[1]
    for process in stack.processes():
        assert secret not in " ".join(process.cmdline())
    for log in (stack.data_dir / "logs").glob("*.log"):
        assert secret not in log.read_text(errors="replace")


def test_a_shell_that_took_over_the_address_still_speaks_of_the_stacks_own_server(stack: "Stack") -> None:
    taken_over = {"PREFECT_API_URL": stack.api, "PREFECT_API_AUTH_STRING": stack.password}
    pids = stack.pids()
    code, said = stack.run("flows.stack", "status", **taken_over)
    assert code == 0, said
    assert stack.up(**taken_over) and stack.pids() == pids
    assert "PREFECT_API_URL;" not in stack.run("flows.stack", "up", **taken_over)[1]
    of_before = {**taken_over, "PREFECT_API_AUTH_STRING": "energy:the-password-of-before"}
    code, said = stack.run("flows.maintenance", **of_before)
    assert code == 0 and "Traceback" not in said, said
    ended = {"state": {"type": {"any_": ["COMPLETED"]}}}
    found = stack.post("flow_runs/filter", flows={"name": {"any_": ["maintenance"]}}, flow_runs=ended)
    assert [run for run in found if not run["deployment_id"]], "it is tracked, under the password of now"


@pytest.mark.parametrize("role", ["transformer", "reader"])
def test_up_in_a_shell_that_has_the_databases_address_is_the_same_up(stack: "Stack", role: str) -> None:
    """As after `eval "$(make -s env ROLE=reader)"`."""
    if stack.given:
        pytest.skip("a database of the user's own has its address from the user")
    code, said = stack.run("warehouse", "env", "--role", role)
    assert code == 0, said
    shell = {
        name: shlex.split(value)[0] if value else "" for name, value in re.findall(r"^export (\w+)=(.*)$", said, re.M)
    }
    assert "DATABASE_URL" in shell
    assert stack.run("flows.stack", "down", **shell)[0] == 0
    words = stack.up(**shell)
    assert f"see {stack.data_dir / 'service.env'}" in words
    for pid in stack.pids().values():
        address = {name for name in shell if name.startswith(("PG", "DATABASE_"))}
        assert not address & set(psutil.Process(pid).environ()), "its port may change"
    headers = {"Authorization": f"Bearer {stack.token}"}
    assert httpx.get(f"{stack.service}/workloads", headers=headers, timeout=60).status_code in (200, 503)
    assert stack.run("flows.stack", "status", **shell)[0] == 0
    assert stack.ran(A_SOURCE)["state"]["name"] == "Completed"


def test_down_ends_the_run_that_a_killed_worker_left(stack: "Stack", emulator: Emulator) -> None:
    emulator.fault("timeout", NATIONAL, seconds=120)
    run_id = stack.start(A_SOURCE)
    until_asked(emulator, NATIONAL)
    os.kill(stack.pids()["worker"], signal.SIGKILL)
    code, said = stack.run("flows.stack", "down")
    assert code == 0 and re.search(r"^worker +stopped$", said, re.M), said
    assert [process.cmdline() for process in stack.processes()] == []
    emulator.reset()
    stack.up()
    assert ledger(stack, run_id) == "crashed"
    assert stack.get(f"flow_runs/{run_id}")["state_type"] == "CRASHED"


def test_up_says_what_is_wrong_and_fails(stack: "Stack") -> None:
    """A process logs an error while the command runs, and a schedule of ours never comes."""
    over = {"rrule": "DTSTART:20200101T000000\nRRULE:FREQ=DAILY;COUNT=1", "timezone": "UTC"}
    flow_id = stack.deployments()[A_SOURCE]["flow_id"]
    deployment = stack.post(
        "deployments/",
        name="over",
        flow_id=flow_id,
        work_pool_name="energy",
        schedules=[{"schedule": over, "active": True}],
    )
    log = stack.data_dir / "logs" / "worker.log"
    try:
        with ThreadPoolExecutor() as beside:
            up = beside.submit(stack.run, "flows.stack", "up")
            time.sleep(20)
            with log.open("a") as file:
                file.write("Exception in thread Thread-3 (run):\n")
            code, said = up.result()
    finally:
        httpx.delete(f"{stack.api}/deployments/{deployment['id']}", auth=stack.auth, timeout=60).raise_for_status()
        log.write_text(log.read_text().replace("Exception in thread Thread-3 (run):\n", ""))
    assert code == 1
    assert re.search(r"^NOT SCHEDULED +over: Prefect has planned no run", said, re.M), said
    assert f"ERRORS          1 in {log}, the first: Exception in thread" in said


@pytest.mark.parametrize("state", ["PENDING", "CANCELLING"])
def test_a_run_that_was_about_to_start_when_all_died_does_not_keep_its_turn(stack: "Stack", state: str) -> None:
    """The worker had taken the run; it and the server were killed before the run's process was there."""
    stack.up()
    kill_worker(stack)
    run_id = held_by_nobody(stack, state)
    assert slots(stack, A_SOURCE) == 1
    kill(stack, "prefect-server")
    stack.up()
    assert stack.get(f"flow_runs/{run_id}")["state_type"] == "CRASHED"
    assert slots(stack, A_SOURCE) == 0
    assert stack.ran(A_SOURCE)["state"]["name"] == "Completed"


def test_a_slot_that_no_run_holds_is_given_back(stack: "Stack") -> None:
    """Whatever led to it: leases that were lost, a server that died between two writes."""
    limit = stack.deployments()[A_SOURCE]["global_concurrency_limit"]
    stack.patch(f"v2/concurrency_limits/{limit['id']}", active_slots=1)
    assert slots(stack, A_SOURCE) == 1
    stack.up()
    assert slots(stack, A_SOURCE) == 0
    assert stack.ran(A_SOURCE)["state"]["name"] == "Completed"


def test_the_prefect_server_killed_in_the_middle_of_a_run_leaves_no_half_published_table(
    stack: "Stack", emulator: Emulator
) -> None:
    stack.up()
    emulator.fault("timeout", NATIONAL, seconds=8)
    run_id = stack.start(A_SOURCE)
    until_asked(emulator, NATIONAL)
    kill(stack, "prefect-server")
    emulator.reset()
    stack.up()
    ended = stack.wait(run_id, seconds=300)
    assert ended["state_type"] in ("COMPLETED", "CRASHED"), ended["state"]
    assert ledger(stack, run_id) in ("completed", "crashed")
    assert slots(stack, A_SOURCE) == 0
    run = stack.ran(A_SOURCE)
    assert (run["state"]["name"], ledger(stack, run["id"])) == ("Completed", "completed")


def test_nothing_is_left_in_the_machines_temporary_folder(stack: "Stack", tmp_path: Path) -> None:
    shared = tmp_path / "shared-tmp"
    shared.mkdir()
    stack.run("flows.stack", "down")
    stack.up(TMPDIR=str(shared))
    assert stack.ran(A_SOURCE)["state"]["name"] == "Completed"
    assert list(shared.iterdir()) == []
    assert stack.run("flows.stack", "down", TMPDIR=str(shared))[0] == 0
    assert list(shared.iterdir()) == []
    assert not (stack.data_dir / "tmp").exists()


def test_another_programs_server_is_not_taken_for_ours(stack: "Stack", tmp_path: Path) -> None:
    """Whatever answers at the address, with any password or none, is not the stack's own."""
    from flows.prefect_api import PrefectApi

    page = "import http.server as h\nclass H(h.BaseHTTPRequestHandler):\n"
    page += " def do_GET(s): s.send_response(200); s.end_headers(); s.wfile.write(b'true')\n log_message = lambda *a: None\n"
    page += "s = h.HTTPServer(('127.0.0.1', 0), H); print(s.server_port, flush=True); s.serve_forever()"
    other = subprocess.Popen([sys.executable, "-c", page], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout
        port = int(other.stdout.readline())
        from pydantic import SecretStr

        assert not PrefectApi(f"http://127.0.0.1:{port}/api", SecretStr(stack.password)).is_up()
        assert PrefectApi(stack.api, SecretStr(stack.password)).is_up()
        assert not PrefectApi(stack.api, SecretStr("energy:another")).is_up()
    finally:
        other.kill()
        other.wait()


def held_by_nobody(stack: "Stack", state: str) -> str:
    """A run that has its deployment's slot and no process."""
    deployment = stack.deployments()[A_SOURCE]
    created = stack.post(f"deployments/{deployment['id']}/create_flow_run", state={"type": "SCHEDULED"})
    for step in dict.fromkeys(["PENDING", state]):
        answer = stack.post(f"flow_runs/{created['id']}/set_state", state={"type": step})
        assert answer["status"] == "ACCEPT", answer
    return str(created["id"])


def slots(stack: "Stack", deployment: str) -> Any:
    """How many runs the server counts for the deployment's limit."""
    return stack.deployments()[deployment]["global_concurrency_limit"]["active_slots"]


def kill(stack: "Stack", name: str) -> None:
    """End a process of the stack, and its children, as the kernel would."""
    process = psutil.Process(stack.pids()[name])
    family = [process, *process.children(recursive=True)]
    os.killpg(process.pid, signal.SIGKILL)
    psutil.wait_procs(family, timeout=10)
    time.sleep(0.5)
