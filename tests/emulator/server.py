"""The server: sockets, faults on demand and per request, and the log of what was asked."""

import json
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

from tests.emulator.carbon_intensity import CarbonIntensity
from tests.emulator.faults import Fault, spoil
from tests.emulator.recorded import load

BODIES_REMEMBERED = 100
HTML = b"<!DOCTYPE html><html><body><h1>Service temporarily unavailable</h1></body></html>"
ERROR_500 = b'{"error":{"code":"500 Internal Server Error","message":"Requested resource not found."}}'


class Emulator:
    """The upstreams on one port of 127.0.0.1. A context manager: started in it, stopped after it."""

    def __init__(self, *, port: int = 0, recorded: Path | None = None, now: Callable[[], datetime] | None = None):
        self.now = now or (lambda: datetime.now(UTC))
        self.faults: list[Fault] = []
        self.requests: list[tuple[float, str]] = []
        self.stopped = threading.Event()
        self._lock = threading.Lock()
        self._cache: dict[str, bytes] = {}
        self._upstreams = {
            "carbon_intensity": CarbonIntensity(load(recorded) if recorded else None, lambda: self.now()),
        }
        emulator = self

        class Handler(_Handler):
            pass

        Handler.emulator = emulator
        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]

    @property
    def settings(self) -> dict[str, str]:
        """The settings that point the pipelines here."""
        return {f"{name.upper()}_URL": f"http://127.0.0.1:{self.port}/{name}" for name in self._upstreams}

    def __enter__(self) -> "Emulator":
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()

    def serve_forever(self) -> None:
        """Answer until stopped."""
        self._server.serve_forever(poll_interval=0.05)

    def reset(self) -> None:
        """No faults, an empty log."""
        with self._lock:
            self.faults.clear()
            self.requests.clear()

    def fault(self, kind: str, match: str = "", times: int = -1, **more: object) -> None:
        """From now on, this goes wrong for paths that contain `match`."""
        with self._lock:
            self.faults.append(Fault(kind, match, times, **more))  # type: ignore[arg-type]

    def struck(self, path: str) -> Fault | None:
        """The fault that strikes this request, if one does; logs the request."""
        with self._lock:
            self.requests.append((time.time(), path))
            return next((fault for fault in self.faults if fault.takes(path)), None)

    def answer(self, path: str) -> tuple[int, bytes]:
        """What the upstream says to a path. What lies in the past is remembered: it does not change."""
        if path in self._cache:
            return 200, self._cache[path]
        _, name, *rest = path.split("/")
        if name not in self._upstreams:
            return 404, b'{"emulator": "no such upstream"}'
        status, body = self._upstreams[name].answer("/" + "/".join(rest))
        if status == 200 and _ends_before(path, self.now()):
            self._cache[path] = body
            if len(self._cache) > BODIES_REMEMBERED:
                self._cache.pop(next(iter(self._cache)), None)
        return status, body


def _ends_before(path: str, now: datetime) -> bool:
    try:
        return (now - datetime.fromisoformat(path.rsplit("/", 1)[-1])).total_seconds() > 7200
    except (ValueError, TypeError):
        return False


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    emulator: Emulator

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the log is `Emulator.requests`."""

    def do_GET(self) -> None:
        if self.path.startswith("/_emulator/"):
            return self._control()
        asked = self.headers.get("X-Emulator-Fault")
        fault = self.emulator.struck(self.path)
        if asked:
            fault = Fault(asked)  # type: ignore[arg-type]
        if fault:
            return self._go_wrong(fault)
        self._send(*self.emulator.answer(self.path))

    def do_POST(self) -> None:
        self._control()

    def _control(self) -> None:
        """GET /_emulator/requests; POST /_emulator/faults {"kind", "match", "times"}; POST /_emulator/reset."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/_emulator/requests":
            self._send(200, json.dumps(self.emulator.requests).encode())
        elif self.path == "/_emulator/faults":
            self.emulator.fault(**json.loads(body))
            self._send(200, b"{}")
        elif self.path == "/_emulator/reset":
            self.emulator.reset()
            self._send(200, b"{}")
        else:
            self._send(404, b"{}")

    def _go_wrong(self, fault: Fault) -> None:
        match fault.kind:
            case "429":
                self._send(429, b'{"message":"Too Many Requests"}', {"Retry-After": fault.retry_after})
            case "500":
                self._send(500, ERROR_500)
            case "timeout":
                self.emulator.stopped.wait(fault.seconds)
                self._hang_up()
            case "drop":
                body = self.emulator.answer(self.path)[1]
                self._head(200, len(body), {})
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
                self._hang_up()
            case "html":
                self._send(200, HTML, {"Content-Type": "text/html"})
            case "truncated":
                body = self.emulator.answer(self.path)[1]
                self._send(200, body[: len(body) * 2 // 3])
            case _:
                status, body = self.emulator.answer(self.path)
                self._send(status, spoil(fault.kind, body))

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        try:
            self._head(status, len(body), headers or {})
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _head(self, status: int, length: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Access-Control-Allow-Origin": "*", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def _hang_up(self) -> None:
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
