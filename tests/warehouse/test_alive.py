"""A connection whose server has gone, or says nothing, ends: whoever opened it, and however."""

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from service.tenancy import READS, connected, pool
from tests.service.test_fairness import Silent
from warehouse.cut_off import cut_off
from warehouse.database import ALIVE, Database, Role, parse


def options_of(connection: psycopg.Connection | psycopg.AsyncConnection) -> tuple[int, ...]:
    """How the kernel watches this connection."""
    with socket.socket(fileno=os.dup(connection.fileno())) as twin:
        names = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
        found = tuple(twin.getsockopt(socket.IPPROTO_TCP, name) for name in names)
        return (twin.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), *found)


EXPECTED = (1, 10, 5, 3, 20_000)


@pytest.mark.parametrize("role", [None, *Role])
def test_every_connection_notices_that_the_server_is_gone(database: Database, role: Role | None) -> None:
    with database.connect(role=role) as connection:
        assert options_of(connection) == EXPECTED
    given = conninfo_to_dict(database.url(role=role))
    assert {name: str(given[name]) for name in ALIVE} == ALIVE, "and whoever connects by a URL: ADBC, dlt, pools"


def test_the_pools_of_the_service_do_too(database: Database) -> None:
    async def of_pool() -> tuple[int, ...]:
        async with pool(database, READS) as connections, connected(connections) as connection:
            return options_of(connection)

    assert asyncio.run(of_pool()) == EXPECTED


def test_database_url_takes_precedence(database: Database) -> None:
    other = parse(f"{database.address()}?keepalives_idle=77")
    with other.connect() as connection:
        assert options_of(connection) == (1, 77, 5, 3, 20_000)


@pytest.fixture
def silent(database: Database) -> Iterator[Silent]:
    made = Silent(database)
    yield made
    made.close()


def test_whoever_waits_for_a_server_that_says_nothing_is_cut_off(database: Database, silent: Silent) -> None:
    through = replace(database, host="127.0.0.1", port=silent.port)
    with through.connect() as connection, cut_off(connection, 1):
        silent.hangs.set()
        begun = time.monotonic()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
        assert time.monotonic() - begun < 5
