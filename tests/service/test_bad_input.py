"""Whatever is sent, the answer is taken in or refused with a reason: never an error of the server."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from pydantic import BaseModel, ValidationError
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from service import tokens
from service.app import create
from service.settings import ServiceSettings
from service.shapes import StatusChange, TaskRequest
from tests.service.conftest import TOKEN, Api
from warehouse.database import Database

INJECTION = "'); drop table app.compute_workloads cascade; --"
STRINGS = ("request", "user_email", "user_name", "workload_type", "priority", "earliest_start", "deadline", "asset_id")
NUMBERS = (
    "energy_kwh", "power_kw", "duration_minutes", "carbon_cap_gco2_kwh", "price_cap_gbp_mwh", "carbon_to_cost_weight"
)  # fmt: skip


def post(api: Api, body: str | bytes, **headers: str) -> httpx.Response:
    """Send a body as it is, and expect that it is taken in or refused with a reason."""
    headers = {"Content-Type": "application/json", **headers}
    answer = api.client.post("/submit_task", content=body, headers=headers)
    assert answer.status_code == 201 or refused(answer), answer.text
    return answer


def refused(answer: httpx.Response) -> bool:
    """Whether it is a problem of the sender, with a reason."""
    is_problem = answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    return (
        is_problem and 400 <= answer.status_code < 500 and body["status"] == answer.status_code and bool(body["detail"])
    )


def test_a_body_that_is_no_task_is_refused(api: Api) -> None:
    bodies = [
        b"", b"{", b'{"request": "x",}', b"[]", b'[{"request": "x"}]', b'"x"', b"null", b"1", b"{}", b'{"request": null}',
        b'{"request": ""}', b'{"request": " \\n "}', b'{"request": 5}', b'{"request": ["x"]}', b'\xff\xfe{"request": "x"}',
        b'{"request": "\xff"}', b'{"request": "x", "unknown": 1}', b'{"request": "x", "status": "running"}', b"[" * 60_000,
        b'{"request": "x", "region_ids": []}', b'{"request": "x", "region_ids": [0]}', b'{"request": "x", "region_ids": [15]}',
        b'{"request": "x", "region_ids": "13"}', b'{"request": "x", "region_ids": [13.5]}',
        b'{"request": "x", "energy_kwh": 1, "power_kw": 1, "duration_minutes": 1}', b'{"request": "x", "is_deferrable": "?"}',
        b'{"request": "' + 10_001 * b"x" + b'"}',
    ]  # fmt: skip
    for body in bodies:
        assert refused(post(api, body)), body[:80]
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml", "nonsense"):
        assert refused(post(api, b'{"request": "x"}', **{"Content-Type": kind})), kind
    assert api.query("select count(*) from app.compute_workloads") == [(0,)]


def _chunks() -> Iterator[bytes]:
    yield b'{"request": "'
    for _ in range(160):
        yield b"x" * 65_536
    yield b'"}'


def test_a_body_of_ten_megabytes_is_refused_with_and_without_its_length(api: Api, served: httpx.Client) -> None:
    whole = b"".join(_chunks())
    for answer in (
        api.client.post("/submit_task", content=whole),
        served.post("/submit_task", content=whole),
        served.post("/submit_task", content=_chunks()),
        served.patch("/workloads/x", content=_chunks()),
    ):
        assert answer.status_code == 413 and refused(answer)
        assert answer.json()["detail"] == "the body is larger than 65536 bytes; send less"
    assert served.get("/healthz").status_code == 200


@pytest.mark.parametrize("control", ["\x00", "\x07", "\r", "\x1b[2J", "\x7f", "\x85", "\x9b2J"])
def test_control_characters_are_refused_and_lines_end_as_here(api: Api, control: str) -> None:
    assert refused(post(api, json.dumps({"request": f"Train{control}it for 2 hours"})))
    created = post(api, json.dumps({"request": "Train\r\nit for\t2 hours"}))
    assert created.status_code == 201
    ((kept,),) = api.query("select request from app.compute_workloads")
    assert kept == "Train\nit for\t2 hours"


def test_what_is_no_address_is_refused_and_not_repeated(api: Api) -> None:
    addresses: list[Any] = [
        "", " ", "x", "@", "a@", "@example.com", "a@b@example.com", "a b@example.com", "a@exam ple.com", "a@example..com",
        "a@-example.com", ".a@example.com", "a@[127.0.0.1]", "<a@example.com>", "a\n@example.com", "a@localhost", "secret%@",
        "a" * 330 + "@example.com", "a@" + "x" * 300 + ".com", 5, ["a@example.com"],
    ]  # fmt: skip
    for address in addresses:
        answer = post(api, json.dumps({"request": "x", "user_email": address}))
        assert refused(answer) and answer.json()["detail"].startswith("body.user_email: "), address
        assert "secret" not in answer.text
    assert api.query("select count(*) from app.users") == [(0,)]


def test_an_address_of_any_alphabet_is_a_user(api: Api) -> None:
    addresses = [
        "a@example.com\n",
        "o'brien+x@example.com",
        "ÄDA@example.com",
        "İ@example.com",
        "ΑΣ@example.com",
        "x@BÜCHER.com",
    ]
    for address in addresses:
        assert post(api, json.dumps({"request": "x", "user_email": address})).json()["user"]["tracked"], address
        assert len(api.get("/workloads", params={"user_email": address})["workloads"]) == 1, address


def test_what_is_no_text_is_refused_in_every_string(api: Api) -> None:
    for text in ("\\u0000", "\\ud800", "a\\udfffb", "\\u001b[31m", "\\u007f"):
        for name in STRINGS:
            fields = {"request": '"x"', name: f'"{text}"'}
            body = ", ".join(f'"{key}": {value}' for key, value in fields.items())
            assert refused(post(api, "{" + body + "}")), (name, text)
        assert refused(post(api, f'{{"request": "x", "{text}": 1}}')), "as a name of a field"
        assert refused(post(api, f'{{"request": "x", "region_ids": ["{text}"]}}')), text


def test_a_bad_query_or_key_is_refused(api: Api) -> None:
    for query in ("user_email=%00", "user_email=a%00@example.com", "user_email=%ED%A0%80", "user_id=%00", "user_id=x",
                  "limit=0", "limit=1001", "limit=x", "limit=1e3", "limit=%00"):  # fmt: skip
        assert refused(api.client.get(f"/workloads?{query}")), query
    for key in ("", "a b", "x" * 201, "ä"):
        headers = {"Idempotency-Key": key.encode("latin-1")}
        assert refused(api.client.post("/submit_task", json={"request": "x"}, headers=headers)), key


def test_numbers_out_of_range_are_refused(api: Api) -> None:
    for value in ("NaN", "Infinity", "-Infinity", "1e999", "-1e300", "1e300", '"x"', "[]", "{}", '""'):
        for name in NUMBERS:
            assert refused(post(api, f'{{"request": "x", "{name}": {value}}}')), (name, value)
        for name in ("at", "actual_cost_gbp", "actual_carbon_kg"):
            body = f'{{"status": "running", "{name}": {value}}}'
            path = "/workloads/00000000-0000-0000-0000-000000000000"
            assert api.client.patch(path, content=body).status_code == 422, (name, value)


def test_the_ends_of_every_range_are_no_server_error(api: Api) -> None:
    for name in NUMBERS:
        for value in (0, 1e-9, 0.001, 1, 1e6, 10_000, 10_080, 10_081, -1, -100_000, 100_000, 10**30):
            post(api, json.dumps({"request": "x", name: value}))
            post(api, json.dumps({"request": "x", "duration_minutes": 1, name: value}))
            post(api, json.dumps({"request": "x", "energy_kwh": 0.001, "duration_minutes": 10_080, name: value}))


def test_instants_without_a_zone_or_out_of_range_are_refused(api: Api) -> None:
    for value in ("2030-01-01T00:00:00", "2030-01-01", "tomorrow", "1999-12-31T00:00:00Z", "9999-12-31T23:59:59Z", "0", "",
                  "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2030-02-30T00:00:00Z"):  # fmt: skip
        for name in ("earliest_start", "deadline"):
            assert refused(post(api, json.dumps({"request": "x", name: value}))), value
            assert refused(api.client.get("/windows/best", params={name.split("_")[0]: value})), value


def test_sql_in_a_string_is_text_or_refused(api: Api) -> None:
    for name in STRINGS:
        post(api, json.dumps({"request": "x", name: INJECTION}))
    answer = post(api, json.dumps({"request": INJECTION, "user_email": "a@example.com", "user_name": INJECTION}))
    post(api, b'{"request": "x"}', **{"Idempotency-Key": INJECTION.replace(" ", "/**/")})
    for path in ("/workloads?user_email=", "/workloads?user_id=", "/workloads/", "/windows/best?region_id="):
        assert refused(api.client.get(path + INJECTION))
    kept = api.query(
        "select request, name from app.compute_workloads join app.users using (user_id) where workload_id = %s",
        answer.json()["workload_id"],
    )
    assert kept == [(INJECTION, INJECTION)]


def test_too_many_requests_are_asked_to_wait_and_another_caller_is_not(grid: Database) -> None:
    for token in (TOKEN, f"{TOKEN}-too"):
        tokens.register(grid, token, label=token)
    with TestClient(create(grid, ServiceSettings(service_requests_per_minute=5))) as client:
        mine = [client.get("/workloads", headers={"Authorization": f"Bearer {TOKEN}"}) for _ in range(9)]
        assert [answer.status_code for answer in mine] == [200] * 5 + [429] * 4, "the first was looked up"
        assert refused(mine[-1]) and mine[-1].headers["retry-after"] == "60"
        assert client.get("/workloads", headers={"Authorization": f"Bearer {TOKEN}-too"}).status_code == 200


def test_made_up_tokens_share_one_count_and_do_not_shut_out_a_token_in_use(grid: Database) -> None:
    tokens.register(grid, TOKEN, label="tests")
    with TestClient(create(grid, ServiceSettings(service_requests_per_minute=20))) as client:
        good = {"Authorization": f"Bearer {TOKEN}"}
        assert client.get("/workloads", headers=good).status_code == 200
        made_up = [
            client.get("/workloads", headers={"Authorization": f"Bearer {n}", "X-Forwarded-For": f"192.0.2.{n}"})
            for n in range(40)
        ]
        assert [answer.status_code for answer in made_up] == [401] * 20 + [429] * 20
        assert client.get("/workloads", headers=good).status_code == 200


def test_made_up_tokens_shut_out_neither_a_token_that_was_never_used_nor_who_watches(grid: Database) -> None:
    tokens.register(grid, TOKEN, label="tests")
    with TestClient(create(grid, ServiceSettings(service_requests_per_minute=5))) as client:
        made_up = [client.get("/workloads", headers={"Authorization": f"Bearer {n}"}) for n in range(30)]
        assert made_up[-1].status_code == 429
        good = {"Authorization": f"Bearer {TOKEN}"}
        mine = [client.get("/workloads", headers=good).status_code for _ in range(8)]
        assert mine == [200] * 5 + [429] * 3, "it has a count of its own"
        assert [client.get(path).status_code for path in ("/healthz", "/readyz", "/metrics") * 3] == [200] * 9
        assert client.get("/workloads", headers={"Authorization": "Bearer 29"}).status_code == 429


def test_an_unknown_path_and_method_are_refused_with_a_reason(api: Api) -> None:
    assert refused(api.client.get("/nothing")) and refused(api.client.delete("/submit_task"))


CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.mark.slow
def test_what_its_own_description_leads_to_is_no_error_and_is_what_it_describes(served: httpx.Client) -> None:
    description = schemathesis.openapi.from_url(f"{served.base_url}/openapi.json")
    operations = [result.ok() for result in description.get_all_operations()]
    assert len(operations) >= 17
    for operation in operations:
        takes = (operation.path_parameters, operation.query, operation.body)
        for mode in schemathesis.GenerationMode if any(map(len, takes)) else [schemathesis.GenerationMode.POSITIVE]:

            @settings(
                max_examples=20, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def fuzz(case: schemathesis.Case) -> None:
                case.call_and_validate(headers=dict(served.headers), checks=CHECKS)

            fuzz()


@pytest.mark.parametrize("model", [TaskRequest, StatusChange])
def test_a_value_of_another_type_is_refused_in_every_field(model: type[BaseModel]) -> None:
    least: dict[str, Any] = {"request": "x"} if model is TaskRequest else {"status": "running"}
    good = {"string": "x", "integer": 1, "number": 1.0, "boolean": True, "array": [1]}
    for name, field in model.model_json_schema()["properties"].items():
        # a model of its own is an object
        kinds = {kind.get("type", "object") for kind in field.get("anyOf", [field])} - {"null"}
        assert kinds, name
        wrong = [value for kind, value in good.items() if kind not in kinds and {kind, *kinds} != {"integer", "number"}]
        for value in (*wrong, "60", "true", {}, [], "1700000000", [True], ["1"], 1700000000):
            if isinstance(value, str) and kinds == {"string"} and name in ("request", "user_name"):
                continue
            if isinstance(value, int) and not isinstance(value, bool) and kinds & {"integer", "number"}:
                continue
            with pytest.raises(ValidationError):
                model.model_validate({**least, name: value})
