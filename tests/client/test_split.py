"""`energy run --split` as a process: the command stands still between the pieces of its plan, and nothing of ours ends it.

The service is a server of the test's own that plans pieces of a second or two.
"""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from energy.api import Api
from energy.chunks import Chunk, chunks_of, next_border, number_at, pause_at, planned_seconds
from energy.clock import Clock
from energy.commands import child
from energy.commands.signals import Signals
from energy.commands.split import Pacer
from energy.job import Job
from energy.settings import Settings
from energy.turn import Turn

from tests.client.conftest import Machine, started, until

JOB = ("--hours", "1", "--deadline", "20h", "--region", "13")
SLEEPS = ("run", "--split", *JOB, "--", "sleep", "60")
# Notes each twentieth of a second that it ran, and a child of its own does so too.
COMMAND = """
import os, signal, sys, time
got = []
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
    signal.signal(number, lambda number, _frame: got.append(number))
name = "parent" if os.fork() else "child"
ends = time.time() + float(sys.argv[1])
with open(name, "a") as file:
    while time.time() < ends and not [one for one in got if one != signal.SIGUSR1]:
        print(time.time(), file=file, flush=True)
        time.sleep(0.05)
if name == "child":
    os._exit(0)
open("got", "w").write(" ".join(map(str, got)))
sys.exit(40 + len(got))
"""


