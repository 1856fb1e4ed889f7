"""`energy run` as a process: it waits, follows the plan, runs the command, passes signals on, and never blocks it."""

import json
import os
import pty
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from energy.__main__ import command

from tests.client.conftest import Machine, Served, started, until

LATER = ("--hours", "1", "--deadline", "20h", "--earliest", "3h", "--region", "13")
"""A job that has to wait for three hours at least"""
AT_ONCE = ("--hours", "1", "--deadline", "1h")
HOUR = 3600
COMMAND = """
import signal, sys, time
from pathlib import Path
got = []
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, _frame: got.append(number))
Path("began").write_text("x")
while not Path("finish").exists() and not got:
    time.sleep(0.02)
time.sleep(0.3)
Path("got").write_text(" ".join(map(str, got)))
sys.exit(40 + len(got))
"""
WORK = ("--", sys.executable, "-c", COMMAND)


def test_the_exit_code_is_that_of_the_command_and_its_end_is_recorded(machine: Machine) -> None:
    codes = {}
    for script in ("pass", "import sys; sys.exit(7)", "import os; os.kill(os.getpid(), 9)"):
        codes[script] = machine.energy(
            "run", "--hours", "1", "--deadline", "1h", "--region", "13", "--", sys.executable, "-c", script
        )
    assert [done.returncode for done in codes.values()] == [0, 7, 128 + 9], codes
    assert machine.statuses() == ["completed", "failed", "failed"]
    rows = machine.query("select request, region_ids, duration_minutes from app.compute_workloads")
    assert rows == [(f"Run {Path(sys.executable).name}", [13], 60)] * 3, "arguments may be secret"


def test_a_command_that_is_not_there_is_said_before_anything_is_waited_for(machine: Machine) -> None:
    done = machine.energy("run", *LATER, "--", "no-such-command-here")
    assert done.returncode == 127 and "no such command" in done.stderr and len(done.stderr.splitlines()) == 1
    assert machine.statuses() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_it_waits_ends_it_and_frees_its_place(machine: Machine, number: int) -> None:
    with started(machine, "run", *LATER, *WORK) as process:
        until(lambda: machine.statuses() == ["scheduled"])
        time.sleep(0.3)
        process.send_signal(number)
        assert process.wait(20) == 128 + number
    assert machine.statuses() == ["cancelled"] and not (machine.folder / "began").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_it_runs_is_the_commands(machine: Machine, number: int) -> None:
    with started(machine, "run", *AT_ONCE, *WORK) as process:
        until((machine.folder / "began").exists)
        process.send_signal(number)
        assert process.wait(20) == 41
    assert (machine.folder / "got").read_text() == str(int(number))
    assert machine.statuses() == ["failed"]


def test_ctrl_c_reaches_the_command_once(machine: Machine) -> None:
    script = machine.folder / "work.py"
    script.write_text(COMMAND)
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(machine.folder)
        arguments = ["-m", "energy", "run", *AT_ONCE, "--", sys.executable, str(script)]
        os.execve(sys.executable, [sys.executable, *arguments], machine.environment())
    until((machine.folder / "began").exists)
    os.write(terminal, b"\x03")
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert (machine.folder / "got").read_text() == str(int(signal.SIGINT))
    assert os.waitstatus_to_exitcode(status) == 41


def test_after_a_suspend_it_begins_when_its_time_has_passed(machine: Machine) -> None:
    with started(machine, "run", *LATER, "--", sys.executable, "-c", "print('ran')") as process:
        until(lambda: machine.statuses() == ["scheduled"])
        time.sleep(0.5)
        assert process.poll() is None, "it waits"
        machine.shift(20 * HOUR)
        out, said = process.communicate(timeout=20)
    assert (process.returncode, out) == (0, "ran\n") and "waits until" in said
    assert machine.statuses() == ["completed"]


def test_a_clock_that_is_set_back_changes_nothing(machine: Machine) -> None:
    with started(machine, "run", *LATER, *WORK) as process:
        until(lambda: machine.statuses() == ["scheduled"])
        time.sleep(0.3)
        machine.shift(-HOUR)
        time.sleep(0.5)
        assert process.poll() is None and not (machine.folder / "began").exists()


def test_a_start_that_is_moved_is_followed(machine: Machine) -> None:
    with started(machine, "run", *LATER, *WORK) as process:
        until(lambda: machine.statuses() == ["scheduled"])
        machine.place_at(18.5 * HOUR)  # later
        machine.shift(17 * HOUR)
        time.sleep(1)
        assert process.poll() is None and not (machine.folder / "began").exists()
        machine.place_at(10 * HOUR)  # earlier
        machine.shift(17 * HOUR + 40)
        until((machine.folder / "began").exists)
        (machine.folder / "finish").write_text("x")
        _, said = process.communicate(timeout=20)
    assert process.returncode == 40 and said.count("moved to") == 2, said


