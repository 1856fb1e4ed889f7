"""The server: sockets, faults on demand and per request, and the log of what was asked."""

import json
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

from tests.emulator import beckn, carbon_intensity, elexon, neso, wire
from tests.emulator.faults import Fault
from tests.emulator.protocol import Asked, Reply, Upstream
from warehouse.database import Database

HTML = b"<!DOCTYPE html><html><body><h1>Service temporarily unavailable</h1></body></html>"
ERROR_500 = b'{"error":{"code":"500 Internal Server Error","message":"Requested resource not found."}}'


class Emulator:
    """The upstreams on one port of 127.0.0.1. A context manager: started in it, stopped after it."""

    def __init__(
        self,
        *,
        port: int = 0,
        recorded: Path | None = None,
        now: Callable[[], datetime] | None = None,
        datastore: Callable[[], Database] | None = None,
    ):
        """`datastore` is the PostgreSQL server that NESO's datastore may make its database on."""
        self._clock = now or (lambda: datetime.now(UTC))
        self.now = self._clock
        self.faults: list[Fault] = []
        self.requests: list[tuple[float, str]] = []
        self.stopped = threading.Event()
        self._lock = threading.Lock()
        self.neso = neso.Neso(recorded, lambda: self.now(), datastore)
        self.beckn = beckn.Beckn(recorded, lambda: self.now())
        self.elexon = elexon.Elexon(recorded, lambda: self.now())
        self.upstreams: dict[str, Upstream] = {
            "carbon_intensity": carbon_intensity.CarbonIntensity(
                carbon_intensity.load(recorded) if recorded else None, lambda: self.now()
            ),
            "neso": self.neso,
            "elexon": self.elexon,
            "beckn": self.beckn,
        }
        emulator = self

        class Handler(_Handler):
            pass

        Handler.emulator = emulator
        self._server = _Server(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]

    @property
    def settings(self) -> dict[str, str]:
        """The settings that point the pipelines here."""
        return {f"{name.upper()}_URL": f"http://127.0.0.1:{self.port}/{name}" for name in self.upstreams}

    def __enter__(self) -> "Emulator":
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self.neso.close()

    def serve_forever(self) -> None:
        """Answer until stopped."""
        self._server.serve_forever(poll_interval=0.05)

    def reset(self) -> None:
        """No faults, an empty log, its own clock."""
        with self._lock:
            self.faults.clear()
            self.requests.clear()
        self.now = self._clock
        self.neso.reset()
        self.elexon.latest_ignores_its_range = False
        self.beckn.reset()

    def fault(self, kind: str, match: str = "", times: int = -1, **more: object) -> None:
        """From now on, this goes wrong for paths that contain `match`."""
        with self._lock:
            self.faults.append(Fault(kind, match, times, **more))  # type: ignore[arg-type]

    def struck(self, path: str) -> Fault | None:
        """The fault that strikes this request, if one does; logs the request."""
        with self._lock:
            self.requests.append((time.time(), path))
            return next((fault for fault in self.faults if fault.takes(path)), None)

    def answer(self, asked: Asked) -> Reply:
        """What the upstream that the target begins with says to the rest of it."""
        name, _, rest = asked.target.removeprefix("/").partition("/")
        if name not in self.upstreams:
            return Reply(404, b'{"emulator": "no such upstream"}')
        return self.upstreams[name].answer(replace(asked, target=f"/{rest}"))

    def spoiled(self, kind: str, asked: Asked) -> Reply:
        """The same as a fault leaves it."""
        reply = self.answer(asked)
        name = asked.target.removeprefix("/").partition("/")[0]
        return replace(reply, body=self.upstreams[name].spoil(kind, reply.body)) if reply.status == 200 else reply


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed is no error of the emulator's."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one write: as two, the second waits for the first's acknowledgement
    emulator: Emulator

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the log is `Emulator.requests`."""

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def _answer(self, body: bytes) -> None:
        if self.path.startswith("/_emulator/"):
            return self._control(body)
        asked = Asked(self.command, self.path, body, self.headers.get("Content-Type") or "")
        fault = self.emulator.struck(self.path)
        demanded = self.headers.get("X-Emulator-Fault")
        if demanded:
            fault = Fault(demanded)  # type: ignore[arg-type]
        if fault:
            return self._go_wrong(fault, asked)
        self._send(self.emulator.answer(asked))

    def _control(self, body: bytes) -> None:
        """GET /_emulator/requests; POST /_emulator/faults {"kind", "match", "times"}; POST /_emulator/reset."""
        if self.path == "/_emulator/requests":
            self._send(Reply(200, json.dumps(self.emulator.requests).encode()))
        elif self.path == "/_emulator/faults":
            self.emulator.fault(**json.loads(body))
            self._send(Reply(200, b"{}"))
        elif self.path == "/_emulator/reset":
            self.emulator.reset()
            self._send(Reply(200, b"{}"))
        else:
            self._send(Reply(404, b"{}"))

    def _go_wrong(self, fault: Fault, asked: Asked) -> None:
        match fault.kind:
            case "429":
                self._send(Reply(429, b'{"message":"Too Many Requests"}', headers={"Retry-After": fault.retry_after}))
            case "500":
                self._send(Reply(500, ERROR_500))
            case "timeout":
                self.emulator.stopped.wait(fault.seconds)
                self._hang_up()
            case "drop":
                reply = self.emulator.answer(asked)
                self._head(reply)
                self.wfile.write(reply.body[: len(reply.body) // 2])
                self.wfile.flush()
                self._hang_up()
            case "html":
                self._send(Reply(200, HTML, "text/html"))
            case "truncated":
                reply = self.emulator.answer(asked)
                self._send(replace(reply, body=reply.body[: len(reply.body) * 2 // 3]))
            case kind if kind in wire.FAULTS:
                wire.go_wrong(self, kind, self.emulator.answer(asked), self.emulator.stopped)
                self._hang_up()
            case kind:
                self._send(self.emulator.spoiled(kind, asked))

    def _send(self, reply: Reply) -> None:
        try:
            self._head(reply)
            self.wfile.write(reply.body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _head(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in {
            "Content-Type": reply.content_type, "Access-Control-Allow-Origin": "*", **reply.headers,
        }.items():  # fmt: skip
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()

    def _hang_up(self) -> None:
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
