"""How much may be asked: bytes of a body, requests of a caller, processor time without a token."""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Container
from math import ceil

from cachetools import TTLCache
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.budget import Budget, charged_to
from service.problems import answer
from service.tokens import digest_of

WATCHES_PER_MINUTE = 6000
"""Of one address: alive, ready, figures"""
ADDRESS_RATE, ADDRESS_SECONDS = 0.25, 5.0
"""Processor time of one address without a token: so much a second, and so much at once"""
ALL_RATE, ALL_SECONDS = 0.5, 10.0
"""The same of all of them together"""


class BodyLimit:
    """Refuses a body of more than so many bytes, with 413, before it is read into memory, and one that is too slow, with 408."""

    def __init__(self, app: ASGIApp, most: int, seconds: float, but: Container[str] = ()):
        """`but` are paths whose routes read and limit their bodies themselves, once they know who sends them."""
        self._app, self._most, self._seconds, self._but = app, most, seconds, but

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse."""
        if scope["type"] != "http" or scope["path"] in self._but:
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
        replayed = False

        async def replay() -> Message:
            nonlocal replayed
            if replayed:
                message = await receive()
                while message["type"] == "http.request":  # of a GET, whose body nobody wants; what follows is its end
                    message = await receive()
                return message
            replayed = True
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
    """Refuses more requests a minute than that of one caller, with 429, and those without a token that take too much time.

    A caller is a token that is good, or was let in of late; every other request counts for the address that it comes from. So
    made-up tokens share one count, and one entry of a table of fixed size. Each address has a budget of processor time, and all
    of them together have one: what needs no token cannot keep the processor from what does.
    Those who watch the service have a count of their own.
    """

    def __init__(
        self,
        app: ASGIApp,
        per_minute: int,
        verified: Container[bytes],
        is_good: Callable[[bytes, str], Awaitable[bool]],
        but: Container[str] = (),
        callers: int = 10_000,
        sent_by: Callable[[Scope], str] | None = None,
    ):
        """`is_good` looks a digest up for an address; `but` are the paths of those who watch; `sent_by` gives what a request
        authorizes itself with, if that is not its header alone."""
        self._app, self._per_minute, self._verified, self._is_good, self._but = app, per_minute, verified, is_good, but
        self._sent_by = sent_by or authorization_of
        # an entry ends a minute after its first request; the oldest go where there are more callers
        self._counts: TTLCache[bytes | str, list[int]] = TTLCache(callers, 60)
        self._budgets: TTLCache[str, Budget] = TTLCache(callers, 60)
        self._of_all = Budget(ALL_RATE, ALL_SECONDS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        here = address(scope)
        if scope["path"] in self._but:
            if self._counts_one(f"watch {here}", WATCHES_PER_MINUTE):
                await self._app(scope, receive, send)
            else:
                await _refuse(60)(scope, receive, send)
            return
        hashed = digest_of(self._sent_by(scope))
        if hashed is not None and (hashed in self._verified or await self._is_good(hashed, here)):
            if self._counts_one(hashed):
                await self._app(scope, receive, send)
            else:
                await _refuse(60)(scope, receive, send)
            return
        if not self._counts_one(here):
            await _refuse(60)(scope, receive, send)
            return
        budgets = self._budget(here), self._of_all
        for budget, status, whose in zip(budgets, (429, 503), ("of this address", "of everyone"), strict=True):
            if wait := budget.wait_seconds():
                why = f"requests {whose} without a token take too much time"
                await _refuse(ceil(wait), why, status)(scope, receive, send)
                return
        await charged_to(budgets, _as_coroutine(self._app(scope, receive, send)))

    def _counts_one(self, caller: bytes | str, most: int | None = None) -> bool:
        """Whether the caller may ask once more this minute; then that is counted."""
        count = self._counts.get(caller)
        if count is None:
            count = self._counts[caller] = [0]
        if count[0] >= (most or self._per_minute):
            return False
        count[0] += 1
        return True

    def _budget(self, here: str) -> Budget:
        budget = self._budgets.get(here)
        if budget is None:
            budget = self._budgets[here] = Budget(ADDRESS_RATE, ADDRESS_SECONDS)
        return budget


def _refuse(seconds: int, why: str = "too many requests", status: int = 429) -> ASGIApp:
    wait = "a minute" if seconds == 60 else f"{seconds} s"
    return answer(status, f"{why}; wait {wait}", {"Retry-After": str(seconds)})


async def _as_coroutine(served: Awaitable[None]) -> None:
    await served


def authorization_of(scope: Scope) -> str:
    """The header `Authorization` of a request; empty without one."""
    return str(dict(scope["headers"]).get(b"authorization", b"").decode("latin-1"))


def address(scope: Scope) -> str:
    """Where a request comes from: an IPv4 address, or the /64 of an IPv6 address, all of which one sender may have.

    A server that listens at :: names an IPv4 sender as an IPv6 address, of which all would have the same /64.
    """
    host = (scope.get("client") or ("",))[0]
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return str(host)
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or ipaddress.ip_network((int(found), 64), strict=False))
