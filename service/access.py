"""What each route is given: the parts of the service, and who is calling."""

from dataclasses import dataclass, field
from typing import Annotated

from cachetools import TTLCache
from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer

from service import tokens
from service.look_ups import TROUBLE, LookUps
from service.metrics import Metrics
from service.outlook import Outlooks
from service.pages.kept import KeptPages
from service.pages.live import Live
from service.series.columns import Streams
from service.series.summary import Summaries
from service.settings import ServiceSettings
from service.signals import Renewables
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
    kept: Pool
    public: Pool
    tokens: Pool
    look_ups: LookUps
    outlooks: Outlooks
    submissions: Submissions
    summaries: Summaries
    streams: Streams
    files: Streams
    """Those of the pages, which need no token"""
    metrics: Metrics
    renewables: Renewables
    is_embedded: bool = False
    """Whether the database is the one that this project starts for itself"""
    pages: KeptPages = field(default_factory=KeptPages)
    figures: KeptPages = field(default_factory=lambda: KeptPages(seconds=1))
    """What /metrics says"""
    live: Live = field(default_factory=Live)
    callers: "TTLCache[bytes, Caller]" = field(default_factory=lambda: TTLCache(1000, REVOKED_AFTER_SECONDS))
    """hash of a token -> whom it speaks for, for as long as a token that was revoked may still be let in"""
    verified: "TTLCache[bytes, Caller]" = field(default_factory=lambda: TTLCache(10_000, VERIFIED_SECONDS))
    """hash of a token that was let in of late: its requests are counted by themselves, not with those of its address"""


async def _service(request: Request) -> Service:  # async: FastAPI would run a plain function in a thread
    return request.app.state.service  # type: ignore[no-any-return]


State = Annotated[Service, Depends(_service)]


_SCHEME = Security(HTTPBearer(auto_error=False))  # only describes itself in the OpenAPI document; `tokens` decides


async def caller_of(request: Request, state: Service) -> Caller:
    """Who sends this request. Raises Problem 401 without a token that is let in."""
    header = request.headers.get("authorization", "")
    return await tokens.authenticate(header, state.callers, state.look_ups, state.verified)


async def is_good(state: Service, hashed: bytes, address: str) -> bool:
    """Whether a token of this digest is let in; False too where the database cannot say."""
    try:
        return await tokens.find(hashed, state.callers, state.look_ups, state.verified, address) is not None
    except TROUBLE:
        return False


async def _caller(request: Request, state: State, _described: object = _SCHEME) -> Caller:
    return await caller_of(request, state)


Authorized = Annotated[Caller, Depends(_caller)]