def test_work_that_is_cancelled_while_it_waits_is_not_run(machine: Machine) -> None:
    with started(machine, "run", *LATER, *WORK) as process:
        until(lambda: machine.statuses() == ["scheduled"])
        ((workload_id,),) = machine.query("select workload_id::text from app.compute_workloads")
        assert machine.energy("cancel", workload_id).returncode == 0
        machine.shift(60)
        assert process.wait(20) == 125
    assert not (machine.folder / "began").exists()


def test_a_service_that_dies_while_it_waits_leaves_it_the_last_plan(machine: Machine, served: Served) -> None:
    with started(machine, "run", *LATER, *WORK) as process:
        until(lambda: machine.statuses() == ["scheduled"])
        time.sleep(0.3)
        end_service(served)
        machine.shift(40)
        time.sleep(1)
        assert process.poll() is None and not (machine.folder / "began").exists()
        machine.shift(20 * HOUR)
        until((machine.folder / "began").exists)
        (machine.folder / "finish").write_text("x")
        _, said = process.communicate(timeout=30)
    assert process.returncode == 40
    assert said.count("the last plan holds") == 1 and said.count("is not recorded") == 2, said


def test_a_service_that_dies_while_it_runs_does_not_touch_it(machine: Machine, served: Served) -> None:
    with started(machine, "run", *AT_ONCE, *WORK) as process:
        until((machine.folder / "began").exists)
        end_service(served)
        (machine.folder / "finish").write_text("x")
        _, said = process.communicate(timeout=30)
    assert process.returncode == 40 and said.count("the end is not recorded") == 1


def end_service(served: Served) -> None:
    served.process.kill()
    served.process.wait(20)


class _Broken(BaseHTTPRequestHandler):
    status, body = 500, b""

    def do_POST(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    do_GET = do_PATCH = do_POST  # noqa: N815  the library's names

    def log_message(self, *_words: object) -> None:
        pass


HALF = b'{"workload_id": "w", "placement": {"starts_at": "2030-01-01T00:00:00Z", "ends_at": "2030-01-01T01:00:00Z"}}'
ANSWERS = {
    "error": (500, b""), "page": (200, b"<html>"), "token": (401, b"{}"), "list": (200, b"[]"), "empty": (200, b"{}"),
    "half": (201, HALF), "deep": (200, b"[" * 100_000), "refusal": (422, b'{"detail": "no"}'), "moved": (302, b""),
}  # fmt: skip


@contextmanager
def broken(kind: str) -> Iterator[str]:
    """The address of something that is no help."""
    if kind == "nobody":
        yield "http://127.0.0.1:9"
    elif kind in ("silent", "dripping"):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            threading.Thread(target=_drip, args=(listener, kind), daemon=True).start()
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    elif kind == "no address":
        yield "http://[nowhere"
    else:
        status, body = ANSWERS[kind]
        handler = type("Handler", (_Broken,), {"status": status, "body": body})
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_address[1]}"
            server.shutdown()


def _drip(listener: socket.socket, kind: str) -> None:
    while True:
        try:
            connection, _ = listener.accept()
            threading.Thread(target=_serve_slowly, args=(connection, kind), daemon=True).start()
        except OSError:
            return


def _serve_slowly(connection: socket.socket, kind: str) -> None:
    try:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" if kind == "dripping" else b"")
        while True:
            time.sleep(0.5)
            connection.sendall(b"x" if kind == "dripping" else b"")
    except OSError:
        return


