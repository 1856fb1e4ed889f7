"""What a route depends on is looked up in the loop: a plain function would cost each request a turn in a thread."""

import inspect
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from tests.service.conftest import Api


def below(dependant: Dependant) -> Iterator[Any]:
    """Everything that it calls, at any depth."""
    for one in dependant.dependencies:
        yield one.call
        yield from below(one)


def test_no_dependency_is_run_in_a_thread(api: Api) -> None:
    app = api.client.app
    assert isinstance(app, FastAPI)
    found = [one.original_route for one in iter_route_contexts(app.routes)]
    routes = [route for route in found if isinstance(route, APIRoute)]
    called = {call for route in routes for call in below(route.dependant)}
    assert len(routes) > 30 and len(called) > 5
    plain = {
        call
        for call in called
        if not inspect.iscoroutinefunction(call if inspect.isfunction(call) else type(call).__call__)
    }
    assert plain == set()
