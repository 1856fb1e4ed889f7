"""Processes that outlive the command that started them: found again, stopped with all their children, never mistaken."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from flows.processes import Processes, Running
from warehouse.errors import UsageError
from warehouse.settings import PROJECT_ROOT

NAME = "program"
SERVES = "import time; print('ready', flush=True); time.sleep(600)"
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session={apart})
print("child", child.pid, flush=True)
time.sleep(600)
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
STARTS = f"""
import os, pathlib, sys
from flows.processes import Processes
Processes(pathlib.Path(sys.argv[1])).start(
    "{NAME}", [sys.executable, "-c", {SERVES!r}], environment=os.environ, answers=lambda: None, seconds=600
)
"""


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """The processes of a folder; what is left of them at the end is ended."""
    yield Processes(tmp_path)
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("OF_FOLDER") == str(tmp_path):
                process.kill()


def start(processes: Processes, program: str, *, seconds: float = 30, says: str = "") -> Running:
    """Start a program; it answers as soon as its log has such words, or any."""

    def answers() -> str | None:
        log = said(processes)
        return log if log and says in log else None

    folder = str(processes.logs.parent)
    return processes.start(
        NAME, [sys.executable, "-c", program], environment={"OF_FOLDER": folder}, answers=answers, seconds=seconds
    )


def said(processes: Processes) -> str:
    """The log of the program."""
    return (processes.logs / f"{NAME}.log").read_text().strip()


def is_alive(pid: int) -> bool:
    """Whether there is such a process, and not merely what is left of it."""
    with suppress(psutil.Error):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def eventually(condition: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether it becomes so."""
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.1)
    return condition()


def test_a_process_is_found_again_and_stopped_with_its_children(processes: Processes, tmp_path: Path) -> None:
    started = start(processes, PARENT.format(apart=False))
    child = int(started.address.split()[1])
    assert processes.running(NAME) == Processes(tmp_path).running(NAME) == started
    assert psutil.Process(started.pid).create_time() == started.since
    assert Processes(tmp_path).stop(NAME), "another command than the one that started it can stop it"
    assert not is_alive(started.pid) and not is_alive(child)
    assert processes.running(NAME) is None
    assert not processes.stop(NAME), "a second time there is nothing to stop"


@pytest.mark.slow
def test_who_ignores_the_signal_is_killed_with_a_child_in_a_session_of_its_own(processes: Processes) -> None:
    started = start(processes, STUBBORN + PARENT.format(apart=True))
    child = int(started.address.split()[1])
    assert os.getpgid(child) != os.getpgid(started.pid)
    assert processes.stop(NAME)
    assert eventually(lambda: not is_alive(started.pid) and not is_alive(child), 2)


def test_a_process_that_died_is_not_running(processes: Processes) -> None:
    started = start(processes, SERVES)
    os.kill(started.pid, signal.SIGKILL)
    assert eventually(lambda: processes.running(NAME) is None, 5), "nor is what is left of it until it is waited for"
    assert not processes.stop(NAME)
    assert start(processes, SERVES).pid != started.pid
    assert processes.stop(NAME)


def test_a_process_that_took_over_the_id_is_not_taken_for_ours(processes: Processes, tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True) as other:
        try:
            kept = tmp_path / "run" / f"{NAME}.json"
            kept.parent.mkdir()
            since = psutil.Process(other.pid).create_time() - 3600
            kept.write_text(json.dumps({"pid": other.pid, "since": since, "address": "http://127.0.0.1:1"}))
            assert processes.running(NAME) is None
            assert not processes.stop(NAME)
            assert other.poll() is None, "it is left alone"
        finally:
            other.kill()


def test_a_step_of_the_clock_makes_no_other_process_of_it(processes: Processes, tmp_path: Path) -> None:
    """The time at which a process began is counted from that of the boot, which moves when the clock is set."""
    started = start(processes, SERVES)
    kept = tmp_path / "run" / f"{NAME}.json"
    kept.write_text(json.dumps({**json.loads(kept.read_text()), "since": started.since + 3600}))
    assert processes.running(NAME)
    assert processes.stop(NAME)
    assert not is_alive(started.pid)


