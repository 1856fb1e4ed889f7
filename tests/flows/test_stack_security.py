"""What other users of the machine can do to the stack, and what a kill of any of its parts leaves of a run's turn."""

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest

from tests.emulator import Emulator
from tests.flows.test_stack import kill_worker, ledger, until_asked

if TYPE_CHECKING:
    from tests.flows.stack_under_test import Stack

pytest_plugins = ["tests.flows.stack_under_test"]
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("stack")]

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
    from flows.prefect_server import PrefectApi

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
