"""Files of series by `python -m service`: memory does not grow with them, and nothing holds their connections for ever."""

import io
import os
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import psutil
import pyarrow.csv
import pyarrow.parquet
import pytest

from tests.service.conftest import TOKEN
from warehouse.database import Database

YEAR = """
insert into carbon_intensity_regional
    (region_id, period_start, period_end, forecast_gco2_kwh, intensity_index, payload_id, is_synthetic, fetched_at, updated_at)
select region_id, at, at + interval '30 minutes', 150 + 100 * sin(extract(epoch from at) / 13751 + region_id), 'low',
    '00000000-0000-0000-0000-000000000000', false, at, at
from generate_series(1, 18) as region_id
cross join generate_series(0, 17519) as n
cross join lateral (select timestamptz '2024-01-01 00:00Z' + n * interval '30 minutes' as at)
on conflict do nothing
"""
ROWS = 18 * 17_520
PATH = "/series/carbon_intensity_regional_forecast?from=2024-01-01T00:00Z&to=2024-12-30T23:59Z&format="
GROWTH_MB = 50


@pytest.fixture
def year(grid: Database) -> None:
    """A year of regional intensity."""
    with grid.connect() as connection:
        connection.execute(YEAR)
        connection.execute("analyze carbon_intensity_regional")


class Memory:
    """The most that a process holds while something is done, beyond what it held before; MB."""

    def __init__(self, pid: int):
        self._process, self._ends = psutil.Process(pid), threading.Event()
        self._idle = self._peak = self._process.memory_info().rss

    def __enter__(self) -> "Memory":
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._ends.wait(0.005):
            self._peak = max(self._peak, self._process.memory_info().rss)

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()

    @property
    def growth_mb(self) -> float:
        return (self._peak - self._idle) / 1e6


def pid_of(client: httpx.Client) -> int:
    """The process that answers at this address: a child of ours."""
    (pid,) = {
        child.pid
        for child in psutil.Process(os.getpid()).children(recursive=True)
        for connection in child.net_connections("tcp")
        if connection.status == "LISTEN" and connection.laddr.port == client.base_url.port
    }
    return pid


@pytest.mark.slow
@pytest.mark.usefixtures("year")
def test_a_year_of_regional_intensity_takes_no_memory(served: httpx.Client) -> None:
    served.get("/series")
    with Memory(pid_of(served)) as memory:
        for form in ("csv", "parquet", "arrow", "csv", "parquet"):
            with served.stream("GET", PATH + form) as answer:
                assert answer.status_code == 200 and "content-length" not in answer.headers
                body = io.BytesIO(b"".join(answer.iter_bytes()))
            if form == "csv":
                assert pyarrow.csv.read_csv(body).num_rows == ROWS
            elif form == "parquet":
                file = pyarrow.parquet.ParquetFile(body)
                assert (file.metadata.num_rows, file.metadata.num_row_groups > 5) == (ROWS, True)
    assert memory.growth_mb < GROWTH_MB


@pytest.fixture
def asker(served: httpx.Client) -> Iterator[list[socket.socket]]:
    """Clients that ask for a file and take nothing of it."""
    made: list[socket.socket] = []
    yield made
    for one in made:
        one.close()


def ask(client: httpx.Client, path: str) -> socket.socket:
    """Ask, with a small window, and read nothing."""
    asking = socket.socket()
    asking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    asking.connect((client.base_url.host, client.base_url.port))
    asking.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
    return asking


def sessions(database: Database) -> int:
    with database.connect() as connection:
        return connection.execute(  # type: ignore[no-any-return, index]
            "select count(*) from pg_stat_activity where application_name = 'energy-service streams' and datname = %s",
            [database.name],
        ).fetchone()[0]


@pytest.mark.slow
@pytest.mark.usefixtures("year")
def test_clients_that_take_nothing_keep_others_from_files_alone_and_not_for_long(
    served: httpx.Client, grid: Database, asker: list[socket.socket]
) -> None:
    asker += [ask(served, PATH + "csv") for _ in range(4)]
    until = time.monotonic() + 20
    while sessions(grid) < 4 and time.monotonic() < until:
        time.sleep(0.1)
    assert sessions(grid) == 4
    refused = served.get(PATH + "parquet")
    assert (
        refused.status_code == 503 and refused.headers["retry-after"] and "too many files" in refused.json()["detail"]
    )
    assert served.get(PATH + "json").status_code == 200, "others have their own connections"
    asker.pop().close()  # a client that goes gives its connection back
    assert served.get(PATH + "parquet").status_code == 200
    until = time.monotonic() + 60  # and those that stay are cut off
    while sessions(grid) and time.monotonic() < until:
        time.sleep(0.5)
    assert sessions(grid) == 0
    assert served.get(PATH + "arrow").status_code == 200
