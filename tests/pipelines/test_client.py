"""Politeness: retries, Retry-After, time-outs, one User-Agent, and a rate that all processes share."""

import gzip
import io
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.catalogue import DATASETS
from pipelines.client import UpstreamClient
from pipelines.dataset import BodyRejected, Contents, FetchRequest
from pipelines.fetch import fetch
from pipelines.rate_limit import turn
from pipelines.settings import PipelineSettings, Rate
from tests.emulator import Emulator
from warehouse.database import Database
from warehouse.periods import Window
from warehouse.settings import PROJECT_ROOT

PATH = "/intensity/2024-01-01T00:30Z/2024-01-01T12:00Z"


def client(emulator: Emulator, **more: object) -> UpstreamClient:
    fast = {"http_attempts": 3, "http_read_timeout_seconds": 1.0, "http_connect_timeout_seconds": 1.0, **more}
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
    unreachable = UpstreamClient("http://127.0.0.1:9", settings=PipelineSettings(http_attempts=2))
    assert "connection refused" in (unreachable.get(PATH).failure or "")
    again = unreachable.get(PATH)
    assert (again.attempts, again.seconds < 0.1) == (0, True)
    assert "not requested" in (again.failure or "")


def test_a_name_that_does_not_resolve_is_reported_as_such() -> None:
    answer = UpstreamClient("http://no-such-host.invalid", settings=PipelineSettings(http_attempts=1)).get(PATH)
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
        patient = PipelineSettings(http_connect_timeout_seconds=1.0, http_attempts=2)
        answer = UpstreamClient(f"http://127.0.0.1:{port}", settings=patient).get(PATH)
        for filler in fillers:
            filler.close()
    assert "no connection within the time-out" in (answer.failure or "")
    assert answer.seconds < 10


ENDLESS = ["drip_length", "drip_close", "drip_chunked", "drip_gzip", "drip_headers", "endless_100"]


@pytest.mark.parametrize("kind", ENDLESS)
def test_an_answer_that_never_ends_is_given_up_when_the_total_time_is_up(emulator: Emulator, kind: str) -> None:
    emulator.fault(kind)
    started = time.monotonic()
    answer = client(emulator, http_total_timeout_seconds=1.5).get(PATH)
    assert 1.4 < time.monotonic() - started < 10
    assert answer.failure == "the answer was not complete after 1.5 s"
    assert (answer.attempts, answer.status) == (1, None), "it is not tried again"


def test_the_client_is_as_good_as_before_after_an_answer_that_never_ended(emulator: Emulator) -> None:
    this = client(emulator, http_total_timeout_seconds=1.0)
    assert this.get(PATH).failure is None
    emulator.fault("drip_length", times=1)  # on the connection that the first request left open
    assert this.get(PATH).failure
    assert [this.get(PATH).failure for _ in range(3)] == [None] * 3
    threads = threading.active_count()
    for _ in range(20):
        assert this.get(PATH).failure is None
    assert threading.active_count() <= threads + 1, "no timer is left"


