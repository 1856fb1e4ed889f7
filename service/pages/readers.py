"""Whose rows a page shows that is not about the public grid: a token's; on this machine, all of an embedded database.

A token comes in the header, or in the cookie of `/sign-in`; both are looked up alike.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from service import tokens
from service.access import Service, State, caller_of
from service.pages import cookie
from service.problems import Problem
from service.tenancy import Caller

HERE = frozenset({"127.0.0.1", "localhost", "::1"})
"""How this machine is called by who sits at it; another name is a proxy's, or somebody's trick"""
FORWARDED = frozenset({"forwarded", "via", "x-real-ip"})
"""Headers of requests that a proxy hands on, besides x-forwarded-...: it may stand on this machine and give its name as Host"""


@dataclass(frozen=True)
class Reading:
    """Who reads a page."""

    caller: Caller
    signed_in: str | None = None
    """the label of the token, if a cookie brought it"""


async def _reader(request: Request, state: State) -> Reading:
    if request.headers.get("authorization"):
        return Reading(await caller_of(request, state))
    if cookie.token_of(request) is not None:
        sent = cookie.sent_by(request.scope)
        caller = await tokens.authenticate(sent, state.callers, state.look_ups, state.verified)
        return Reading(caller, caller.label)
    if state.is_embedded and _is_here(request, state):
        return Reading(Caller(None, "page"))
    raise Problem(
        401,
        "This page shows the workloads of an operator: sign in with its token, or send that (Authorization: Bearer ...). Without "
        "one it is shown of the embedded database alone, at http://127.0.0.1 on its own machine, with no proxy between.",
        headers={"WWW-Authenticate": "Bearer"},
    )


def _is_here(request: Request, state: Service) -> bool:
    if state.settings.service_proxy_addresses or any(
        name in FORWARDED or name.startswith("x-forwarded-") for name in request.headers
    ):
        return False
    return request.client is not None and request.client.host in HERE and request.url.hostname in HERE


Reader = Annotated[Reading, Depends(_reader)]
