"""`query` attacked: by its front door, and with the outer fence taken away."""

import anyio
import httpx
import psycopg
import pytest
from mcp import Client

from service.mcp.reading import Reader, rows_of
from service.problems import Problem
from tests.service.mcp.calling import error, over_http, result
from tests.service.mcp.test_statements import REFUSED
from warehouse.database import Database, Role, existing_roles


@pytest.mark.slow
def test_no_attack_goes_through_the_front_door(served: httpx.Client) -> None:
    async def use(client: Client) -> None:
        for statement in REFUSED:
            if statement and "\0" not in statement:
                assert await error(client, "query", sql=statement)
        for view in ("operator_summary", "user_workload_summary", "workload_opportunities"):
            assert "permission denied" in await error(client, "query", sql=f"select * from {view}")
        assert "longer than" in await error(
            client, "query", sql="select geometry, geometry, geometry, geometry from regions"
        )
        many = await result(client, "query", sql="select g from generate_series(1, 100000) as t (g)", limit=1000)
        assert many["row_count"] == 1000 and many["is_truncated"]
        assert "too long" in await error(
            client, "query", sql="select count(*) from generate_series(1, 100000000000) as t (g)"
        )
        assert (await result(client, "query", sql="select count(*) from regions"))["rows"] == [[18]], "it answers still"

    over_http(served, use)


@pytest.fixture
def reader(grid: Database) -> Database:
    if Role.READER not in existing_roles(grid) or grid.login(Role.READER) is grid:
        pytest.skip("the user of this server cannot make a login for readers")
    return grid


@pytest.mark.parametrize(
    "statement",
    [
        "delete from regions",
        "create table mine (a int)",
        "create temporary table mine (a int)",
        "set transaction read write; delete from regions",
        "select 1; delete from regions",
        "commit; delete from regions",
        "select pg_read_file('/etc/passwd')",
        "select lo_import('/etc/passwd')",
        "copy regions to '/tmp/regions'",
        "copy (select 1) to program 'id'",
        "set role energy_loader",
        "set role energy_service",
        "set session authorization postgres",
        "select * from app.users",
        "select * from app.compute_workloads",
        "select * from ops.logins",
        "select * from staging.carbon_intensity__regional_payloads",
        "select * from intermediate.published_payloads",
        "select * from pg_authid",
        "select rolpassword from pg_shadow",
        "select * from user_workload_summary",
        "alter role current_user superuser",
        "select pg_sleep(60)",
    ],
)
def test_without_the_outer_fence_the_reader_can_do_nothing_either(reader: Database, statement: str) -> None:
    with pytest.raises((Problem, psycopg.errors.QueryCanceled)):
        anyio.run(rows_of, reader, statement)


def test_what_a_query_sets_is_gone_with_its_connection(reader: Database) -> None:
    anyio.run(rows_of, reader, "select set_config('statement_timeout', '0', false), set_config('role', 'none', false)")
    assert anyio.run(
        rows_of, reader, "select current_setting('statement_timeout'), current_setting('transaction_read_only')"
    ) == [("5s", "on")]
    names, rows, more = anyio.run(
        Reader(reader).query, "select region_id as a, region_id as a, null from regions order by 1", 2
    )
    assert (names, rows, more) == (["a", "a", "?column?"], [[1, 1, None], [2, 2, None]], True)
