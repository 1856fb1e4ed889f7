"""Whatever an upstream sends is the outcome of one request: no run ends by it, and its words can be stored."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from pipelines.catalogue import DATASETS
from pipelines.client import UpstreamClient
from pipelines.collect import Request, collect
from pipelines.dataset import FetchRequest
from pipelines.fetch import fetch
from pipelines.settings import PipelineSettings
from tests.energy import FAST, Energy
from warehouse import ledger
from warehouse.periods import Window, floor

NOW = datetime.now(UTC)
WINDOW = Window(floor(NOW) - timedelta(days=1), floor(NOW))
NUL, HALF = "a\0b", "\ud800"
RESULTS: tuple[object, ...] = (
    5, [], [1], None, {"results": [1]}, {"results": [{"resources": 5}]}, {"results": [{"resources": [{"name": 1}, 7]}]},
    {"records": 5, "records_truncated": True}, {"records": [5], "records_truncated": "yes"}, {"name": 5, "last_modified": []},
    {"records": [{NUL: HALF}], "name": NUL, "id": HALF, "last_modified": NUL},
)  # fmt: skip
BODIES = (
    b"", b"null", b"5", b'"x"', b"[" * 3_000, b"{" * 3_000, b'{"error":"x"}', b'{"error":5}', b'{"error":{"query":5}}',
    b'{"error":{"query":["a\\u0000b"]}}', b'{"error":{"query":["\\ud800"]}}', b'{"data":[{"startTime":"a\\u0000b"}]}',
    b'{"message":{"ack":{"status":"NACK"},"error":{"message":"\\ud800\\u0000"}}}', b'{"error":{"code":"\\u0000","message":[]}}',
    *(json.dumps({"success": True, "result": result}).encode() for result in RESULTS),
)  # fmt: skip
STATUSES = (200, 302, 400, 404, 409)


class Hostile(BaseHTTPRequestHandler):
    body, status, location = b"", 200, ""

    def do_POST(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kind = type(self)
        self.send_response(kind.status)
        self.send_header("Content-Length", str(len(kind.body)))
        if kind.status == 302:
            self.wfile.write(b"".join(self._headers_buffer))
            self._headers_buffer = []
            self.wfile.write(b"Location: /q\x01" + kind.location.encode("latin-1") + b"\r\n")
        self.end_headers()
        self.wfile.write(kind.body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served() -> Iterator[tuple[type[Hostile], PipelineSettings]]:
    kind = type("Kind", (Hostile,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    urls = {f"{dataset.source}_url": address for dataset in DATASETS.values()}
    given = {name.lower(): value for name, value in FAST.items()} | urls | {"http_attempts": "1"}
    try:
        yield kind, PipelineSettings(**given)  # type: ignore[arg-type]
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.slow
@pytest.mark.parametrize("slug", DATASETS)
def test_what_nobody_thought_of_is_the_outcome_of_a_request(slug: str) -> None:
    dataset = DATASETS[slug]
    with served() as (hostile, settings):
        client = UpstreamClient(settings.upstreams[dataset.source].url, settings=settings)
        for hostile.status in STATUSES:
            for hostile.body in BODIES:
                got = fetch(FetchRequest(client, WINDOW, now=NOW), dataset, now=NOW, fill_gaps=True)
                assert got.fetch.outcome in ("failed", "rejected", "landed", "known"), (hostile.status, hostile.body)
                if hostile.status != 200 and dataset.source != "neso":  # NESO's year files may not exist yet
                    assert got.fetch.outcome in ("failed", "rejected"), (hostile.status, hostile.body)
                (got.fetch.detail or "").encode()


@pytest.mark.parametrize(
    "body", [BODIES[9], BODIES[10], BODIES[12], BODIES[-1]], ids=["nul", "half", "beckn", "results"]
)
def test_its_words_are_stored_and_the_other_requests_go_on(energy: Energy, tmp_path: Path, body: bytes) -> None:
    datasets = list(DATASETS.values())
    with served() as (hostile, settings), ledger.run(energy.database, "refresh", {}) as run:
        hostile.body, hostile.status = body, 409
        requests = [Request(dataset, WINDOW) for dataset in datasets]
        collected = collect(
            energy.database, run, requests, now=NOW, work_dir=tmp_path, settings=settings, datasets=datasets
        )
    assert len(collected.fetches) == len(datasets)
    assert energy.value("select count(*) from ops.fetches where run_id = %s", uuid.UUID(str(run.run_id))) == len(
        datasets
    )