KINDS = ["nobody", "silent", "dripping", "no address", *ANSWERS]
OF_THE_MACHINE = {
    "proxy without its package": {
        "ALL_PROXY": "socks5://127.0.0.1:1080",
        "all_proxy": "",
        "NO_PROXY": "",
        "no_proxy": "",
    },
    "no certificates": {"SSL_CERT_FILE": "/nonexistent.pem"},
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_service_that_is_no_help_does_not_hold_the_work_up(kind: str, tmp_path: Path) -> None:
    script = "import time; print(time.time())"
    with broken(kind) as url:
        machine = Machine(tmp_path, url)
        begun = time.time()
        done = machine.energy("run", *LATER, "--", sys.executable, "-c", script)
        assert done.returncode == 0, done.stderr
        assert float(done.stdout) - begun < 5
        assert len(done.stderr.splitlines()) == 1 and done.stderr.count("it begins at once") == 1
        if kind in ("nobody", "token", "error"):
            strict = machine.energy("run", "--strict", *LATER, "--", sys.executable, "-c", script)
            assert (strict.returncode, strict.stdout) == (125, "") and "--strict" in strict.stderr


@pytest.mark.slow
@pytest.mark.parametrize("kind", OF_THE_MACHINE)
def test_a_machine_that_cannot_even_ask_begins_at_once(kind: str, tmp_path: Path) -> None:
    (tmp_path / "socksio.py").write_text("raise ImportError('not installed')")  # whether it is or not
    machine = Machine(tmp_path, "http://127.0.0.1:9", settings=OF_THE_MACHINE[kind])
    done = machine.energy("run", *LATER, "--", sys.executable, "-c", "print('ran')")
    assert (done.returncode, done.stdout) == (0, "ran\n"), done.stderr
    assert len(done.stderr.splitlines()) == 1 and done.stderr.count("it begins at once") == 1
    strict = machine.energy("run", "--strict", *LATER, "--", "true")
    assert strict.returncode == 125 and "--strict" in strict.stderr


class _SilentAfterwards(_Broken):
    """Accepts the submission, for now, and says no more."""

    status = 201

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != "/submit_task":
            time.sleep(60)
            return
        now = datetime.now(UTC)
        placed = {"region_id": 13, "region_name": "London", "starts_at": now.isoformat(), "chunks": [], "mean_gco2_kwh": 1.0,
                  "ends_at": (now + timedelta(hours=1)).isoformat()}  # fmt: skip
        answer = {"workload_id": "w", "status": "scheduled", "placement": placed, "data": {"synthetic_share": 0}}
        self.body = json.dumps(answer).encode()
        super().do_POST()

    def do_GET(self) -> None:
        time.sleep(60)

    do_PATCH = do_GET  # noqa: N815  the library's name


@pytest.mark.slow
def test_a_service_that_is_silent_after_the_submission_does_not_hold_it_up(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _SilentAfterwards) as server:
        server.block_on_close = False
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        machine = Machine(tmp_path, f"http://127.0.0.1:{server.server_address[1]}")
        begun = time.time()
        with started(
            machine, "run", *AT_ONCE, "--", sys.executable, "-c", "import time; print(time.time())"
        ) as process:
            assert process.stdout
            assert float(process.stdout.readline()) - begun < 5
            assert process.stderr and "begins at once: 1 gCO2/kWh in London" in process.stderr.readline()
        server.shutdown()


def test_a_machine_that_slept_beyond_the_deadline_begins_at_once(machine: Machine) -> None:
    with started(machine, "run", *LATER, "--", sys.executable, "-c", "print('ran')") as process:
        until(lambda: machine.statuses() == ["scheduled"])
        time.sleep(0.3)
        machine.query(
            "update app.compute_workloads set status = 'cancelled', failed_because = 'its deadline passed before it began'"
        )  # as the service does
        machine.shift(30 * HOUR)
        out, said = process.communicate(timeout=20)
    assert (process.returncode, out) == (0, "ran\n")
    assert "given it up (its deadline passed before it began); it begins at once" in said, said


def test_without_a_forecast_it_begins_at_once_and_nobody_else_will_run_it(machine: Machine) -> None:
    done = machine.energy(
        "run", "--hours", "1", "--deadline", "20d", "--earliest", "10d", "--", sys.executable, "-c", "print('ran')"
    )
    assert (done.returncode, done.stdout) == (0, "ran\n") and "no time for it" in done.stderr
    until(lambda: machine.statuses() == ["cancelled"])


def test_a_dry_run_draws_the_plan_and_submits_nothing(machine: Machine) -> None:
    done = machine.energy("run", "--dry-run", "--plain", *LATER, "--", "true")
    assert done.returncode == 0, done.stderr
    first, curve, run, hours, scale = done.stdout.splitlines()[:5]
    assert "London" in first and "gCO2/kWh" in first and scale.endswith("= is the run")
    assert set(curve) <= set("12345678 ") and len(curve) >= 30 and set(run) == {" ", "="} and len(run) <= len(curve)
    assert ":" in hours and machine.statuses() == []
    dead = Machine(machine.folder, "http://127.0.0.1:9").energy("run", "--dry-run", *LATER, "--", "true")
    assert dead.returncode == 0 and "would begin at once" in dead.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--hours", "0"), ("--hours", "nan"), ("--hours", "4", "--deadline", "2h"), ("--hours", "1", "--region", "15"),
        ("--hours", "1", "--region", "1", "--postcode", "EN2"), ("--hours", "1", "--deadline", "soon"), ("--hours", "200"),
        ("--hours", "1", "--at", "north"), ("--hours", "1", "--power-kw", "-1"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_ends_it_with_2(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command(["run", *arguments, "--", "true"])
    assert ended.value.code == 2 and capsys.readouterr().err.startswith("usage: energy")
