"""How much may be asked: bytes of a body, requests of a caller."""

import hashlib
from functools import lru_cache

from pyrate_limiter import Duration, InMemoryBucket, Limiter, Rate
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.problems import answer


class BodyLimit:
    """Refuses a body of more than so many bytes, with 413, before it is read into memory."""

    def __init__(self, app: ASGIApp, most: int):
        self._app, self._most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        stated = headers.get(b"content-length", b"0")
        if not stated.isdigit() or int(stated) > self._most:
            await self._refuse(scope, receive, send)
            return
        body, more = b"", scope["method"] not in ("GET", "HEAD")
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._most:
                await self._refuse(scope, receive, send)
                return
        told = False

        async def replay() -> Message:
            nonlocal told
            if told:
                return await receive()
            told = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        await answer(413, f"the body is larger than {self._most} bytes; send less")(scope, receive, send)


class RateLimit:
    """Refuses more requests a minute than that of one caller, with 429. A caller is a token, or an address without one."""

    def __init__(self, app: ASGIApp, per_minute: int, callers: int = 10_000):
        self._app = app
        rates = [Rate(per_minute, Duration.MINUTE)]
        # a bucket a caller; the callers that were heard longest ago are forgotten
        self._limiter_of = lru_cache(maxsize=callers)(lambda _caller: Limiter(InMemoryBucket(rates)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        token = dict(scope["headers"]).get(b"authorization")
        caller = hashlib.sha256(token).hexdigest() if token else (scope.get("client") or ("",))[0]
        if not self._limiter_of(caller).try_acquire(caller, blocking=False):
            await answer(429, "too many requests; wait a minute", {"Retry-After": "60"})(scope, receive, send)
            return
        await self._app(scope, receive, send)
