"""Every route has a response model, and what a route gives is what its model names: no more, no less."""

from typing import Any

import pytest
from fastapi import FastAPI

from tests.service.conftest import Api

OPEN = ("additional", "SeriesRow")


def document(api: Api) -> dict[str, Any]:
    return dict(api.get("/openapi.json"))


def resolved(schema: dict[str, Any], described: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = described["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def unnamed(value: Any, schema: dict[str, Any], described: dict[str, Any], at: str = "") -> list[str]:
    """Fields of a value that its schema does not name."""
    schema = resolved(schema, described)
    several = schema.get("anyOf") or schema.get("oneOf")
    if several:
        found = [unnamed(value, one, described, at) for one in several if fits(value, resolved(one, described))]
        return min(found, key=len, default=[f"{at}: fits nothing"])
    if isinstance(value, list):
        return [fault for one in value for fault in unnamed(one, schema.get("items", {}), described, f"{at}[]")]
    if not isinstance(value, dict) or "properties" not in schema or schema.get("title") in OPEN:
        return []
    faults = [f"{at}.{name}" for name in value if name not in schema["properties"]]
    for name in schema.get("required", ()):
        if name not in value:
            faults.append(f"{at}.{name} is missing")
    for name, one in value.items():
        if name in schema["properties"]:
            faults += unnamed(one, schema["properties"][name], described, f"{at}.{name}")
    return faults


def fits(value: Any, schema: dict[str, Any]) -> bool:
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool}
    if schema.get("type") == "null" or value is None:
        return (schema.get("type") == "null") == (value is None)
    detail = schema.get("properties", {}).get("detail", {}).get("const")
    if detail and isinstance(value, dict) and value.get("detail") != detail:
        return False
    return isinstance(value, kinds.get(schema.get("type", "object"), object))  # type: ignore[arg-type]


def schema_of(described: dict[str, Any], method: str, path: str, status: int = 200) -> dict[str, Any]:
    return dict(described["paths"][path][method]["responses"][str(status)]["content"]["application/json"]["schema"])


def test_every_route_has_a_typed_response_and_problems_as_refusals(api: Api) -> None:
    described, typed = document(api), 0
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            for status, response in operation["responses"].items():
                for media, content in response.get("content", {}).items():
                    schema = resolved(content["schema"], described)
                    if media == "application/json":
                        assert schema.get("properties") or schema.get("oneOf"), (method, path, status)
                        typed += 1
                    elif status not in ("200", "201"):
                        assert media == "application/problem+json" and schema["title"] == "ProblemDetails"
    assert typed >= 18
    assert "HTTPValidationError" not in described["components"]["schemas"]


def test_parameters_and_fields_that_need_one_have_an_example(api: Api) -> None:
    described, named = document(api), set()
    for methods in described["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                if parameter.get("examples") or parameter["schema"].get("examples"):
                    named.add((parameter["in"], parameter["name"]))
    for title, schema in described["components"]["schemas"].items():
        for name, one in schema.get("properties", {}).items():
            if any(part.get("examples") for part in (one, *one.get("anyOf", ()))):
                named.add((title, name))
    places = {("query", name) for name in ("postcode", "cloud_region", "city", "q")}
    of_a_task = {("TaskRequest", name) for name in ("request", "user_email", "postcode", "cloud_region", "city")}
    assert named >= places | of_a_task | {("path", "name"), ("query", "horizon"), ("Claim", "city")}


def test_answers_name_exactly_what_their_models_name(worked: Api) -> None:
    described = document(worked)
    submitted = worked.submit("Train a model on 8 H100s for 3 hours before 9am tomorrow", user_email="b@example.com")
    assert unnamed(submitted, schema_of(described, "post", "/submit_task", 201), described) == []
    refused = worked.submit(carbon_cap_gco2_kwh=0)
    assert unnamed(refused, schema_of(described, "post", "/submit_task", 201), described) == []
    worked.submit(power_kw=1, duration_minutes=30, is_deferrable=False)
    placed = next(one for one in worked.get("/workloads")["workloads"] if one["status"] == "scheduled")
    worked.query("delete from wholesale_prices where period_start > now() + interval '3 hours'")
    gets: dict[str, list[tuple[str, dict[str, Any]]]] = {
        "/workloads/{workload_id}": [(f"/workloads/{one['workload_id']}", {}) for one in (placed, refused)],
        "/workloads/{workload_id}/decision": [(f"/workloads/{placed['workload_id']}/decision", {})],
        "/workloads/{workload_id}/receipt": [],  # test_receipts.py has one that has ended
        "/series/{name}": [
            (f"/series/{name}", {"limit": 3})
            for name in ("carbon_intensity_regional_forecast", "generation_mix_national", "forecast_skill")
        ],
        "/places": [("/places", {"q": "SW13"})],
        "/problems/{name}": [("/problems/invalid-request", {})],
        "/windows/best": [("/windows/best", {}), ("/windows/best", {"city": "Leeds", "carbon_to_cost_weight": 0.5})],
    }
    ((operator_id,),) = worked.query("select operator_id::text from app.operators limit 1")
    assert worked.client.put("/callback", params={"operator_id": operator_id}, json={"url": None}).status_code == 200
    gets["/callback"] = [("/callback", {"operator_id": operator_id})]
    for agent in ("energy", "compute", "head"):
        path = f"/agents/{agent}/context"
        gets[path] = [(path, {"detail": detail, "postcode": "M1"}) for detail in ("full", "brief")]
        gets[path] += [(path, {}), (path, {"as_of": "2026-01-01T00:00Z"}), (path, {"hours": 48, "detail": "brief"})]
    tried = 0
    for path, methods in described["paths"].items():
        if "get" not in methods or "application/json" not in methods["get"]["responses"]["200"].get("content", {}):
            continue
        for address, params in gets.get(path, [(path, {})]):
            found = worked.get(address, params=params)
            assert unnamed(found, schema_of(described, "get", path), described) == [], (address, params)
            tried += 1
    again = worked.client.post(f"/workloads/{placed['workload_id']}/placement").json()
    assert unnamed(again, schema_of(described, "post", "/workloads/{workload_id}/placement"), described) == []
    begun = worked.client.patch(f"/workloads/{placed['workload_id']}", json={"status": "running"}).json()
    assert unnamed(begun, schema_of(described, "patch", "/workloads/{workload_id}"), described) == []
    assert tried > 20


@pytest.mark.parametrize(
    ("method", "path", "status", "name"),
    [
        ("GET", "/windows/best?limit=0", 422, "invalid-request"),
        ("GET", "/windows/best?no_such=1", 422, "invalid-request"),
        ("GET", "/places?q=BT1", 404, "not-found"),
        ("GET", "/nothing", 404, "not-found"),
        ("DELETE", "/workloads", 405, "method-not-allowed"),
        ("POST", "/submit_task", 422, "invalid-request"),
    ],
)
def test_a_refusal_has_a_type_that_leads_to_what_it_means(
    api: Api, method: str, path: str, status: int, name: str
) -> None:
    answer = api.client.request(method, path)
    body = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert body["type"] == f"/problems/{name}" and body["status"] == status and body["title"] and body["detail"]
    meaning = api.get(body["type"])
    assert (meaning["type"], meaning["title"], meaning["status"]) == (body["type"], body["title"], status)
    assert meaning["what_to_do"]


def test_every_problem_that_the_service_raises_has_a_type(api: Api) -> None:
    app = api.client.app
    assert isinstance(app, FastAPI)
    import re
    from pathlib import Path

    from service import problem_types
    from warehouse.settings import PROJECT_ROOT

    raised = set()
    for path in Path(PROJECT_ROOT / "service").rglob("*.py"):
        raised |= {int(code) for code in re.findall(r"(?:Problem|answer)\(\s*(\d{3})", path.read_text())}
    assert raised and all(problem_types.of_status(status) for status in raised), raised


def test_the_docs_load_nothing_from_other_hosts(api: Api) -> None:
    page = api.client.get("/docs")
    assert page.status_code == 200 and page.headers["content-type"].startswith("text/html")
    import re

    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(loaded) >= 4 and all(address.startswith("/") and not address.startswith("//") for address in loaded)
    for address in loaded:
        assert api.client.get(address).status_code == 200, address
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "http" not in policy and "script-src 'self';" in policy
    assert 'url: "/openapi.json"' in api.client.get("/docs/start.js").text
    api.get("/docs/static/nothing.js", 404)
    assert api.client.get("/docs/static/..%2fcore.py").status_code == 404
