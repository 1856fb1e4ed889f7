"""Who sees what: nobody without a token, an operator its own rows alone, a reader of the data no person at all."""

import hashlib
from typing import Any

import httpx
import psycopg
import pytest
from cachetools import TTLCache
from fastapi.testclient import TestClient

from flows.process_logs import ERROR_LINE
from service import tokens
from service.access import REVOKED_AFTER_SECONDS
from service.app import create
from service.settings import ServiceSettings
from tests.service.conftest import TOKEN, Api
from tests.warehouse.app_rows import chunk_ran
from warehouse.database import Database, Role

PAGES = {"/", "/when", "/regions/{region_id}", "/trust", "/trust/held", "/data", "/data/{name}.{ending}"}
OPEN = {*PAGES, "/healthz", "/readyz", "/metrics", "/problems/{name}"}
TABLES = (
    *("operators", "users", "compute_assets", "compute_workloads", "workload_placements", "placement_chunks"),
    *("workload_counts", "agent_negotiations", "workload_claims", "operator_callbacks", "callback_events"),
    "workload_chunk_runs",
)
FORGOTTEN = {"operator_callbacks", "callback_events"}
"""Rows that an operator, or time, takes away"""
SUMMARIES = ("operator_summary", "user_workload_summary", "workload_opportunities")
OF_RECEIPTS = ("savings_daily", "decision_quality")
"""Also only its own operator's, as tests/dbt_project/test_savings.py shows"""
ADDRESS = "researcher@example.com"


@pytest.fixture
def two(api: Api) -> tuple[str, str]:
    """Two operators, each with an asset, a user, a workload with its events, and a claim of it; their ids."""
    ids = []
    for name in ("Alpha", "Beta"):
        ids.append(api.operator(name))
        api.query(
            "insert into app.operator_callbacks values (%s, 'http://192.0.2.1/', 'whsec_' || repeat('a', 44))", ids[-1]
        )
        api.asset(ids[-1], f"rack of {name}")
        api.submit(f"Train for {name}", user_email=f"{name}@example.com", headers=api.token(name))
    api.query(
        "insert into app.workload_claims "
        "(workload_id, operator_id, attempt, runner, lease_seconds, leased_until, ended_at, outcome) "
        "select workload_id, operator_id, 1, 'a runner', 60, now(), now(), 'lost' from app.compute_workloads"
    )
    with api.database.connect() as connection:
        for (workload_id,) in connection.execute("select workload_id from app.compute_workloads").fetchall():
            chunk_ran(connection, workload_id)
    return ids[0], ids[1]


def test_every_route_but_the_open_ones_asks_for_a_token(api: Api) -> None:
    headers = ("", "Bearer", "Bearer ", "Basic eA==", "Bearer unknown", TOKEN, "Bearer é")
    asked = 0
    for path, methods in api.get("/openapi.json")["paths"].items():
        url = path.replace("{workload_id}", "00000000-0000-0000-0000-000000000000")
        for method in methods if path not in OPEN else ():
            for header in headers:
                answer = api.client.request(
                    method, url, headers={"Authorization": header.encode("latin-1")}, json={"request": "x", "status": "running"}
                )  # fmt: skip
                assert answer.status_code == 401, (method, path, header)
                assert answer.json()["detail"] and answer.headers["www-authenticate"] == "Bearer"
            asked += 1
    assert asked >= 9
    assert api.query("select count(*) from app.compute_workloads") == [(0,)]


def test_a_token_that_was_revoked_is_not_let_in(grid: Database) -> None:
    old, new = (tokens.make(grid, operator=None, label="the same") for _ in range(2))
    with TestClient(create(grid, ServiceSettings())) as client:
        statuses = [
            client.get("/workloads", headers={"Authorization": f"Bearer {token}"}).status_code for token in (old, new)
        ]
    assert statuses == [401, 200]


