"""`GET /problems/{name}`: what a type of problem means. No token: it is what `type` of a refusal leads to."""

from typing import Annotated, Any

from fastapi import APIRouter, Path

from service.models.problems import ProblemType
from service.problem_types import KINDS
from service.problems import Problem

router = APIRouter(tags=["problems"])


@router.get("/problems/{name}", response_model=ProblemType)
async def problem_type(name: Annotated[str, Path(max_length=100, examples=["invalid-request"])]) -> dict[str, Any]:
    """What a type of problem means, and what to do."""
    kind = KINDS.get(name)
    if kind is None:
        raise Problem(404, f"there is no such type of problem; there are: {', '.join(KINDS)}")
    return {"type": kind.type, "title": kind.title, "status": kind.status, "what_to_do": kind.what_to_do}
