"""The application: routes, limits and errors put together over a pool of connections."""

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI, Request, Response

from service import agents, docs_pages, grid, health, page, problems, workloads
from service.access import Service
from service.limits import BodyLimit, RateLimit
from service.metrics import Metrics
from service.outlook import Outlooks
from service.queries import only_declared
from service.settings import ServiceSettings
from service.submission import Submissions
from service.tenancy import HEAVY, READS, WRITES, pool
from warehouse.database import Database

logger = logging.getLogger("service")


def create(database: Database, settings: ServiceSettings) -> FastAPI:
    """The service over a database that is prepared."""
    connections, heavy, writes = (pool(database, kind) for kind in (READS, HEAVY, WRITES))
    outlooks = Outlooks(connections, settings.service_outlook_seconds)
    service = Service(
        settings, connections, heavy, writes, outlooks, Submissions(writes, outlooks, settings), Metrics()
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with connections, heavy, writes, outlooks:
            yield

    app = FastAPI(
        title="energy-data-pipeline",
        description="When and where to run compute in Great Britain: takes workloads in, places them, answers agents.",
        version="1",
        lifespan=lifespan,
        dependencies=[Depends(only_declared)],
        openapi_url=None,  # served below, as a route that is held to the same rules
        redoc_url=None,
        docs_url=None,  # its page loads scripts from elsewhere; the document itself is at /openapi.json
    )
    app.state.service = service
    problems.install(app)
    for room in (workloads, grid, agents, health, page, docs_pages):
        app.include_router(room.router)

    @app.get("/openapi.json", include_in_schema=False)
    async def described() -> dict[str, Any]:
        """The OpenAPI document of this service."""
        return app.openapi()

    @app.middleware("http")
    async def observe(request: Request, forward: Callable[[Request], Awaitable[Response]]) -> Response:
        begun = time.perf_counter()
        response = await forward(request)
        route = getattr(request.scope.get("route"), "path", "other")
        seconds = time.perf_counter() - begun
        service.metrics.answered(request.method, route, response.status_code, seconds)
        # the route and not the address: that may hold somebody's e-mail
        logger.info("%s %s %d %.1f ms", request.method, route, response.status_code, 1000 * seconds)
        return response

    app.add_middleware(BodyLimit, most=settings.service_max_body_bytes, seconds=settings.service_receive_seconds)
    app.add_middleware(RateLimit, per_minute=settings.service_requests_per_minute, verified=service.verified)
    return app