def test_a_token_in_constant_use_is_refused_soon_after_it_was_revoked(grid: Database) -> None:
    token = tokens.make(grid, operator=None, label="the same")
    app = create(grid, ServiceSettings())
    clock = [0.0]
    app.state.service.callers = TTLCache(1000, REVOKED_AFTER_SECONDS, timer=lambda: clock[0])
    with TestClient(app, headers={"Authorization": f"Bearer {token}"}) as client:
        assert client.get("/workloads").status_code == 200
        tokens.make(grid, operator=None, label="the same")
        statuses = []
        for _ in range(8):
            clock[0] += REVOKED_AFTER_SECONDS / 5
            statuses.append(client.get("/workloads").status_code)
    assert statuses[-4:] == [401] * 4


def test_tokens_are_kept_as_hashes_alone_and_the_service_cannot_list_them(api: Api) -> None:
    token = tokens.make(api.database, operator=None, label="other")
    kept = api.query("select token_sha256, t::text from app.operator_tokens as t where label = 'other'")
    assert bytes(kept[0][0]) == hashlib.sha256(token.encode()).digest()
    assert token not in kept[0][1] and token.removeprefix(tokens.PREFIX) not in kept[0][1]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        api.under(Role.SERVICE, "select * from app.operator_tokens", speaking_for="all")


def test_an_operator_sees_nothing_of_another(api: Api, two: tuple[str, str]) -> None:
    headers = api.token("Alpha")
    theirs = api.query("select workload_id::text from app.compute_workloads where operator_id = %s", two[1])[0][0]
    user = api.query("select user_id::text from app.users where operator_id = %s", two[1])[0][0]
    for path in (f"/workloads/{theirs}", f"/workloads/{theirs}/decision"):
        assert api.get(path, 404, headers=headers)["detail"] == f"there is no workload {theirs}"
    assert api.client.patch(f"/workloads/{theirs}", json={"status": "cancelled"}, headers=headers).status_code == 404
    assert api.client.post(f"/workloads/{theirs}/placement", headers=headers).status_code == 404
    for query in ({"user_email": "beta@example.com"}, {"user_id": user}):
        assert api.get("/workloads", params=query, headers=headers)["workloads"] == []
    assert len(api.get("/workloads", headers=headers)["workloads"]) == 1
    contexts = [api.get(f"/agents/{agent}/context", headers=headers) for agent in ("energy", "compute", "head")]
    everything = str([*contexts, api.get("/workloads", headers=headers)])
    assert "rack of Alpha" in everything and "alpha@example.com" in everything
    for word in ("Beta", "beta", two[1], theirs, user):
        assert word not in everything
    assert len(api.get("/agents/head/context")["operators"]) == 2, "the platform sees both"
    assert api.query("select status from app.compute_workloads where workload_id = %s", theirs) == [("scheduled",)]


def test_an_asset_of_another_operator_cannot_be_asked_for(api: Api, two: tuple[str, str]) -> None:
    theirs = api.query("select asset_id::text from app.compute_assets where operator_id = %s", two[1])[0][0]
    assert "no active asset" in api.submit(asset_id=theirs, headers=api.token("Alpha"), status=422)["detail"]


def test_the_database_shows_the_service_one_operator_at_a_time(api: Api, two: tuple[str, str]) -> None:
    relations = [*(f"app.{table}" for table in TABLES), *SUMMARIES]
    for relation in relations:
        count = f"select operator_id::text, count(*) > 0 from {relation} group by 1"
        assert api.under(Role.SERVICE, count) == [], relation
        assert api.under(Role.SERVICE, count, speaking_for="") == [], relation
        assert api.under(Role.SERVICE, count, speaking_for=two[0]) == [(two[0], True)], relation
        assert len(api.under(Role.SERVICE, count, speaking_for="all")) == 2, relation


