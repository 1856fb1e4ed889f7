"""How much may be asked: bytes of a body, requests of a caller."""

import asyncio
import ipaddress
from collections.abc import Container

from cachetools import TTLCache
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.problems import answer
from service.tokens import digest_of


class BodyLimit:
    """Refuses a body of more than so many bytes, with 413, before it is read into memory, and one that is too slow, with 408."""

    def __init__(self, app: ASGIApp, most: int, seconds: float):
        self._app, self._most, self._seconds = app, most, seconds

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
        try:
            async with asyncio.timeout(self._seconds):
                body = await self._body(scope, receive)
        except TimeoutError:
            refusal = answer(408, f"the body took more than {self._seconds:g} seconds", {"Connection": "close"})
            await refusal(scope, receive, send)
            return
        if body is None:
            return
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

    async def _body(self, scope: Scope, receive: Receive) -> bytes | None:
        """The body, or a little more than may be sent; None where the sender has gone."""
        body, more = b"", scope["method"] not in ("GET", "HEAD")
        while more and len(body) <= self._most:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            more = message.get("more_body", False)
        return body

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        await answer(413, f"the body is larger than {self._most} bytes; send less")(scope, receive, send)


class RateLimit:
    """Refuses more requests a minute than that of one caller, with 429.

    A caller is a token that was let in of late; every other request counts for the address that it comes from. So made-up tokens
    share one count, and one entry of a table of fixed size; they cannot shut out a token that is in use from their address.
    """

    def __init__(self, app: ASGIApp, per_minute: int, verified: Container[bytes], callers: int = 10_000):
        self._app, self._per_minute, self._verified = app, per_minute, verified
        # an entry ends a minute after its first request; the oldest go where there are more callers
        self._counts: TTLCache[bytes | str, list[int]] = TTLCache(callers, 60)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        hashed = digest_of(dict(scope["headers"]).get(b"authorization", b"").decode("latin-1"))
        caller = hashed if hashed is not None and hashed in self._verified else address(scope)
        count = self._counts.get(caller)
        if count is None:
            count = self._counts[caller] = [0]
        if count[0] >= self._per_minute:
            await answer(429, "too many requests; wait a minute", {"Retry-After": "60"})(scope, receive, send)
            return
        count[0] += 1
        await self._app(scope, receive, send)


def address(scope: Scope) -> str:
    """Where a request comes from: an IPv4 address, or the /64 of an IPv6 address, all of which one sender may have."""
    host = (scope.get("client") or ("",))[0]
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return str(host)
    return str(ipaddress.ip_network(f"{host}/64", strict=False)) if found.version == 6 else str(found)
