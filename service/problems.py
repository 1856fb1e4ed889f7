"""Answers to requests that cannot be served: what, where, and what to do; never what was sent, never a traceback."""

import logging
from collections.abc import Sequence
from typing import Any

import psycopg
import psycopg_pool
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from service.problem_types import of_status

logger = logging.getLogger("service")


RULES = ("placement_", "workload_status", "workload_claims", "workload_chunk_runs")
"""Rules of schema `app` that a request may run against though nothing is wrong with the service."""


class Problem(Exception):
    """A request that is refused, with its HTTP status and the reason in words."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: dict[str, str] | None = None,
        faults: list[dict[str, str]] | None = None,
    ):
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers
        self.more: dict[str, Any] = {} if faults is None else {"faults": faults}


def document(status: int, detail: str, **more: Any) -> dict[str, Any]:
    """A problem document (RFC 9457)."""
    kind = of_status(status)
    about = {"type": kind.type, "title": kind.title} if kind else {"type": "about:blank", "title": "Refused"}
    return {**about, "status": status, "detail": detail, **more}


def answer(status: int, detail: str, headers: dict[str, str] | None = None, **more: Any) -> JSONResponse:
    """A problem as JSON (RFC 9457)."""
    return JSONResponse(
        document(status, detail, **more),
        status_code=status,
        headers=headers,
        media_type="application/problem+json",
    )


def faults_of(errors: Sequence[Any]) -> list[dict[str, str]]:
    """Where and what; the input itself is left out, because it may be personal, or not even text."""
    return [
        {
            "where": ".".join(str(part) for part in error["loc"]).encode("ascii", "replace").decode(),
            "what": error["msg"],
        }
        for error in errors
    ]


def of_database(error: psycopg.Error) -> Problem:
    """What PostgreSQL refused: 409 for a rule of schema `app`, else 500."""
    rule = error.diag.constraint_name or ""
    if rule.startswith(RULES):
        return Problem(409, f"the database refuses it: {error.diag.message_primary}")
    # never the error itself: its detail may hold the row, and with it an address
    logger.error("the database refuses a statement: %s %s", type(error).__name__, rule)
    return Problem(500, "the database refuses it; what was sent is not kept")


def install(app: FastAPI) -> None:
    """Give every error of this application that form."""

    @app.exception_handler(Problem)
    async def refused(_request: Request, problem: Problem) -> JSONResponse:
        return answer(problem.status, problem.detail, problem.headers, **problem.more)

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        faults = faults_of(error.errors())
        first = faults[0]
        return answer(422, f"{first['where']}: {first['what']}", faults=faults)

    @app.exception_handler(HTTPException)
    async def http(_request: Request, error: HTTPException) -> JSONResponse:
        return answer(error.status_code, str(error.detail), dict(error.headers or {}))

    @app.exception_handler(psycopg.OperationalError)
    @app.exception_handler(psycopg_pool.PoolTimeout)
    async def unreachable(_request: Request, error: Exception) -> JSONResponse:
        logger.error("the database cannot be used: %s", type(error).__name__)
        return answer(503, "the database cannot be used now; try again", {"Retry-After": "5"})

    @app.exception_handler(TimeoutError)
    @app.exception_handler(psycopg.errors.QueryCanceled)
    @app.exception_handler(psycopg.errors.LockNotAvailable)
    async def too_long(_request: Request, _error: Exception) -> JSONResponse:
        return answer(
            503,
            "this took too long and was stopped; try again, or ask for less (a smaller `limit`)",
            {"Retry-After": "5"},
        )

    @app.exception_handler(psycopg.Error)
    async def refused_by_database(_request: Request, error: psycopg.Error) -> JSONResponse:
        problem = of_database(error)
        return answer(problem.status, problem.detail)

    @app.exception_handler(psycopg.errors.UndefinedTable)
    @app.exception_handler(psycopg.errors.UndefinedFunction)
    async def unbuilt(_request: Request, _error: Exception) -> JSONResponse:
        return answer(503, "the tables are not built yet; run `make run` and try again", {"Retry-After": "30"})
