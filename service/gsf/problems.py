"""Errors in the form of the Carbon Aware SDK's Web API."""

import logging
import secrets

import psycopg
import psycopg_pool
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from service.gsf.shapes import ValidationProblemDetails
from service.problems import Problem

logger = logging.getLogger("service")
BAD_REQUEST = "https://tools.ietf.org/html/rfc9110#section-15.5.1"


class Refused(Exception):
    """A request whose parameters do not fit; `errors` says of each why."""

    def __init__(self, detail: str, **errors: str):
        super().__init__(detail)
        self.detail, self.errors = detail, {name: [words] for name, words in errors.items()}


def _answer(
    status: int, title: str, detail: str | None = None, errors: dict[str, list[str]] | None = None
) -> JSONResponse:
    problem = ValidationProblemDetails(
        type=BAD_REQUEST if status == 400 else None,
        title=title,
        status=status,
        detail=detail,
        errors=errors or {},
        traceId=f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00",
    )
    headers = {"Retry-After": "5"} if status == 503 else None
    return JSONResponse(
        problem.model_dump(exclude_none=True),
        status_code=status,
        headers=headers,
        media_type="application/problem+json",
    )


def install(app: FastAPI) -> None:
    """Give every error of this application that form."""

    @app.exception_handler(Refused)
    async def refused(_request: Request, error: Refused) -> JSONResponse:
        return _answer(400, "ArgumentException", error.detail, error.errors)

    @app.exception_handler(Problem)
    async def not_declared(_request: Request, problem: Problem) -> JSONResponse:
        faults = problem.more.get("faults", [])
        errors = {fault["where"].removeprefix("query."): [fault["what"]] for fault in faults}
        return _answer(400, "One or more validation errors occurred.", problem.detail, errors)

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        faults: dict[str, list[str]] = {}
        for fault in error.errors():
            name = ".".join(str(part) for part in fault["loc"][1:]).encode("ascii", "replace").decode() or "body"
            missing = fault["type"] == "missing"
            words = f"A value for the '{name}' parameter or property was not provided." if missing else fault["msg"]
            faults.setdefault(name, []).append(words)
        return _answer(400, "One or more validation errors occurred.", errors=faults)

    @app.exception_handler(HTTPException)
    async def http(_request: Request, error: HTTPException) -> JSONResponse:
        return _answer(error.status_code, str(error.detail))

    @app.exception_handler(psycopg.Error)
    @app.exception_handler(psycopg_pool.PoolTimeout)
    @app.exception_handler(TimeoutError)
    async def unavailable(_request: Request, error: Exception) -> JSONResponse:
        logger.error("a request under /gsf cannot be served: %s", type(error).__name__)
        return _answer(503, "ServiceUnavailable", "the data cannot be read now; try again")
