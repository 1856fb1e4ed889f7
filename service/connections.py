"""Connections of clients: one that sends no whole header in time is closed, and so is the oldest such where there are too many."""

import asyncio
import resource
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

SPARE_DESCRIPTORS = 100
"""for the database, files and libraries"""


def most_connections() -> int:
    """How many clients may be connected at once, by the descriptors that this process may have."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return 10_000 if limit == resource.RLIM_INFINITY else max(10, min(10_000, limit - SPARE_DESCRIPTORS) * 3 // 4)


def protocol(seconds: float, most: int) -> type[asyncio.Protocol]:
    """uvicorn's protocol, in which headers come within `seconds` and no more than `most` clients wait to send them."""
    waiting: dict[Any, None] = {}  # in the order in which they began to wait

    class Punctual(HttpToolsProtocol):
        _overdue: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._await_headers()
            while len(self.connections) > most and waiting:
                oldest = next(iter(waiting))
                oldest._headers_came()
                oldest.connections.discard(oldest)
                oldest.transport.abort()

        def connection_lost(self, exc: Exception | None) -> None:
            self._headers_came()
            super().connection_lost(exc)

        def on_message_begin(self) -> None:
            self._await_headers()
            super().on_message_begin()

        def on_headers_complete(self) -> None:
            self._headers_came()
            super().on_headers_complete()

        def _await_headers(self) -> None:
            self._headers_came()
            waiting[self] = None
            self._overdue = self.loop.call_later(seconds, self._cut_off)

        def _headers_came(self) -> None:
            waiting.pop(self, None)
            if self._overdue is not None:
                self._overdue.cancel()
                self._overdue = None

        def _cut_off(self) -> None:
            self._headers_came()
            self.transport.abort()

    return Punctual
