"""Politeness: retries, Retry-After, time-outs, one User-Agent, and a rate that all processes share."""

import socket
import subprocess
import sys
import time

import pytest

from pipelines.client import UpstreamClient
from pipelines.rate_limit import turn
from pipelines.settings import PipelineSettings, Rate
from tests.emulator import Emulator
from warehouse.database import Database
from warehouse.settings import PROJECT_ROOT

PATH = "/intensity/2024-01-01T00:30Z/2024-01-01T12:00Z"


def client(emulator: Emulator, **settings: object) -> UpstreamClient:
    fast = {"http_attempts": 3, "http_read_timeout_seconds": 1.0, "http_connect_timeout_seconds": 1.0, **settings}
    return UpstreamClient(emulator.settings["CARBON_INTENSITY_URL"], settings=PipelineSettings(**fast))


def test_a_good_answer_takes_one_attempt(emulator: Emulator) -> None:
    answer = client(emulator).get(PATH)
    assert (answer.status, answer.attempts, answer.failure) == (200, 1, None)
    assert answer.url.endswith(PATH)


@pytest.mark.parametrize("kind", ["429", "500", "drop", "timeout"])
def test_passing_faults_are_tried_again(emulator: Emulator, kind: str) -> None:
    emulator.fault(kind, times=1, seconds=1.5)
    answer = client(emulator).get(PATH)
    assert (answer.failure, answer.attempts) == (None, 2)


def test_retry_after_is_honoured(emulator: Emulator) -> None:
    emulator.fault("429", times=1, retry_after="2")
    started = time.monotonic()
    assert client(emulator).get(PATH).failure is None
    assert time.monotonic() - started >= 2


def test_a_retry_after_beyond_patience_is_not_waited_for(emulator: Emulator) -> None:
    emulator.fault("429", retry_after="3600")
    answer = client(emulator).get(PATH)
    assert answer.attempts == 1
    assert "3600 s is longer" in (answer.failure or "")


def test_a_refusal_is_never_tried_again(emulator: Emulator) -> None:
    answer = client(emulator).get("/intensity/nonsense")
    assert (answer.status, answer.attempts, answer.failure) == (400, 1, "HTTP 400")
    assert b"Please enter a valid datetime" in answer.body


def test_an_upstream_that_cannot_be_reached_is_found_out_once(emulator: Emulator) -> None:
    settings = PipelineSettings(http_attempts=2)
    unreachable = UpstreamClient("http://127.0.0.1:9", settings=settings)
    assert "connection refused" in (unreachable.get(PATH).failure or "")
    again = unreachable.get(PATH)
    assert (again.attempts, again.seconds < 0.1) == (0, True)
    assert "not asked" in (again.failure or "")


def test_a_name_that_does_not_resolve_is_told_as_such() -> None:
    settings = PipelineSettings(http_attempts=1)
    answer = UpstreamClient("http://no-such-host.invalid", settings=settings).get(PATH)
    assert "name cannot be resolved" in (answer.failure or "")


ASK = """
import sys, time
from pipelines.rate_limit import turn
from pipelines.settings import Rate
from warehouse.database import parse
with turn(parse(sys.argv[1]), "test", Rate(5, 1)) as wait:
    for _ in range(10):
        wait()
        print(time.time(), flush=True)
"""


def test_two_processes_together_keep_the_rate(database: Database) -> None:
    with turn(database, "test", Rate(5, 1)):
        pass  # the table is there before the two begin
    command = [sys.executable, "-c", ASK, database.address()]
    both = [subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    moments = sorted(float(line) for process in both for line in process.communicate()[0].split())
    assert len(moments) == 20
    for first, sixth in zip(moments, moments[5:], strict=False):
        assert sixth - first > 0.9, "no more than five begin within a second"


def test_dropped_packets_are_given_up_on_within_seconds() -> None:
    """A full backlog drops the packets of further connections, as a firewall does."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        time.sleep(0.2)
        settings = PipelineSettings(http_connect_timeout_seconds=1.0, http_attempts=2)
        answer = UpstreamClient(f"http://127.0.0.1:{port}", settings=settings).get(PATH)
        for filler in fillers:
            filler.close()
    assert "no connection within the time-out" in (answer.failure or "")
    assert answer.seconds < 10
