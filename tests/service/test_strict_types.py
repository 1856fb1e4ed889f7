"""JSON's own types in every body: a number is a number, and nothing that only looks like one is taken for it.

The bodies are those of the application's routes, and of the applications that are mounted in it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import ValidationError
from starlette.routing import Mount

from service.shapes import TaskRequest
from tests.service.conftest import Api
from tests.service.json_types import VALUES, kinds
from tests.service.test_queries import NOBODY

UNKNOWN = "no_such_field"


@dataclass(frozen=True)
class Body:
    """What a route takes as its body: the fields of an object, and where that object lies in the body."""

    method: str
    path: str
    fields: dict[str, set[str]]
    """name -> types of JSON"""
    inside: tuple[str, ...] = ()
    """`[]` for an item of a list, else the name of a field"""

    def around(self, value: Any) -> Any:
        """The body with this object in its place."""
        for step in reversed(self.inside):
            value = [value] if step == "[]" else {step: value}
        return value


def bodies(app: FastAPI, prefix: str = "") -> Iterator[Body]:
    """Every object of every body of an application and of those that are mounted in it."""
    document = app.openapi()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for media in operation.get("requestBody", {}).get("content", {}).values():
                address = re.sub(r"{[^}]*}", NOBODY, prefix + path)
                yield from _objects(Body(method, address, {}), media["schema"], document)
    for route in app.routes:
        if isinstance(route, Mount) and isinstance(route.app, FastAPI):
            yield from bodies(route.app, prefix + route.path)


def _objects(at: Body, schema: dict[str, Any], document: dict[str, Any]) -> Iterator[Body]:
    for part in (*schema.get("anyOf", ()), *schema.get("allOf", ())):
        yield from _objects(at, part, document)
    if "$ref" in schema:
        yield from _objects(at, document["components"]["schemas"][schema["$ref"].split("/")[-1]], document)
    if "items" in schema:
        yield from _objects(Body(at.method, at.path, {}, (*at.inside, "[]")), schema["items"], document)
    if properties := schema.get("properties"):
        yield Body(at.method, at.path, {name: kinds(one) for name, one in properties.items()}, at.inside)
        for name, one in properties.items():
            yield from _objects(Body(at.method, at.path, {}, (*at.inside, name)), one, document)


def refused(answer: Any) -> set[str]:
    """The fields that an answer names as wrong, in our own form, in that of the GSF, and for one task of many."""
    if isinstance(answer, list):
        return set().union(*map(refused, answer))
    if not isinstance(answer, dict):
        return set()
    errors = answer.get("errors")
    places = [fault["where"] for fault in answer.get("faults", ())] + list(errors if isinstance(errors, dict) else ())
    steps = {step for place in places for step in place.split(".")}
    return steps.union(*(refused(answer.get(name)) for name in ("results", "problem")))


def test_no_body_takes_a_field_that_it_does_not_declare_or_a_value_of_another_type(api: Api) -> None:
    app = api.client.app
    assert isinstance(app, FastAPI)
    looked_at, wrong = set(), []
    for body in bodies(app):
        for kind, values in VALUES.items():
            unfit = [name for name, taken in body.fields.items() if kind not in taken]
            for value in values:
                sent = body.around({**dict.fromkeys(unfit, value), UNKNOWN: value})
                answer = api.client.request(body.method, body.path, json=sent)
                missed = {UNKNOWN, *unfit} - refused(answer.json())
                if missed:
                    wrong.append((body.path, body.inside, value, sorted(missed), answer.status_code))
        looked_at.add((body.method, body.path, body.inside))
    assert not wrong
    paths = {path for _, path, _ in looked_at}
    assert {path.split("/")[1] for path in paths} >= {"submit_task", "submit_tasks", "plan", "workloads", "gsf"}
    assert len(looked_at) >= 12
    assert api.query("select count(*) from app.compute_workloads") == [(0,)]


def test_every_route_that_may_take_a_body_describes_it(api: Api) -> None:
    app = api.client.app
    assert isinstance(app, FastAPI)
    described = {(body.method, body.path) for body in bodies(app)}
    for path, methods in app.openapi()["paths"].items():
        for method in {"post", "put", "patch"} & set(methods):
            address = re.sub(r"{[^}]*}", NOBODY, path)
            if (method, address) not in described:
                sent = api.client.request(method, address, json={UNKNOWN: 1})
                assert sent.status_code in (404, 422), (method, path, "takes a body that its description lacks")


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
