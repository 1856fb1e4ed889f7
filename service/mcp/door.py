"""`/mcp`: streamable HTTP, one message a request. The service's tokens and limits; foreign hosts and origins are refused.

Nothing is kept between requests, so each of them is let in by its own token, and one that was revoked is out within seconds.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from service import tokens
from service.access import Service
from service.mcp import server
from service.mcp.desk import CALLER, Desk
from service.problems import Problem, answer
from service.settings import ServiceSettings
from warehouse.database import Database

PATH = "/mcp"
LOCAL = ("127.0.0.1", "localhost", "[::1]")


class Door:
    """The MCP server of one application."""

    def __init__(self, service: Service, database: Database):
        self._service = service
        mcp = server.create(Desk(service, database))
        mcp.streamable_http_app(
            streamable_http_path=PATH, json_response=True, stateless_http=True,
            max_request_body_size=service.settings.service_max_body_bytes, transport_security=guarded(service.settings),
        )  # fmt: skip
        self._manager: StreamableHTTPSessionManager = mcp.session_manager
        self.route = Route(PATH, endpoint=self, include_in_schema=False)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Ready for requests."""
        async with self._manager.run():
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a message in, or refuse it."""
        scope["route"] = self.route  # for the figures at /metrics
        if scope["method"] != "POST":
            await answer(405, "send a message with POST; nothing is kept between messages", {"Allow": "POST"})(
                scope, receive, send
            )
            return
        header = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
        try:
            scope[CALLER] = await tokens.authenticate(
                header, self._service.callers, self._service.look_ups, self._service.verified
            )
        except Problem as problem:
            await answer(problem.status, problem.detail, problem.headers)(scope, receive, send)
            return
        await self._manager.handle_request(scope, receive, send)


def guarded(settings: ServiceSettings) -> TransportSecuritySettings:
    """The names that a Host header may have, and the origins whose pages may call: a page elsewhere cannot reach this
    machine's service by a name that it makes point here.
    """
    more = [name.strip() for name in settings.service_host_names.split(",") if name.strip()]
    if settings.service_host not in ("0.0.0.0", "::", ""):  # noqa: S104  these stand for every address
        more.append(f"[{settings.service_host}]" if ":" in settings.service_host else settings.service_host)
    names = list(dict.fromkeys([*LOCAL, *more]))
    hosts = [spelled for name in names for spelled in (name, f"{name}:*")]
    return TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=hosts,
        allowed_origins=[f"{scheme}://{host}" for scheme in ("http", "https") for host in hosts],
    )