def test_a_process_of_another_boot_is_not_ours(processes: Processes, tmp_path: Path) -> None:
    started = start(processes, SERVES)
    kept = tmp_path / "run" / f"{NAME}.json"
    said = json.loads(kept.read_text())
    _, ticks = said["began"].split()
    kept.write_text(json.dumps({**said, "began": f"00000000-0000-0000-0000-000000000000 {ticks}", "mark": "another"}))
    assert processes.running(NAME) is None
    assert not processes.stop(NAME)
    assert is_alive(started.pid), "it is left alone"


@pytest.mark.parametrize("apart", [False, True])
def test_what_a_process_left_when_it_was_killed_is_ended(processes: Processes, apart: bool) -> None:
    """As the run of a flow whose worker the kernel killed, in the worker's session or in one of its own."""
    started = start(processes, PARENT.format(apart=apart))
    child = int(started.address.split()[1])
    os.kill(started.pid, signal.SIGKILL)
    assert eventually(lambda: processes.running(NAME) is None, 5) and is_alive(child)
    assert processes.stop(NAME), "something of it was running"
    assert not is_alive(child)
    assert not processes.stop(NAME)


def test_what_a_killed_process_left_does_not_run_beside_the_next(processes: Processes) -> None:
    started = start(processes, PARENT.format(apart=True))
    child = int(started.address.split()[1])
    os.kill(started.pid, signal.SIGKILL)
    assert eventually(lambda: processes.running(NAME) is None, 5)
    assert start(processes, SERVES).pid != started.pid
    assert not is_alive(child)
    assert processes.stop(NAME)


def test_a_process_that_an_earlier_version_started_is_found_and_stopped(processes: Processes, tmp_path: Path) -> None:
    started = start(processes, SERVES)
    kept = tmp_path / "run" / f"{NAME}.json"
    said = json.loads(kept.read_text())
    kept.write_text(json.dumps({name: said[name] for name in ("pid", "since", "address")}))
    assert processes.running(NAME) == started
    assert processes.stop(NAME)
    assert not is_alive(started.pid)


@pytest.mark.parametrize("content", ["", "{", '{"pid": 1}'])
def test_a_file_that_was_cut_short_counts_for_nothing(processes: Processes, tmp_path: Path, content: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / f"{NAME}.json").write_text(content)
    assert processes.running(NAME) is None
    assert start(processes, SERVES).pid
    assert processes.stop(NAME)


def test_a_program_that_ends_at_once_is_said_with_its_last_words(processes: Processes) -> None:
    with pytest.raises(UsageError) as refusal:
        start(processes, "import sys; print('the port'); print('is taken', file=sys.stderr); sys.exit(3)", says="never")
    log = processes.logs / f"{NAME}.log"
    assert str(refusal.value) in (
        f"The {NAME} ended ({words}). Its log: {log}" for words in ("the port | is taken", "is taken | the port")
    )
    assert processes.running(NAME) is None


def test_a_program_that_never_answers_is_stopped_and_said(processes: Processes) -> None:
    with pytest.raises(
        UsageError, match=r"The program did not answer within 2 seconds \(ready\). Its log: .*/program.log"
    ):
        start(processes, SERVES, seconds=2, says="never")
    assert processes.running(NAME) is None
    assert not [p for p in psutil.process_iter() if is_of(p, processes)]


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGKILL])
def test_after_an_interrupted_start_no_program_is_left_beside_the_next(processes: Processes, signal_: int) -> None:
    folder = str(processes.logs.parent)
    environment = {**os.environ, "OF_FOLDER": folder}
    with subprocess.Popen(
        [sys.executable, "-c", STARTS, folder], cwd=PROJECT_ROOT, env=environment, stderr=subprocess.DEVNULL
    ) as starter:
        assert eventually(
            lambda: "ready" in (processes.logs / f"{NAME}.log").read_text() if processes.logs.exists() else False
        )
        starter.send_signal(signal_)
    assert processes.running(NAME) is None, "what has never answered is not said to run"
    second = start(processes, SERVES)
    alive = [process.pid for process in psutil.process_iter() if is_of(process, processes)]
    assert alive == [second.pid]
    assert processes.stop(NAME)


def is_of(process: psutil.Process, processes: Processes) -> bool:
    """Whether this process was started for that folder, and lives."""
    with suppress(psutil.Error):
        return process.environ().get("OF_FOLDER") == str(processes.logs.parent) and is_alive(process.pid)
    return False
