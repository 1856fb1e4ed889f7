"""Pages that were just made are sent again to others who ask for the same; whoever asks while one is being made waits for it."""

import asyncio
from collections.abc import Callable, Coroutine
from time import monotonic
from typing import Any

from fastapi.responses import Response

from service.budget import charged

SECONDS = 5.0
MOST = 200
"""Pages that are kept at once: a crowd looks at a few"""


class KeptPages:
    """Pages by address, for a few seconds."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._made: dict[str, tuple[float, asyncio.Future[Response]]] = {}

    async def get(self, key: str, make: Callable[[], Coroutine[Any, Any, Response]]) -> Response:
        """The page of this address, made now unless it was made just before. One that could not be made is not kept."""
        now = monotonic()
        until, page = self._made.get(key, (0.0, None))
        if page is None or until < now or (page.done() and (page.cancelled() or page.exception() is not None)):
            self._made = {name: one for name, one in list(self._made.items())[-MOST:] if one[0] >= now}
            page = asyncio.ensure_future(charged(make()))
            page.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._made[key] = now + self._seconds, page
        kept = await asyncio.shield(page)
        return Response(kept.body, kept.status_code, dict(kept.headers))

    def forget(self) -> None:
        """Make every page anew from now on; who waits for one that is being made still gets that."""
        self._made = {}