@dataclass
class Planner:
    """A service that plans pieces of a length in seconds, counted from the submission: what it was sent, and how it answers."""

    pieces: list[tuple[float, float]]
    url: str = ""
    heartbeat: int = 200
    pieces_are_refused: int = 0
    """with which status; 0: they are recorded"""
    posts: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    began: datetime = field(default_factory=lambda: datetime.now(UTC))

    def placement(self) -> dict[str, Any]:
        """The plan, as the service gives it."""
        at = [[(self.began + timedelta(seconds=s)).isoformat() for s in piece] for piece in self.pieces]
        chunks = [{"starts_at": begins, "ends_at": ends} for begins, ends in at]
        return {
            "region_id": 13, "region_name": "London", "starts_at": at[0][0], "ends_at": at[-1][1], "chunks": chunks,
            "mean_gco2_kwh": 90.0, "mean_intensity_gco2_kwh": 90.0, "carbon_kg": 1.0, "cost_gbp": None,
        }  # fmt: skip

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and body of a response."""
        if path == "/submit_task":
            self.began = datetime.now(UTC)
            data = {"in_words": "", "synthetic_share": 0.0}
            answer = {
                "workload_id": "w",
                "status": "scheduled",
                "placement": self.placement(),
                "unplaced_because": None,
            }
            return 201, {**answer, "data": data}
        if path == "/workloads/claim":
            return 200, {"claims": [{"token": 7, "workload_id": "w"}]}
        if path.endswith("/heartbeat"):
            return self.heartbeat, {"detail": "token 7 holds nothing any more"}
        if "/chunks/" in path and self.pieces_are_refused:
            return self.pieces_are_refused, {"detail": "the pieces are refused"}
        if path == "/workloads/w":
            return 200, {"status": "scheduled", "placement": self.placement()}
        return 200, {}

    def reported(self) -> dict[str, float]:
        """What was said of the pieces, such as `1/start`, and its seconds after the submission; in the order of the requests."""
        return {
            path.split("/chunks/")[1]: (datetime.fromisoformat(sent["at"]) - self.began).total_seconds()
            for path, sent in self.posts
            if "/chunks/" in path
        }


@contextmanager
def planning(*pieces: tuple[float, float]) -> Iterator[Planner]:
    planner = Planner(list(pieces))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
            planner.posts.append((self.path, sent))
            status, body = planner.answer(self.path, sent)
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_PATCH = do_POST  # noqa: N815  the library's names

        def log_message(self, *_words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        planner.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield planner
        server.shutdown()


def work(seconds: float) -> tuple[str, ...]:
    return ("run", "--split", "--max-chunks", "3", *JOB, "--", sys.executable, "-c", COMMAND, str(seconds))


def ticks(folder: Path, name: str = "parent") -> list[float]:
    path = folder / name
    return [float(line) for line in path.read_text().split()] if path.exists() else []


def ran_in(folder: Path, name: str, begins: float, ends: float) -> bool:
    """Whether it noted anything between two instants."""
    return any(begins < at < ends for at in ticks(folder, name))


def is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"


def child_of(process: "subprocess.Popen[str]") -> int:
    """The command that `energy` runs; not the guard, which is there once it was paused."""
    found = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return min(map(int, found)) if found else 0


@pytest.mark.slow
def test_the_command_and_its_children_stand_still_between_the_pieces(tmp_path: Path) -> None:
    with planning((0, 2.5), (4.5, 5.5), (7.5, 9)) as planner:
        machine = Machine(tmp_path, planner.url)
        with started(machine, *work(8)) as process:
            _, said = process.communicate(timeout=30)
        assert process.returncode == 40, said
        sent = dict(planner.posts)
        assert sent["/submit_task"]["is_interruptible"] is True and sent["/submit_task"]["max_chunks"] == 3
        assert said.count("paused until") == 2 and said.count("goes on") == 2 and "in 3 pieces" in said
        assert "/workloads/w/fail" in sent, "an exit code of 40 is a failure"
        began = planner.began.timestamp()
        for name in ("parent", "child"):
            for begins, ends in ((0, 2.5), (4.5, 6.4), (7.5, 30)):
                assert ran_in(tmp_path, name, began + begins, began + ends), (name, begins)
            for begins, ends in ((2.5, 4.5), (5.5, 7.5)):  # a busy machine stops it a little late
                assert not ran_in(tmp_path, name, began + begins + 0.9, began + ends), (name, begins)
        reported = planner.reported()
        assert list(reported) == ["1/start", "1/stop", "2/start", "2/stop", "3/start"], (
            "the last one ends with the work"
        )
        assert {sent["token"] for path, sent in planner.posts if "/chunks/" in path} == {7}
        assert [path for path, _ in planner.posts][-1] == "/workloads/w/fail", "and that is said last"
        stood = [(reported["1/stop"], reported["2/start"]), (reported["2/stop"], reported["3/start"])]
        for name in ("parent", "child"):
            for stopped, went_on in stood:
                assert not ran_in(tmp_path, name, began + stopped + 0.2, began + went_on - 0.2), (name, stood)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_reaches_a_command_that_stands_still_and_it_is_not_paused_again(number: int, tmp_path: Path) -> None:
    with (
        planning((0, 1), (600, 601), (1200, 1201)) as planner,
        started(Machine(tmp_path, planner.url), *SLEEPS) as process,
    ):
        until(lambda: (pid := child_of(process)) and is_stopped(pid))
        process.send_signal(number)
        assert process.wait(20) == 128 + number


def test_one_that_is_no_end_waits_until_it_goes_on(tmp_path: Path) -> None:
    with planning((0, 1), (3, 4)) as planner, started(Machine(tmp_path, planner.url), *SLEEPS) as process:
        pid = until(lambda: (pid := child_of(process)) and is_stopped(pid) and pid)
        process.send_signal(signal.SIGUSR1)
        time.sleep(0.3)
        assert is_stopped(pid)
        assert process.wait(20) == 128 + signal.SIGUSR1


def test_if_the_command_line_is_killed_the_command_goes_on(tmp_path: Path) -> None:
    with planning((0, 1), (600, 601)) as planner, started(Machine(tmp_path, planner.url), *work(3)) as process:
        pid = until(lambda: (pid := child_of(process)) and is_stopped(pid) and pid)
        process.kill()
        process.wait(20)
        until((tmp_path / "got").exists)
        assert not Path(f"/proc/{pid}").exists() or not is_stopped(pid)


@pytest.mark.slow
def test_a_lease_that_is_lost_lets_it_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said: list[str] = []
    now = datetime.now(UTC)
    with planning((0, 1), (600, 601)) as planner, Signals(is_apart=True) as signals:
        planner.heartbeat = 409
        job = Job("Run it", timedelta(hours=1), now, now + timedelta(hours=20))
        turn = Turn(Api(Settings(url=planner.url)), job, clock=Clock(), say=said.append, beat_seconds=1.5)
        turn.submit()
        turn.wait()
        signals.start_child()
        turn.begin()
        command = [sys.executable, "-c", COMMAND, "3"]
        assert child.run(command, signals, Pacer(turn, clock=Clock(), say=said.append)) == 40
    assert "it is not paused any more" in said and any("the command goes on" in one for one in said)


def test_the_service_plans_the_pieces(machine: Machine) -> None:
    done = machine.energy("run", "--split", "--hours", "1", "--deadline", "1h", "--", sys.executable, "-c", "pass")
    assert done.returncode == 0, done.stderr
    rows = machine.query("select is_interruptible, max_chunks > 1, status from app.compute_workloads")
    assert rows == [(True, True, "completed")]
    shown = machine.energy("run", "--dry-run", "--plain", "--split", *JOB, "--", "true")
    runs = shown.stdout.splitlines()[2]
    assert shown.returncode == 0 and set(runs) <= {" ", "="} and "=" in runs, shown.stdout + shown.stderr


def test_a_service_that_dies_does_not_keep_it_from_going_on(tmp_path: Path) -> None:
    with planning((0, 1), (2.5, 3.5)) as planner:
        process = Machine(tmp_path, planner.url, settings={"ENERGY_PATIENCE_SECONDS": "1"}).start(*work(3))
        until(lambda: (pid := child_of(process)) and is_stopped(pid))
    _, said = process.communicate(timeout=30)  # the service has gone
    assert process.returncode == 40 and "goes on" in said and "the end is not recorded" in said


def test_without_the_service_it_runs_through(tmp_path: Path) -> None:
    done = Machine(tmp_path, "http://127.0.0.1:9").energy(*work(0.5))
    assert done.returncode == 40 and "begins at once" in done.stderr


def test_what_began_late_makes_up_for_it_before_it_is_paused(tmp_path: Path) -> None:
    """Its first piece was over when the machine woke: pausing it would cost it that time."""
    with planning((-7200, -1), (600, 601)) as planner:
        done = Machine(tmp_path, planner.url).energy(*work(2))
        assert done.returncode == 40 and "paused" not in done.stderr


def test_options_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    done = Machine(tmp_path, "http://127.0.0.1:9").energy("run", "--max-chunks", "3", *JOB, "--", "true")
    assert done.returncode == 2 and "--split" in done.stderr


def test_instants_between_pieces() -> None:
    zero = datetime(2026, 11, 26, tzinfo=UTC)

    def at(seconds: float) -> datetime:
        return zero + timedelta(seconds=seconds)

    chunks = [Chunk(at(0), at(10)), Chunk(at(30), at(40))]
    assert [pause_at(chunks, at(s)) for s in (-5, 0, 9, 10, 29, 30, 41)] == [
        None,
        None,
        None,
        at(30),
        at(30),
        None,
        None,
    ]
    assert [planned_seconds(chunks, at(s)) for s in (-5, 5, 20, 35, 99)] == [0, 5, 10, 15, 20]
    assert [next_border(chunks, at(s)) for s in (-5, 0, 20, 40)] == [at(0), at(10), at(30), None]
    assert [number_at(chunks, at(s)) for s in (-5, 0, 10, 29, 30, 41)] == [1, 1, 1, 1, 2, 2]
    whole = {"starts_at": "2026-11-26T00:00:00Z", "ends_at": "2026-11-26T00:00:10Z"}
    assert chunks_of(whole) == chunks_of({**whole, "chunks": None}) == (chunks[0],) and chunks_of(None) == ()