def test_the_database_lets_the_service_write_for_one_operator_at_a_time(api: Api, two: tuple[str, str]) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        insert = "insert into app.users (email, operator_id) values ('x@example.com', %s) returning 1"
        api.under(Role.SERVICE, insert, two[1], speaking_for=two[0])
    update = "update app.compute_workloads set status = 'cancelled' where operator_id = %s returning 1"
    assert api.under(Role.SERVICE, update, two[1], speaking_for=two[0]) == []
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied for table users"):
        move = "update app.users set operator_id = %s returning 1"
        api.under(Role.SERVICE, move, two[1], speaking_for=two[0])
    for table in set(TABLES) - FORGOTTEN:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            api.under(Role.SERVICE, f"delete from app.{table} returning 1", speaking_for="all")


def test_a_reader_of_the_data_cannot_read_of_people(api: Api, two: tuple[str, str]) -> None:
    for relation in [*(f"app.{table}" for table in TABLES), "app.operator_tokens", *SUMMARIES, *OF_RECEIPTS]:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            api.under(Role.READER, f"select * from {relation} limit 1", speaking_for="all")


def test_no_address_is_in_anything_that_a_reader_can_read(api: Api) -> None:
    api.submit(f"Train for {ADDRESS}", user_email=ADDRESS, user_name=ADDRESS)
    granted = api.under(
        Role.READER,
        "select c.relname from pg_class as c join pg_namespace as n on n.oid = relnamespace where relkind = any(%s) "
        "and n.nspname not in ('pg_catalog', 'information_schema') and has_schema_privilege(n.oid, 'usage') "
        "and has_table_privilege(c.oid, 'select')",
        list("rvmfp"),
    )
    readable = {relation for (relation,) in granted} - {
        *SUMMARIES,
        *OF_RECEIPTS,
    }  # that those are refused is shown above
    assert len(readable) > 20
    for relation in readable:
        found = f"select r::text from public.{relation} as r where strpos(r::text, '@example.com') > 0 limit 1"
        assert api.under(Role.READER, found) == [], relation
    named = api.under(Role.READER, "select table_name from information_schema.columns where column_name ~ 'mail'")
    assert not {table for (table,) in named} & readable


def test_no_address_is_in_the_log(served: httpx.Client, grid: Database, log_of_served: Any) -> None:
    statuses = [
        served.post("/submit_task", json={"request": f"Train for {ADDRESS}", "user_email": ADDRESS}),
        served.post("/submit_task", json={"request": "x", "user_email": f"{ADDRESS}@"}),
        served.post("/submit_task", json={"request": ADDRESS, ADDRESS: 1}),
        served.post("/submit_task", content=ADDRESS.encode()),
        served.get("/workloads", params={"user_email": ADDRESS}),
        served.get(f"/{ADDRESS}"),
        served.get(f"/workloads/{ADDRESS}"),
    ]
    assert [answer.status_code for answer in statuses] == [201, 422, 422, 422, 200, 404, 422]
    log = log_of_served.read_text()
    assert "POST /submit_task 201" in log and "GET /workloads 200" in log
    assert "example" not in log.lower()


def test_no_address_is_in_the_log_when_the_database_refuses_a_row(
    served: httpx.Client, grid: Database, log_of_served: Any
) -> None:
    with grid.connect() as connection:
        connection.execute("alter table app.compute_workloads add constraint nothing check (false)")
    answer = served.post("/submit_task", json={"request": f"Train for {ADDRESS}", "user_email": ADDRESS})
    assert answer.status_code >= 500 and "example" not in answer.text
    log = log_of_served.read_text()
    assert "example" not in log.lower()
    assert ERROR_LINE.search(log), "what watches the logs of the stack sees it"


def test_it_is_served_to_this_machine_alone_unless_set_otherwise(
    served: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SERVICE_HOST", raising=False)
    assert served.base_url.host == ServiceSettings(_env_file=None).service_host == "127.0.0.1"  # type: ignore[call-arg]
    assert "server" not in served.get("/healthz").headers
