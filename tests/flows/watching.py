"""A webhook that keeps what it takes, and the ledger as runs leave it."""

import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from flows.watch import Trouble
from pipelines.catalogue import DATASETS
from tests.energy import Energy

MINUTE = timedelta(minutes=1)
NOW = datetime.now(UTC)
WATCHED = sorted(slug for slug, dataset in DATASETS.items() if dataset.refreshes(NOW))
SECRET = "T0-s3cret-B1"


class Webhook:
    """A chat service: keeps each body that it took; `status` and `seconds` are how it answers."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.refused, self.status, self.seconds = 0, 204, 0.0
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                threading.Event().wait(webhook.seconds)
                if webhook.status < 300 and self.path == f"/hooks/{SECRET}":
                    webhook.received.append(body)
                else:
                    webhook.refused += 1
                self.send_response(webhook.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hooks/{SECRET}"

    def states(self) -> list[tuple[str, str, str]]:
        return [(body["state"], body["kind"], body["subject"]) for body in self.received]


def asked(energy: Energy, at: datetime, *, dead: str = "", datasets: list[str] = WATCHED) -> None:
    """The ledger as a run at that instant leaves it, with one source that gave no answer."""
    outcomes = ["failed" if DATASETS[slug].source == dead else "landed" for slug in datasets]
    energy.query(
        "with run as (insert into ops.runs (run_id, flow, status, started_at, ended_at) "
        "values (gen_random_uuid(), 'refresh', 'completed', %s, %s) returning run_id) "
        "insert into ops.fetches (run_id, dataset, request_url, window_start, window_end, outcome, attempts, seconds, fetched_at)"
        " select run_id, dataset, 'http://upstream', %s, %s, outcome, 1, 1, %s "
        "from run, unnest(%s::text[], %s::text[]) as fetched (dataset, outcome)",
        *[at] * 2,
        *(at - timedelta(days=3), at, at),
        datasets,
        outcomes,
    )


def late(found: list[Trouble]) -> dict[str, str]:
    """The datasets that are late, with the kind of trouble."""
    return {trouble.line.split(":")[0]: trouble.kind for trouble in found}
