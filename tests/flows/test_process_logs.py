"""What counts as an error in a log, from where on it is looked for, and what becomes of a log that grows."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows.process_logs import ERROR_LINE, Log, Mark

ERRORS = (
    "22:00:00.123 | ERROR   | prefect.server - a task was lost",
    "2026-11-26 | CRITICAL | asyncio | Task exception was never retrieved",
    "ERROR:    Exception in ASGI application",
    "ERROR:    [Errno 98] error while attempting to bind on address",
    "CRITICAL:root:x",
    "  [ERROR] in a library's own format",
    "2026-11-26 10:00:02 UTC [22] ERROR:  could not open file",
    "Traceback (most recent call last):",
    "  + Exception Group Traceback (most recent call last):",
    "    | Traceback (most recent call last):",
    "╭─────── Traceback (most recent call last) ───────╮",
    "Exception in thread Thread-3 (run):",
    "Exception ignored in: <function f>",
    "Fatal Python error: Segmentation fault",
)
FINE = (
    "INFO:     127.0.0.1:55 - GET /errors HTTP/1.1 200 OK",
    "22:00:00.123 | INFO    | Flow run 'a' - no ERROR was found",
    "22:00:00.123 | WARNING | Flow run 'a' - 1 of 2 requests failed",
    "PREFECT_LOGGING_LEVEL=ERROR",
    "the traceback of a run is in its log",
)
OF_A_RUN = "22:00:00.1 | ERROR   | Flow run 'brave-otter' - Finished in state Failed('payloads are held back')"


@pytest.mark.parametrize("line", ERRORS)
def test_an_error_is_seen_in_whatever_form_it_comes(line: str) -> None:
    assert ERROR_LINE.search(line)


@pytest.mark.parametrize("line", FINE)
def test_what_is_no_error_is_not_taken_for_one(line: str) -> None:
    assert not ERROR_LINE.search(line)


def test_a_run_that_failed_is_no_error_of_its_worker(tmp_path: Path) -> None:
    log = said(tmp_path, OF_A_RUN, ERRORS[0])
    assert log.errors() == [ERRORS[0]]


def test_only_what_came_after_the_mark_is_looked_at(tmp_path: Path) -> None:
    log = said(tmp_path, ERRORS[0])
    mark = log.mark()
    assert log.errors(mark) == []
    with log.path.open("a") as file:
        file.write(f"{ERRORS[2]}\n")
    assert log.errors(mark) == [ERRORS[2]]
    assert len(log.errors()) == 2


def test_a_log_that_was_begun_after_the_mark_is_looked_at_from_its_beginning(tmp_path: Path) -> None:
    """As that of a Prefect server which `make up` restarts, because PostgreSQL was killed."""
    log = said(tmp_path, *["fine"] * 1000)
    mark = log.mark()
    with log.begin() as file:
        file.write(f"{ERRORS[0]}\n")
    assert log.errors(mark) == [ERRORS[0]]
    assert log.before.read_text().startswith("fine")
    assert Log(tmp_path / "none.log").errors(Mark(1, 1)) == Log(tmp_path / "none.log").errors() == []


def test_a_log_that_grew_too_long_is_moved_aside_while_its_process_goes_on(tmp_path: Path) -> None:
    log = Log(tmp_path / "logs" / "program.log")
    speaks = "import sys\nprint('x' * 99, flush=True)\nsys.stdin.readline()\nprint('after', flush=True)"
    with (
        log.begin() as file,
        subprocess.Popen([sys.executable, "-c", speaks], stdin=subprocess.PIPE, stdout=file) as process,
    ):
        assert process.stdin
        while log.mark().offset < 100:
            os.sched_yield()
        assert not log.cut(most_bytes=1000)
        assert log.cut(most_bytes=50)
        process.stdin.write(b"\n")
    assert log.before.read_text() == "x" * 99 + "\n"
    assert log.path.read_text() == "after\n", "it goes on where the log begins now, and leaves no hole"


def said(folder: Path, *lines: str) -> Log:
    """A log with these lines."""
    log = Log(folder / "program.log")
    log.path.write_text("".join(f"{line}\n" for line in lines))
    return log
