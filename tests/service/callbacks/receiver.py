"""A receiver of callbacks: a real HTTP server that records what it is sent, and answers as a test wants."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE = 20
"""Seconds until something that must happen is taken not to happen"""


def until(holds: Callable[[], Any]) -> Any:
    """What it gives as soon as that is true."""
    ends = time.monotonic() + PATIENCE
    while not (found := holds()):
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.02)
    return found


@dataclass
class Receiver:
    """What it was sent, and how it answers: by a status, after some seconds."""

    url: str
    status: int = 204
    location: str | None = None
    seconds: float = 0
    body_bytes: int = 0
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def events(self) -> list[dict[str, Any]]:
        """The bodies of what it has accepted."""
        return [json.loads(body) for _, body in self.requests]

    def types(self, workload_id: str) -> list[str]:
        """Types of the events of a workload, without their prefix, in the order of their arrival."""
        return [e["type"].removeprefix("workload.") for e in self.events if e["data"]["workload_id"] == workload_id]


def verify(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """The check of a receiver, as the Standard Webhooks specification describes it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return abs(time.time() - int(headers["webhook-timestamp"])) < 300 and hmac.compare_digest(
        expected, headers["webhook-signature"]
    )


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    """A receiver on this machine."""
    receiver = Receiver("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(receiver.seconds)
            status = receiver.status
            if 200 <= status < 300:
                receiver.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(status)
            if receiver.location is not None:
                self.send_header("Location", receiver.location)
            self.send_header("Content-Length", str(receiver.body_bytes))
            self.end_headers()
            if receiver.body_bytes:
                self.wfile.write(b"x" * receiver.body_bytes)

        def log_message(self, *_words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.daemon_threads, server.block_on_close = True, False
        receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()
