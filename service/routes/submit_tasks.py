"""Many tasks in one request and one transaction; each is accepted or refused by itself."""

import asyncio
import json
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import Field, SkipValidation, ValidationError

from service.access import Authorized, State
from service.group_commit import CAUSED_BY_ONE
from service.intake import Accepted
from service.models.workloads import SubmittedBatch
from service.problems import Problem, document, faults_of, of_database
from service.shapes import KEY_PATTERN, Strict, TaskRequest

PATH = "/submit_tasks"
MOST = 1000
router = APIRouter(tags=["workloads"])


class TaskItem(TaskRequest):
    """A task of a batch."""

    idempotency_key: str | None = Field(
        None, min_length=1, max_length=200, pattern=KEY_PATTERN, description="Send it again and nothing is made twice."
    )


class TaskBatch(Strict):
    """`POST /submit_tasks`. One item that is not as described does not refuse the others."""

    tasks: Annotated[list[SkipValidation[TaskItem]], Field(min_length=1, max_length=MOST)]


_SCHEMA = TaskBatch.model_json_schema(ref_template="#/components/schemas/{model}")
_DEFINED = _SCHEMA.pop("$defs", {})
_SCHEMA["properties"]["tasks"]["items"] = _DEFINED.get("TaskItem", _SCHEMA["properties"]["tasks"]["items"])
"""What a task refers to (`RunBy`) is defined where POST /submit_task is: in the document's components"""
_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": _SCHEMA}}}}


@router.post(PATH, openapi_extra=_BODY, response_model=SubmittedBatch)
async def submit_tasks(request: Request, state: State, caller: Authorized) -> Response:
    """Take up to 1,000 tasks in: in their order, in one transaction, each placed after those before it.

    `results` has an item for each task: `status` (201 made, 200 made before under this key, 4xx refused), and `answer` as
    `POST /submit_task` gives it, or `problem`. What is refused leaves nothing behind, and does not hold up the others.
    """
    batch = _read(await _body(request, state.settings.service_max_batch_bytes, state.settings.service_receive_seconds))
    results: list[dict[str, Any] | None] = [None] * len(batch.tasks)
    tasks: list[tuple[int, TaskItem]] = []
    for number, given in enumerate(batch.tasks):
        try:
            tasks.append((number, TaskItem.model_validate(given)))
        except ValidationError as error:
            faults = faults_of(error.errors())
            results[number] = _refused(Problem(422, f"{faults[0]['where']}: {faults[0]['what']}", faults=faults))
    asked = [(TaskRequest(**_without_key(item)), item.idempotency_key) for _, item in tasks]
    met = await state.submissions.submit_all(caller, asked) if asked else []
    for (number, _), one in zip(tasks, met, strict=True):
        if isinstance(one, Problem):
            results[number] = _refused(one)
        elif isinstance(one, Accepted):
            state.metrics.submitted(one.outcome)
            status = HTTPStatus.OK if one.outcome == "repeated" else HTTPStatus.CREATED
            results[number] = {"status": status, "answer": one.answer}
        elif isinstance(one, CAUSED_BY_ONE):
            results[number] = _refused(of_database(one))
        else:
            raise one
    return Response(_as_json(results), media_type="application/json")


def _without_key(item: TaskItem) -> dict[str, Any]:
    return {name: getattr(item, name) for name in item.model_fields_set - {"idempotency_key"}}


def _refused(problem: Problem) -> dict[str, Any]:
    return {"status": problem.status, "problem": document(problem.status, problem.detail, **problem.more)}


def _as_json(results: list[dict[str, Any] | None]) -> str:
    """The answers are JSON already, as they were kept."""
    parts = [
        f'{{"status":{result["status"]},"answer":{result["answer"]}}}' if "answer" in result else json.dumps(result)
        for result in results
        if result is not None
    ]
    return f'{{"results":[{",".join(parts)}]}}'


async def _body(request: Request, most: int, seconds: float) -> bytes:
    body = b""
    try:
        async with asyncio.timeout(seconds):
            async for piece in request.stream():
                body += piece
                if len(body) > most:
                    raise Problem(413, f"the body is larger than {most} bytes; send fewer tasks at a time")
    except TimeoutError:
        raise Problem(408, f"the body took more than {seconds:g} seconds", headers={"Connection": "close"}) from None
    return body


def _read(body: bytes) -> TaskBatch:
    try:
        return TaskBatch.model_validate(json.loads(body))
    except ValidationError as error:
        faults = faults_of(error.errors())
        raise Problem(422, f"{faults[0]['where']}: {faults[0]['what']}", faults=faults) from None
    except (ValueError, RecursionError):
        raise Problem(422, "body: is not JSON") from None
