"""Refusals, by RFC 9457."""

from pydantic import BaseModel, Field


class Fault(BaseModel):
    """What is wrong with one field."""

    where: str = Field(description="Such as `query.limit` or `body.deadline`.")
    what: str


class ProblemDetails(BaseModel):
    """Why a request is refused, and what to do. Media type application/problem+json."""

    type: str = Field(description="Where this type of problem is described.", examples=["/problems/invalid-request"])
    title: str
    status: int
    detail: str = Field(description="What is wrong with this request; never what was sent.")
    faults: list[Fault] = Field([], description="Each field that is wrong, if that is what is wrong.")
    expected_at: str | None = Field(None, description="When what does not exist yet is expected, UTC.")


class ProblemType(BaseModel):
    """`GET /problems/{name}`: what a type of problem means, and what to do."""

    type: str
    title: str
    status: int
    what_to_do: str
