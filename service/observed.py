"""Each request as it is counted and logged: method, route, status and time; never the address, that may hold somebody's e-mail.

What is refused before it reaches a route (no good token, too many, too large, too slow) is counted each time, but logged in a line
for many: an attack is seen, and does not fill the log.
"""

import asyncio
import logging
import time
from collections import Counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.metrics import Metrics

logger = logging.getLogger("service")

REFUSALS = frozenset({401, 408, 413, 429, 431})
LINE_SECONDS = 10.0


class Observed:
    """Counts and logs each response as its head is sent. Plain ASGI: Starlette's `@app.middleware` costs half a bare request."""

    def __init__(self, app: ASGIApp, metrics: Metrics):
        self._app, self._metrics = app, metrics
        self._refused = Seldom("requests refused with %s: %d")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, and watch what is sent."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()

        async def watched(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.start":
                status, route = message["status"], getattr(scope.get("route"), "path", "other")
                seconds = time.perf_counter() - begun
                self._metrics.answered(scope["method"], route, status, seconds)
                if status in REFUSALS:
                    self._refused.happened(str(status))
                else:
                    logger.info("%s %s %d %.1f ms", scope["method"], route, status, 1000 * seconds)

        await self._app(scope, receive, watched)


class Seldom:
    """Logs what happens often: the first of a kind at once, then how many more there were, every few seconds."""

    def __init__(self, words: str, seconds: float = LINE_SECONDS):
        """`words` with the kind and the number."""
        self._words, self._seconds = words, seconds
        self._more: Counter[str] = Counter()
        self._waiting: set[str] = set()

    def happened(self, kind: str) -> None:
        """Once more. Call it in the event loop."""
        if kind in self._waiting:
            self._more[kind] += 1
            return
        logger.warning(self._words, kind, 1)
        self._wait(kind)

    def _wait(self, kind: str) -> None:
        self._waiting.add(kind)
        asyncio.get_running_loop().call_later(self._seconds, self._tell, kind)

    def _tell(self, kind: str) -> None:
        self._waiting.discard(kind)
        if more := self._more.pop(kind, 0):
            logger.warning(self._words, kind, more)
            self._wait(kind)


class CutOff:
    """Connections that were cut off: each is counted, and they are logged in a line for many."""

    def __init__(self, metrics: Metrics):
        self._metrics, self._logged = metrics, Seldom("connections cut off, %s: %d")

    def happened(self, why: str) -> None:
        """One was cut off."""
        self._metrics.cut_off(why)
        self._logged.happened(why)
