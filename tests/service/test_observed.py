"""An attack is seen: what is refused before it reaches a route is in the figures, and in a few lines of the log."""

import logging
import re
import socket
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from service.app import create
from service.settings import ServiceSettings
from warehouse.database import Database


def counted(client: TestClient, status: int) -> int:
    time.sleep(1.05)  # what /metrics says is kept for a second
    found = re.findall(
        rf'^energy_requests_total{{.*status="{status}"}} (\S+)$', client.get("/metrics").text, flags=re.M
    )
    return int(sum(map(float, found)))


def test_refusals_are_counted_each_and_logged_in_a_few_lines(grid: Database, caplog: pytest.LogCaptureFixture) -> None:
    settings = ServiceSettings(service_requests_per_minute=20, service_max_body_bytes=1000)
    with TestClient(create(grid, settings)) as client, caplog.at_level(logging.INFO, logger="service"):
        for number in range(5):
            assert client.get("/workloads", headers={"Authorization": f"Bearer {number}"}).status_code == 401
        for _ in range(5):
            assert client.post("/submit_task", content=b"x" * 2000).status_code == 413
        statuses = [client.get("/no/such/route").status_code for _ in range(40)]
        assert statuses == [404] * 10 + [429] * 30
        assert [counted(client, status) for status in (401, 413, 429)] == [5, 5, 30]
    lines = [record.getMessage() for record in caplog.records if record.name == "service"]
    refused = [line for line in lines if line.startswith("requests refused")]
    assert refused == [f"requests refused with {status}: 1" for status in (401, 413, 429)]
    assert not [line for line in lines if re.search(r" (401|413|429) ", line)]


@pytest.mark.slow
def test_how_many_more_were_refused_is_logged_after_some_seconds(
    grid: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with TestClient(create(grid, ServiceSettings(service_requests_per_minute=1))) as client:
        for _ in range(8):
            client.get("/no/such/route")
        time.sleep(11)
    assert "requests refused with 429: 6" in [record.getMessage() for record in caplog.records]


@pytest.mark.slow
def test_connections_that_are_cut_off_are_counted_and_logged(served: httpx.Client, log_of_served: Path) -> None:
    slow = [socket.create_connection((served.base_url.host, served.base_url.port or 80)) for _ in range(3)]
    for one in slow:
        one.sendall(b"GET /workloads HTTP/1.1\r\nX-")
    for one in slow:
        one.settimeout(30)
        with suppress(ConnectionError):
            assert one.recv(1) == b""
        one.close()
    time.sleep(1)
    assert 'energy_connections_cut_off_total{why="no headers in time"} 3.0' in served.get("/metrics").text
    assert log_of_served.read_text().count("connections cut off, no headers in time: 1") == 1
