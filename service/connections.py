"""Connections of clients: bounded in number, in the size of what is no body, and in the time that each step may take.

- Whoever sends no whole header in time is cut off, and whoever takes too little of an answer.
- A request line and headers (and trailers, and the words around chunks) beyond MOST_HEADER_BYTES are refused with 431.
- Where there are too many, one of the others goes: who has waited longest for a header, first or next; else who has been
  sending a body longest; else who has left an answer untaken longest. Only where there is none of them the new one itself goes.
"""

import asyncio
import json
import resource
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

KEEP_ALIVE_SECONDS = 75
"""Longer than clients keep an idle connection (5 to 60 s): closed by us just as they send, it is an error for them"""
STALLED_SECONDS = 60
LEAST_TAKEN_BYTES = 64 * 1024
"""A client that takes less than this of its answer in STALLED_SECONDS has gone"""
SPARE_DESCRIPTORS = 100
"""for the database, files and libraries"""
MOST_DESCRIPTORS = 65_536
MOST_HEADER_BYTES = 64 * 1024
A_CHUNKS_WORDS = 8
"""Bytes around each byte of a body, at most: a body may be sent in chunks of a byte"""
PIECE_BYTES = 16 * 1024
TOO_LARGE = {
    "type": "about:blank", "title": "Request Header Fields Too Large", "status": 431,
    "detail": f"The request line and headers are more than {MOST_HEADER_BYTES:,} bytes.",
}  # fmt: skip


def raise_limit() -> None:
    """Take as many descriptors as this process may have: a shell's usual 1,024 are few, and its own limit is often higher."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def most_connections() -> int:
    """How many clients may be connected at once, by the descriptors that this process may have."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return 10_000 if limit == resource.RLIM_INFINITY else max(10, min(10_000, (limit - SPARE_DESCRIPTORS) * 2 // 3))


def most_queued(most: int) -> int:
    """How many may wait to be taken up: all of them may be at once, before any of the others has gone."""
    return max(10, min(4_096, most // 2))


def protocol(
    seconds: float, most: int, stalled: float = STALLED_SECONDS, cut_off: Callable[[str], None] = lambda why: None
) -> type[asyncio.Protocol]:
    """uvicorn's protocol with the bounds above: headers come within `seconds`, `most` clients, `stalled` seconds for an answer.

    `cut_off` is called for each connection that is ended for that, with the reason.
    """
    # each in the order in which they began to; those who wait for headers are the idle ones too
    waiting: dict[Any, None] = {}
    sending: dict[Any, None] = {}
    unread: dict[Any, None] = {}

    class Punctual(HttpToolsProtocol):
        _overdue: asyncio.TimerHandle | None = None
        _unread: asyncio.TimerHandle | None = None
        _lies_ready = 0
        _received = 0
        _of_bodies = 0

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._await_headers()
            while len(self.connections) > most:
                others = (one for kind in (waiting, sending, unread) for one in kind if one is not self)
                next(others, self)._end("too many connections")

        def connection_lost(self, exc: Exception | None) -> None:
            self._headers_came()
            self._was_read()
            sending.pop(self, None)
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            for start in range(0, len(data), PIECE_BYTES):
                piece = data[start : start + PIECE_BYTES]
                self._received += len(piece)
                super().data_received(piece)
                if self.transport.is_closing():
                    return
                # a body's own bytes count for nothing
                if self._received - (1 + A_CHUNKS_WORDS) * self._of_bodies > MOST_HEADER_BYTES:
                    if self.cycle is None or self.cycle.response_complete:
                        self.transport.write(_refusal())
                    self._end("headers too large", after_writing=True)
                    return

        def on_message_begin(self) -> None:
            self._await_headers()
            super().on_message_begin()

        def on_headers_complete(self) -> None:
            self._headers_came()
            sending[self] = None
            super().on_headers_complete()

        def on_body(self, body: bytes) -> None:
            self._of_bodies += len(body)
            super().on_body(body)

        def on_message_complete(self) -> None:
            self._received = self._of_bodies = 0
            sending.pop(self, None)
            if self in waiting:  # it was a body that nobody waited for
                self._headers_came()
                waiting[self] = None
            super().on_message_complete()

        def on_response_complete(self) -> None:
            has_sent_more = bool(self.pipeline)
            super().on_response_complete()
            if self.transport.is_closing():  # once what lies ready has been taken
                self._await_reader()
            elif not has_sent_more:
                waiting[self] = None
                if self in sending:  # nobody waits for the rest of this body
                    self._overdue = self.loop.call_later(seconds, self._end, "no headers in time")

        def timeout_keep_alive_handler(self) -> None:
            super().timeout_keep_alive_handler()
            self._await_reader()

        def pause_writing(self) -> None:
            super().pause_writing()
            self._await_reader()

        def resume_writing(self) -> None:
            super().resume_writing()
            self._was_read()
            if self.transport.is_closing():
                self._await_reader()

        def _await_reader(self) -> None:
            if self._unread is None:
                unread[self] = None
                self._lies_ready = self.transport.get_write_buffer_size()
                self._unread = self.loop.call_later(stalled, self._look_whether_it_reads)

        def _look_whether_it_reads(self) -> None:
            taken = self._lies_ready - self.transport.get_write_buffer_size()
            self._was_read()
            if taken >= LEAST_TAKEN_BYTES:
                self._await_reader()
            else:
                self._end("answer not read")

        def _was_read(self) -> None:
            unread.pop(self, None)
            if self._unread is not None:
                self._unread.cancel()
                self._unread = None

        def _await_headers(self) -> None:
            self._headers_came()
            waiting[self] = None
            self._overdue = self.loop.call_later(seconds, self._end, "no headers in time")

        def _headers_came(self) -> None:
            waiting.pop(self, None)
            if self._overdue is not None:
                self._overdue.cancel()
                self._overdue = None

        def _end(self, reason: str, *, after_writing: bool = False) -> None:
            cut_off(reason)
            self._headers_came()
            for kind in (sending, unread):
                kind.pop(self, None)
            self.connections.discard(self)
            if after_writing:
                self.transport.close()
                self._await_reader()
            else:
                self.transport.abort()

    return Punctual


def _refusal() -> bytes:
    body = json.dumps(TOO_LARGE).encode()
    head = [
        f"HTTP/1.1 431 {TOO_LARGE['title']}", "content-type: application/problem+json", f"content-length: {len(body)}",
        "connection: close",
    ]  # fmt: skip
    return "\r\n".join([*head, "", ""]).encode() + body