def test_a_handshake_that_never_ends_is_given_up(emulator: Emulator) -> None:
    """A server that takes connections and says nothing that TLS understands, byte by byte."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def serve() -> None:
            taken, _ = listening.accept()
            with taken, suppress(OSError):
                taken.sendall(b"\x16\x03\x03\x40\x00")  # a TLS record of 16 kB
                while True:
                    time.sleep(0.1)
                    taken.sendall(b"\x02")

        threading.Thread(target=serve, daemon=True).start()
        impatient = PipelineSettings(http_attempts=1, http_total_timeout_seconds=1.5)
        answer = UpstreamClient(f"https://127.0.0.1:{listening.getsockname()[1]}", settings=impatient).get(PATH)
    assert answer.failure == "the answer was not complete after 1.5 s"
    assert answer.seconds < 10


def test_a_redirect_within_the_host_is_followed_and_the_answer_has_its_address(emulator: Emulator) -> None:
    emulator.fault("redirect_here", times=1)
    answer = client(emulator).get(PATH)
    assert (answer.failure, answer.status) == (None, 200)
    assert answer.url.endswith(f"{PATH}?moved=1")


@pytest.mark.parametrize("is_admitted", [True, False])
def test_what_was_redirected_is_kept_under_the_address_that_answered(emulator: Emulator, is_admitted: bool) -> None:
    def refuse(body: bytes) -> Contents:
        raise BodyRejected("has another shape")

    emulator.fault("redirect_here", times=1)
    dataset = DATASETS["carbon_intensity__national"]
    dataset = dataset if is_admitted else replace(dataset, validate=refuse)
    window = Window(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, 12, tzinfo=UTC))
    now = datetime.now(UTC)
    fetched = fetch(FetchRequest(client(emulator), window, now=now), dataset, now=now, fill_gaps=False)
    (kept,) = fetched.payloads if is_admitted else fetched.rejected
    assert kept.request_url.endswith("?moved=1") and fetched.fetch.request_url.endswith("?moved=1")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("redirect_elsewhere", "HTTP 302 to another host (localhost), which is not followed"),
        ("redirect_no_address", "HTTP 302 to what is no address"),
        ("redirect_no_text", "HTTP 302 to what is no address"),
        ("redirect_loop", "more than 5 redirects"),
    ],
)
def test_any_other_redirect_is_a_failure_in_words(emulator: Emulator, kind: str, words: str) -> None:
    emulator.fault(kind)
    answer = client(emulator).get(PATH)
    assert (answer.failure, answer.attempts) == (words, 1)


def test_the_body_of_a_redirect_is_not_waited_for(emulator: Emulator) -> None:
    emulator.fault("drip_redirect", times=1)
    answer = client(emulator).get(PATH)
    assert answer.failure is None
    assert answer.seconds < 10


def test_a_retry_after_that_is_no_number_is_none(emulator: Emulator) -> None:
    emulator.fault("odd_retry_after", times=1)
    answer = client(emulator).get(PATH)
    assert (answer.failure, answer.attempts) == (None, 2)


@given(
    status=st.sampled_from([200, 301, 302, 303, 307, 308, 404, 429, 503]),
    name=st.sampled_from(["Location", "Retry-After", "Content-Type", "Content-Encoding", "Set-Cookie", "X"]),
    value=st.binary(max_size=20).filter(lambda value: b"\r" not in value and b"\n" not in value),
)
@settings(max_examples=60)
def test_no_header_raises(status: int, name: str, value: bytes) -> None:
    head = f"HTTP/1.1 {status} X\r\nContent-Length: 2\r\nConnection: close\r\n{name}: ".encode() + value + b"\r\n\r\n{}"
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def serve() -> None:
            taken, _ = listening.accept()
            with taken, suppress(OSError):
                taken.recv(10_000)
                taken.sendall(head)

        threading.Thread(target=serve, daemon=True).start()
        fast = PipelineSettings(http_attempts=1, http_total_timeout_seconds=2.0)
        answer = UpstreamClient(f"http://127.0.0.1:{listening.getsockname()[1]}", settings=fast).get(PATH)
    assert answer.failure is not None or answer.status == 200


BOMB = """
import resource, sys
from pipelines.catalogue import DATASETS
from pipelines.client import UpstreamClient
from pipelines.dataset import BodyRejected, Contents, FetchRequest
from pipelines.fetch import fetch
from pipelines.settings import PipelineSettings

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
got = UpstreamClient(sys.argv[1], settings=PipelineSettings(http_attempts=1)).get("/")
print(got.status, len(got.body), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, got.failure)
"""


def test_a_body_that_unpacks_to_a_gigabyte_is_given_up_in_little_memory() -> None:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=9) as file:
        for _ in range(1024):
            file.write(bytes(1 << 20))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(packed.getvalue())))
            self.end_headers()
            with suppress(ConnectionError):
                self.wfile.write(packed.getvalue())

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    done = subprocess.run(
        [sys.executable, "-c", BOMB, address],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    server.shutdown()
    server.server_close()
    status, kept, megabytes, failure = done.stdout.strip().split(" ", 3)
    assert (status, failure) == ("200", "the body is larger than 64 MiB"), done.stderr
    assert int(kept) <= 65 << 20 and int(megabytes) < 300
