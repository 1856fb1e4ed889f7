"""JSON's own types in every body: a number is a number, and nothing that only looks like one is taken for it."""

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from pydantic import BaseModel, ValidationError

from service.shapes import StatusChange, TaskRequest
from tests.service.conftest import Api

BODIES: tuple[tuple[type[BaseModel], dict[str, Any]], ...] = (
    (TaskRequest, {"request": "x"}),
    (StatusChange, {"status": "running"}),
)
VALUES: dict[str, list[Any]] = {
    "bool": [True, False],
    "int": [1, 60],
    "float": [1.5],
    "str": ["1", "60", "true", "1.5", "1700000000"],
    "list": [[], [1], ["1"]],
    "dict": [{}, {"1": 1}],
}
FITS = {int: {"int"}, float: {"int", "float"}, bool: {"bool"}, str: {"str"}, list: {"list"}}
FIELDS = [(model, rest, name) for model, rest in BODIES for name in model.model_fields]


def kinds(annotation: Any) -> set[str]:
    """The JSON types that a field may hold."""
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        return set().union(*(kinds(part) for part in get_args(annotation) if part is not type(None)))
    if origin is Annotated:
        return kinds(get_args(annotation)[0])
    if origin is Literal:
        return {"str"}
    if origin is list or annotation is list:
        return {"list"}
    return FITS.get(annotation, {"str"})  # instants and ids are text


@pytest.mark.parametrize(("model", "rest", "name"), FIELDS, ids=[f"{m.__name__}.{n}" for m, _, n in FIELDS])
def test_a_field_takes_no_other_type_for_its_own(model: type[BaseModel], rest: dict[str, Any], name: str) -> None:
    fits = kinds(model.model_fields[name].annotation)
    for kind, values in VALUES.items():
        for value in values if kind not in fits else ():
            with pytest.raises(ValidationError) as refused:
                model.model_validate({**rest, name: value})
            assert refused.value.errors()[0]["loc"][0] == name, (name, value)


def test_seconds_since_1970_are_no_instant() -> None:
    for value in (1_700_000_000, 1_700_000_000.5, "1700000000", "1700000000.5", "2026"):
        with pytest.raises(ValidationError):
            TaskRequest.model_validate({"request": "x", "deadline": value})
    assert TaskRequest.model_validate({"request": "x", "deadline": "2026-11-25T18:00+01:00"}).deadline


def test_the_route_refuses_them_and_names_the_field(api: Api) -> None:
    for name, value in (
        ("duration_minutes", True),
        ("duration_minutes", "60"),
        ("power_kw", "2"),
        ("is_deferrable", 1),
    ):
        answer = api.client.post("/submit_task", json={"request": "x", name: value})
        assert answer.status_code == 422 and f"body.{name}" in answer.json()["detail"], answer.text
