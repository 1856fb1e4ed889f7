"""One kind of request cannot keep the connections from another, and a database that says nothing holds up no watcher."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from service import tokens
from service.app import create
from service.routes.health import DATABASE_SECONDS, SHARES_SECONDS
from service.settings import ServiceSettings
from service.tenancy import HEAVY, PUBLIC, READS, WRITES
from tests.service.conftest import TOKEN, Api
from warehouse.database import Database

AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}


def test_however_many_contexts_wait_everyone_else_is_answered(api: Api) -> None:
    workload = api.submit()["workload_id"]
    with ThreadPoolExecutor(30) as threads, api.database.connect() as connection:
        connection.execute("begin; lock table app.compute_assets in access exclusive mode")
        waiting = [threads.submit(api.client.get, "/agents/compute/context") for _ in range(20)]
        for _ in range(3):
            assert api.client.get("/workloads").status_code == 200
            assert api.client.get(f"/workloads/{workload}").status_code == 200
            assert api.client.get("/regions/opportunities").status_code == 200
            assert api.client.get("/readyz").status_code == 200
        assert not all(each.done() for each in waiting), "they were answered while the others waited"
        connection.execute("rollback")
        answers = {each.result().status_code for each in waiting}
    assert 200 in answers and answers <= {200, 503}


@pytest.mark.parametrize("kind", [READS, HEAVY, WRITES, PUBLIC], ids=lambda kind: kind.name)
def test_every_wait_has_a_bound(kind: object) -> None:
    assert isinstance(kind, type(READS))
    assert 0 < kind.statement_seconds <= kind.total_seconds and 0 < kind.wait_seconds < kind.total_seconds


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/workloads", "reads"),
        ("/agents/head/context", "heavy"),
        ("/agents/energy/context", "heavy"),
        ("/windows/best", "heavy"),
        ("/", "public"),
        ("/regions/13", "public"),
    ],
)
def test_each_kind_of_route_has_connections_and_a_time_limit_of_its_own(api: Api, path: str, name: str) -> None:
    (begun,) = api.query("select clock_timestamp()")[0]
    assert api.client.get(path).status_code == 200
    used = api.query(
        "select distinct application_name from pg_stat_activity where application_name like %s and query_start >= %s "
        "and query not ilike %s",  # a connection that is being opened for later
        "energy-service %",
        begun,
        "set %",
    )
    for own in ("heavy", "public"):
        assert ((f"energy-service {own}",) in used) == (name == own)


class Silent:
    """A way to the database that can fall silent: it accepts everything, and says nothing."""

    def __init__(self, database: Database):
        self.hangs = threading.Event()
        self._target = (database.host, database.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._open.append(client)
                threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        with suppress(OSError), socket.create_connection(self._target) as server:
            back = threading.Thread(target=self._copy, args=(server, client), daemon=True)
            back.start()
            self._copy(client, server)
            client.close()

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if self.hangs.is_set():
                    continue
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        for each in (self._listener, *self._open):
            with suppress(OSError):  # a thread that waits at it is woken, which closing alone does not do
                each.shutdown(socket.SHUT_RDWR)
            each.close()


@contextmanager
def over(silent: Silent, grid: Database) -> Iterator[TestClient]:
    through = replace(grid, host="127.0.0.1", port=silent.port)
    settings = ServiceSettings(service_outlook_seconds=0.001)
    with TestClient(create(through, settings), headers=AUTHORIZED) as client:
        yield client


@pytest.mark.slow
def test_a_database_that_accepts_and_says_nothing_is_said_while_others_still_wait_for_it(grid: Database) -> None:
    tokens.register(grid, TOKEN, label="tests")
    silent = Silent(grid)
    try:
        with over(silent, grid) as client, ThreadPoolExecutor(20) as threads:
            assert client.get("/workloads").status_code == client.get("/readyz").status_code == 200
            silent.hangs.set()
            held_up = threads.submit(client.get, "/workloads")
            watched = [threads.submit(client.get, path) for path in ("/readyz", "/metrics") * 6]
            answers = [each.result() for each in watched]
            assert not held_up.done(), "who watches waits for nobody"
            assert DATABASE_SECONDS + SHARES_SECONDS < 2, "and is answered within two seconds"
            assert [each.status_code for each in answers] == [503, 200] * 6
            assert held_up.result().status_code == 503, "and that has an end too"
            silent.hangs.clear()
            while client.get("/readyz").status_code != 200:  # well again by itself
                pass
    finally:
        silent.close()


def test_a_database_that_is_gone_is_reported_at_once(grid: Database) -> None:
    tokens.register(grid, TOKEN, label="tests")
    silent = Silent(grid)
    with over(silent, grid) as client:
        assert client.get("/readyz").status_code == 200
        silent.close()
        assert client.get("/readyz").status_code == 503
        assert client.get("/metrics").status_code == 200
        answer = client.get("/workloads")
        assert answer.status_code == 503 and "Traceback" not in answer.text


_LONG = "between 9am and 10pm on fri, 5 kW or 1 1 1 " * 45


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/submit_tasks", {"tasks": [{"request": _LONG}] * 30}),
        (
            "/submit_task",
            {
                "request": "Render", "power_profile_kw": [1.0 + at % 7 for at in range(60)], "is_interruptible": True,
                "max_chunks": 48, "min_chunk_minutes": 1, "resume_overhead_minutes": 1,
            },
        ),
    ],
)  # fmt: skip
def test_what_takes_the_processor_long_leaves_the_others_their_turns(
    api: Api, path: str, body: dict[str, object]
) -> None:
    api.operator("House", is_default=True)
    assert api.client.get("/healthz").status_code == 200
    with ThreadPoolExecutor(1) as threads:
        sent = threads.submit(api.client.post, path, json=body)
        turns = 0
        while not sent.done():
            assert api.client.get("/healthz").status_code == 200
            turns += 1
        assert sent.result().status_code in (200, 201), sent.result().text
    assert turns >= 8, "the others were answered while it went on"


def test_a_search_beyond_the_bound_is_refused_and_says_what_to_ask_instead(api: Api) -> None:
    api.operator("House", is_default=True)
    asked = {
        "power_kw": 5, "duration_minutes": 1800, "is_interruptible": True, "max_chunks": 48, "min_chunk_minutes": 1,
        "carbon_cap_gco2_kwh": 900, "deadline": (datetime.now(UTC) + timedelta(days=5)).isoformat(),
    }  # fmt: skip
    refused = api.submit(status=422, **asked)
    assert all(words in refused["detail"] for words in ("1800 minutes", "48 chunks", "smaller max_chunks"))
    assert api.submit(**{**asked, "max_chunks": 3})["status"] in ("scheduled", "pending")
    profile = [1.0 + at % 3 for at in range(90)]
    windows = {"is_interruptible": True, "max_chunks": 12, "min_chunk_minutes": 220, "power_profile_kw": profile}
    windows |= {"duration_minutes": 2700, "deadline": asked["deadline"]}
    assert api.client.get("/windows/best", params=windows).status_code in (200, 422)
    assert api.query("select count(*) from app.compute_workloads") == [(1,)]
