"""What each route is given: the parts of the service, and who is calling."""

from dataclasses import dataclass, field
from typing import Annotated

from cachetools import TTLCache
from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer

from service import tokens
from service.metrics import Metrics
from service.outlook import Outlooks
from service.settings import ServiceSettings
from service.submission import Submissions
from service.tenancy import Caller, Pool

REVOKED_AFTER_SECONDS = 10
VERIFIED_SECONDS = 3600


@dataclass
class Service:
    """The parts of one running service."""

    settings: ServiceSettings
    pool: Pool
    heavy: Pool
    writes: Pool
    outlooks: Outlooks
    submissions: Submissions
    metrics: Metrics
    callers: "TTLCache[bytes, Caller]" = field(default_factory=lambda: TTLCache(1000, REVOKED_AFTER_SECONDS))
    """hash of a token -> whom it speaks for, for as long as a token that was revoked may still be let in"""
    verified: "TTLCache[bytes, Caller]" = field(default_factory=lambda: TTLCache(10_000, VERIFIED_SECONDS))
    """hash of a token that was let in of late: its requests are counted by themselves, not with those of its address"""


def _service(request: Request) -> Service:
    return request.app.state.service  # type: ignore[no-any-return]


State = Annotated[Service, Depends(_service)]


_SCHEME = Security(HTTPBearer(auto_error=False))  # only describes itself in the OpenAPI document; `tokens` decides


async def _caller(request: Request, state: State, _described: object = _SCHEME) -> Caller:
    header = request.headers.get("authorization", "")
    return await tokens.authenticate(header, state.callers, state.pool, state.verified)


Authorized = Annotated[Caller, Depends(_caller)]
