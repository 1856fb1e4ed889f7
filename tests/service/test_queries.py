"""What a route is asked: unknown parameters are refused on every route, and what was understood is said back."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from tests.service.conftest import Api

NOBODY = "00000000-0000-0000-0000-000000000000"


def routes(api: Api) -> Iterator[tuple[str, str]]:
    """Method and address of every route that the application serves, whatever the document says."""
    app = api.client.app
    assert isinstance(app, FastAPI)
    documented = [(m.upper(), path) for path, methods in app.openapi()["paths"].items() for m in methods]
    direct = [(m, r.path) for r in app.routes if isinstance(r, APIRoute) for m in r.methods]
    for method, path in sorted({*documented, *direct}):
        path = path.replace("{workload_id}", NOBODY).replace("{name}", "price_day_ahead").replace("{ending}", "csv")
        yield method, path.replace("{region_id}", "13")


def test_every_route_refuses_a_parameter_that_it_does_not_declare(api: Api) -> None:
    tried = 0
    for method, path in routes(api):
        answer = api.client.request(method, path, params={"no_such": "1"}, json={"request": "x", "status": "running"})
        assert answer.status_code == 422 and "query.no_such" in answer.json()["detail"], (method, path, answer.text)
        assert [fault["where"] for fault in answer.json()["faults"]] == ["query.no_such"]
        tried += 1
    assert tried >= 13
    assert api.query("select count(*) from app.compute_workloads") == [(0,)], "what was refused did nothing"


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/windows/best", {"duration": "2h"}),
        ("/windows/best", {"post_code": "M1"}),
        ("/windows/best", {"Limit": "3"}),
        ("/workloads", {"state": "pending"}),
        ("/windows/best", [("limit", "3"), ("limit", "4")]),
    ],
)
def test_a_misspelled_or_repeated_parameter_is_not_ignored(api: Api, path: str, params: Any) -> None:
    api.get(path, 422, params=params)


def test_a_list_may_be_given_more_than_once(api: Api) -> None:
    asked = api.get("/windows/best", params=[("region_id", "3"), ("region_id", "13")])["asked"]
    assert asked["region_id"] == [3, 13]


def test_each_answer_that_takes_parameters_says_back_how_it_understood_them(api: Api) -> None:
    app = api.client.app
    assert isinstance(app, FastAPI)
    compared = 0
    for path, methods in app.openapi()["paths"].items():
        names = [p["name"] for p in methods.get("get", {}).get("parameters", ()) if p["in"] == "query"]
        if (
            not names or "text/html" in methods["get"]["responses"]["200"]["content"]
        ):  # a page carries them in its links
            continue
        if "{" in path.replace("{name}", "") or path == "/callback":  # of one thing, which says itself which it is
            continue
        params = {"q": "M1"} if path == "/places" else {}
        asked = api.get(path.replace("{name}", "price_day_ahead"), params=params)["asked"]
        assert sorted(n for n in asked if not n.endswith("_name")) == sorted(names), path
        compared += 1
    assert compared >= 4
    asked = api.get("/windows/best")["asked"]
    assert (asked["duration_minutes"], asked["limit"], asked["carbon_to_cost_weight"]) == (240, 10, 1)
    assert asked["earliest"].endswith("Z") and asked["deadline"].endswith("Z"), "with the defaults filled in"
