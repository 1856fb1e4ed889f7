"""The application: routes, limits and errors put together over a pool of connections."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi import Depends, FastAPI

from service import problems
from service.access import is_good
from service.assembly import assemble, opened
from service.callbacks.deliveries import Deliveries
from service.described import describe
from service.gsf import app as gsf
from service.limits import BodyLimit, RateLimit
from service.mcp import door
from service.observed import Observed
from service.pages import cookie
from service.pages import routes as pages
from service.queries import only_declared
from service.routes import (
    agents,
    api_docs,
    callbacks,
    chunks,
    claims,
    docs_pages,
    exports,
    grid,
    health,
    places,
    plan,
    receipts,
    series,
    submit_task,
    submit_tasks,
    workloads,
)
from service.routes import problems as problem_types
from service.settings import ServiceSettings
from service.sweep import Sweep
from warehouse.database import Database


def create(database: Database, settings: ServiceSettings) -> FastAPI:
    """The service over a database that is prepared."""
    service = assemble(database, settings)
    agents_door = door.Door(service, database)
    gsf_app, gsf_connections = gsf.create(service, database)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with (
            opened(service),
            gsf_connections,
            agents_door.open(),
            Deliveries(database, settings, service.metrics),
            Sweep(service),
        ):
            yield

    app = FastAPI(
        title="energy-data-pipeline",
        description="When and where to run compute in Great Britain: takes workloads in, places them, answers agents.",
        version="1",
        lifespan=lifespan,
        dependencies=[Depends(only_declared)],
        openapi_url=None,  # served below, as a route that is held to the same rules
        redoc_url=None,
        docs_url=None,  # FastAPI's page loads scripts from elsewhere; ours is `service/routes/api_docs.py`
    )
    app.state.service = service
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    problems.install(app)
    for room in (
        *(claims, chunks),
        *(submit_task, submit_tasks, plan, workloads, receipts, callbacks, grid, places, series, agents),
        *(exports, pages),
        *(health, problem_types, api_docs, docs_pages),
    ):
        app.include_router(room.router)

    app.router.routes.append(agents_door.route)
    app.mount(gsf.PATH, gsf_app)

    @app.get("/openapi.json", include_in_schema=False)
    async def described() -> dict[str, Any]:
        """The OpenAPI document of this service."""
        return app.openapi()

    app.add_middleware(
        BodyLimit,
        most=settings.service_max_body_bytes,
        seconds=settings.service_receive_seconds,
        but={submit_tasks.PATH},
    )
    app.add_middleware(
        RateLimit,
        per_minute=settings.service_requests_per_minute,
        verified=service.verified,
        is_good=partial(is_good, service),
        but=health.PATHS,
        sent_by=cookie.sent_by,
    )
    app.add_middleware(Observed, metrics=service.metrics)  # outermost: it sees what the others refuse
    return app
