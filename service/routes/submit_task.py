"""One task in, a time and a place out."""

import re
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import ValidationError

from service.access import Authorized, State, caller_of
from service.models.workloads import Submitted
from service.problems import Problem
from service.queries import only_declared
from service.shapes import KEY_PATTERN, TaskRequest

LONGEST_KEY = 200
_KEY = re.compile(KEY_PATTERN)
_JSON = re.compile(r"application/([^;]*\+)?json\s*(;|$)", re.IGNORECASE)

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=LONGEST_KEY,
        pattern=KEY_PATTERN,
        description="Send it again and nothing is made twice.",
    ),
]


async def _serve(request: Request) -> Response:
    state = request.app.state.service
    await only_declared(request)
    caller = await caller_of(request, state)
    key = request.headers.get("idempotency-key")
    if key is not None and not (len(key) <= LONGEST_KEY and _KEY.search(key)):
        raise Problem(
            422, f"header.Idempotency-Key: must be 1 to {LONGEST_KEY} printable ASCII characters without a space"
        )
    if not _JSON.match(request.headers.get("content-type", "")):
        raise Problem(422, "body: must be a JSON object, sent with Content-Type: application/json")
    try:
        asked = TaskRequest.model_validate_json(await request.body())
    except ValidationError as error:
        faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors(include_url=False)]
        raise RequestValidationError(faults) from None
    return await submit_task(asked, state, caller, key)


class _Described(APIRoute):
    """FastAPI describes the endpoint and `_serve` calls it: FastAPI's own way to the same values costs as much as the insert."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What serves a request."""
        return _serve


router = APIRouter(tags=["workloads"], route_class=_Described)


@router.post(
    "/submit_task",
    status_code=201,
    response_model=Submitted,
    responses={200: {"model": Submitted, "description": "What was answered to this Idempotency-Key before."}},
)
async def submit_task(asked: TaskRequest, state: State, caller: Authorized, idempotency_key: Key = None) -> Response:
    """Take a workload in, make or link its user, and place it. 200 instead of 201 where the key was seen before."""
    accepted = await state.submissions.submit(caller, asked, idempotency_key)
    state.metrics.submitted(accepted.outcome)
    status = 200 if accepted.outcome == "repeated" else 201
    return Response(accepted.answer, status_code=status, media_type="application/json")
