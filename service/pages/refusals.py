"""A page that cannot be shown says why as a page, to whoever reads HTML; to others as a problem document, like every route."""

from collections.abc import Callable, Coroutine
from typing import Any

import psycopg
import psycopg_pool
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from service.pages import cookie
from service.pages.rendering import bare
from service.problems import Problem, faults_of


class PageRoute(APIRoute):
    """A route whose refusals are pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's own handler, and what a person is shown where that refuses."""
        handler = super().get_route_handler()

        async def handled(request: Request) -> Response:
            if "text/html" not in request.headers.get("accept", ""):
                return await handler(request)
            try:
                return await handler(request)
            except RequestValidationError as error:
                fault = faults_of(error.errors())[0]
                return _refused(request, 422, f"{fault['where']}: {fault['what']}")
            except Problem as problem:
                return _refused(request, problem.status, problem.detail, problem.headers)
            except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedFunction):
                return _refused(
                    request, 503, "The tables are not built yet: run “make run”, then load this page again."
                )
            except (psycopg.OperationalError, psycopg_pool.PoolTimeout, TimeoutError):
                return _refused(request, 503, "The database cannot be used now; load this page again in a moment.")

        return handled


TITLES = {
    401: "This page needs a token",
    404: "There is no such page",
    422: "This address is not understood",
    503: "Not now",
}


def _refused(request: Request, status: int, why: str, headers: dict[str, str] | None = None) -> Response:
    """The page; one that needs a token takes it, and a cookie that was sent and is of no use any more goes."""
    wanted = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
    response = bare(
        TITLES.get(status, "Refused"),
        why=why,
        status=status,
        back=wanted if status == 401 else None,
        is_encrypted=cookie.is_encrypted(request),
    )
    response.headers.update(headers or {})
    if status == 503:
        response.headers["Retry-After"] = "5"
    if status == 401 and cookie.token_of(request) is not None:
        cookie.forget(response)
    return response
