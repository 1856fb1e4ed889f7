"""An upstream that drips, fails and drips again: the whole of it has an end, over all attempts and all pages."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

from pipelines.catalogue import DATASETS
from pipelines.client import UpstreamClient
from pipelines.dataset import FetchRequest
from pipelines.fetch import fetch
from pipelines.patience import Patience
from pipelines.settings import PipelineSettings
from warehouse.periods import Window


@contextmanager
def upstream(send: Callable[[socket.socket, str], None]) -> Iterator[str]:
    """A server; `send` is given each connection and the first line of its request."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def serve(taken: socket.socket) -> None:
            with taken, suppress(OSError):
                send(taken, taken.recv(65536).split(b"\r\n")[0].decode())

        def accept() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=serve, args=(listening.accept()[0],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def drip(taken: socket.socket, status: str, body: bytes, seconds: float, *headers: str) -> None:
    """Send a body that takes so many seconds."""
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers])
    taken.sendall(f"{head}\r\n\r\n".encode())
    for n in range(10):
        time.sleep(seconds / 10)
        taken.sendall(body[n * len(body) // 10 : (n + 1) * len(body) // 10])


def test_all_attempts_of_a_request_and_the_waits_between_them_have_one_end() -> None:
    patient = PipelineSettings(http_total_timeout_seconds=1.0, http_request_seconds=2.0, http_attempts=10)
    with upstream(lambda taken, _: drip(taken, "500 X", b"x" * 10, 0.9, "Retry-After: 0")) as url:
        begun = time.monotonic()
        answer = UpstreamClient(url, settings=patient).get("/x")
    assert time.monotonic() - begun < 7, "ten attempts would take nine"
    assert 1 <= answer.attempts < 4
    assert answer.failure


def test_a_wait_that_would_end_too_late_is_not_begun() -> None:
    patient = PipelineSettings(http_request_seconds=5.0, http_retry_after_max_seconds=60)
    with upstream(lambda taken, _: drip(taken, "429 X", b"x" * 10, 0, "Retry-After: 30")) as url:
        begun = time.monotonic()
        answer = UpstreamClient(url, settings=patient).get("/x")
    assert time.monotonic() - begun < 15, "half of what it was asked to wait"
    assert answer.failure == "HTTP 429, and there is no time for another"


def test_all_pages_of_a_fetch_have_one_end() -> None:
    asked = []

    def send(taken: socket.socket, line: str) -> None:
        asked.append(line)
        if "resource_show" in line:
            found = {"last_modified": "2026-11-01T00:00:00", "name": dataset_name(line)}
            drip(taken, "200 OK", json.dumps({"success": True, "result": found}).encode(), 0)
        else:
            page = {"records": [{"_id": 1}], "records_truncated": True}
            drip(taken, "200 OK", json.dumps({"success": True, "result": page}).encode(), 0.5)

    def dataset_name(_line: str) -> str:
        return ""  # a resource without a name is believed

    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    dataset = DATASETS["neso__n2ex_day_ahead"]
    with upstream(send) as url:
        client = UpstreamClient(url, settings=PipelineSettings(http_fetch_seconds=2.0, http_attempts=2))
        begun = time.monotonic()
        window = Window(now - timedelta(days=1), now)
        fetched = fetch(FetchRequest(client, window, now=now), dataset, now=now, fill_gaps=False)
        seconds = time.monotonic() - begun
        assert client.get("/api/3/action/resource_show").failure is None, "the next fetch has time of its own"
    assert seconds < 20 and 2 < len(asked) < 12, "a hundred pages would take fifty"
    detail = fetched.fetch.detail or ""
    assert "the requests before it took 2 s" in detail or "the answer was not complete after" in detail


def test_waiting_for_a_turn_does_not_count() -> None:
    whole = Patience(1.0)
    one = Patience(10.0, whole)
    with one.paused():
        time.sleep(0.3)
    assert one.left > 0.9 and whole.left > 0.9
    time.sleep(0.2)
    assert one.left == whole.left or abs(one.left - whole.left) < 0.05
    assert whole.left < 0.9
