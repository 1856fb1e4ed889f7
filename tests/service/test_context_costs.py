"""What a context reads is what it shows: however much work is over, and whoever else has done it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar
from uuid import UUID

import pytest

from service import contexts
from service.contexts import MOST_IN_PATTERNS, Wanted
from service.tenancy import Caller, Connection, pool, speaking_for
from tests.service.conftest import Api
from warehouse.database import Database

USERS, EACH = 30, 100
SUBMITTED = """
insert into app.compute_workloads (operator_id, user_id, request, workload_type, energy_kwh, power_kw, duration_minutes,
    earliest_start, deadline, created_at)
select person.operator_id, user_id, 'Train', %(kind)s, 1, 1, 60, at, at + interval '1 day', at
from app.users as person join app.operators using (operator_id), generate_series(1, %(each)s) as n,
    lateral (
        select now() - n * interval '1 minute' - %(ago)s::interval - right(email, 3)::integer * interval '1 second' as at
    ) as x
where operators.name = %(operator)s
"""
READ = """
select relname, coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) as rows
from pg_stat_xact_user_tables where schemaname = 'app'
"""


@pytest.fixture
def busy(api: Api) -> Iterator[Api]:
    """Two operators whose users have done much, all of it over."""
    for name in ("Alpha", "Beta"):
        of_operator = api.operator(name)
        api.query(
            "insert into app.users (email, operator_id) select format('user@%%s.%%s', %s::text, to_char(n, 'FM000')), %s "
            "from generate_series(1, %s) as n",
            name.lower(), of_operator, USERS,
        )  # fmt: skip
        submit(api, name, each=EACH)
    api.query("update app.compute_workloads set status = 'cancelled'")
    api.query("analyze app.compute_workloads, app.users, app.operators")
    yield api


def submit(api: Api, operator: str, *, each: int, kind: str = "training", ago: str = "0") -> None:
    """So many workloads of each user of that operator, a minute apart, the newest so long ago."""
    with api.database.connect() as connection:
        connection.execute(SUBMITTED, {"operator": operator, "each": each, "kind": kind, "ago": ago})


Read = TypeVar("Read")


def head(database: Database, wanted: Wanted) -> tuple[dict[str, Any], dict[str, int]]:
    """The head agent's context, and how many rows of each table were read for it."""
    return counted(database, wanted, contexts.head)


def counted(
    database: Database, wanted: Wanted, read: Callable[[Connection, Wanted], Awaitable[Read]]
) -> tuple[Read, dict[str, int]]:
    """What is read, and how many rows of each table were read for it."""

    async def run() -> tuple[Read, dict[str, int]]:
        connections = pool(database)
        await connections.open()
        try:
            async with speaking_for(connections, Caller(wanted.operator_id, "tests")) as connection:
                found = await read(connection, wanted)
                rows = await (await connection.execute(READ)).fetchall()
            return found, {row["relname"]: row["rows"] for row in rows}
        finally:
            await connections.close()

    return asyncio.run(run())


def test_a_context_reads_the_work_of_those_it_shows_and_of_no_one_else(busy: Api) -> None:
    (mine,) = busy.query("select operator_id from app.operators where name = 'Alpha'")[0]
    for operator_id in (mine, None):
        context, read = head(busy.database, Wanted(limit=1, operator_id=operator_id))
        assert len(context["users"]) == len(context["operators"]) == len(context["workload_history"]) == 1
        assert context["users"][0]["total_workloads"] == EACH
        assert context["operators"][0]["workload_count"] == USERS * EACH
        assert EACH <= read["compute_workloads"] <= EACH + 3 * USERS + 20, read


WAITING = """
insert into app.compute_workloads (operator_id, request, workload_type, energy_kwh, power_kw, duration_minutes, earliest_start,
    deadline)
select operator_id, 'Train', 'training', 1, 1, 60, now(), now() + interval '1 day' + n * interval '1 second'
from app.operators, generate_series(1, %s) as n where name like 'Other %%'
"""


def test_the_waiting_work_of_others_is_not_read(busy: Api) -> None:
    others = [busy.operator(f"Other {number}") for number in range(20)]
    busy.query(WAITING, EACH)
    busy.query("analyze app.compute_workloads, app.operators")
    found, read = counted(busy.database, Wanted(limit=1, operator_id=UUID(others[0])), contexts.waiting)
    assert [str(row["operator_id"]) for row in found] == [others[0]]
    assert EACH <= read["compute_workloads"] <= EACH + 5, read


def test_the_users_and_operators_of_a_context_are_the_first_of_all(busy: Api) -> None:
    for limit in (1, 7, 2 * USERS):
        context, _ = head(busy.database, Wanted(limit=limit))
        users = busy.query(
            "select user_id from user_workload_summary order by last_submitted_at desc nulls last, user_id limit %s",
            limit,
        )
        assert [(row["user_id"],) for row in context["users"]] == users
        operators = busy.query("select operator_name from operator_summary order by 1 limit %s", limit)
        assert [(row["operator_name"],) for row in context["operators"]] == operators


def test_patterns_are_of_the_newest_workloads(busy: Api) -> None:
    submit(busy, "Alpha", each=MOST_IN_PATTERNS // USERS + 1, kind="build", ago="30 days")
    found = busy.get("/agents/compute/context", headers=busy.token("Alpha"))["workload_patterns"]
    assert sum(row["workloads"] for row in found) == MOST_IN_PATTERNS
    assert sum(row["workloads"] for row in found if row["workload_type"] == "training") == USERS * EACH
