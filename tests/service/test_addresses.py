"""Whom a request counts for: its sender's address, and what a proxy says of it only if that proxy was configured."""

import re
from collections import Counter
from pathlib import Path

import httpx
import pytest

from service.limits import address
from tests.service.conftest import serve
from warehouse.database import Database

PER_MINUTE = 20


@pytest.mark.parametrize(
    ("host", "counts_as"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("::ffff:203.0.113.5", "203.0.113.5"),  # IPv4, as a server that listens at :: is given it
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1%eth0", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_a_sender_is_an_ipv4_address_or_a_network_of_ipv6(host: str, counts_as: str) -> None:
    assert address({"client": (host, 1)}) == counts_as


@pytest.mark.parametrize("proxy", ["", "127.0.0.1", "192.0.2.1"])
def test_a_forwarded_address_counts_only_if_its_proxy_is_configured(
    grid: Database, session_dir: Path, log_of_served: Path, proxy: str
) -> None:
    settings = {"SERVICE_PROXY_ADDRESSES": proxy, "SERVICE_REQUESTS_PER_MINUTE": str(PER_MINUTE)}
    with log_of_served.open("w") as log, serve(grid, session_dir, log, **settings) as process:
        try:
            assert process.stdout
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found
            with httpx.Client(base_url=found[0], timeout=60) as client:

                def ask(sender: str) -> int:
                    headers = {"Authorization": "Bearer made-up", "X-Forwarded-For": sender}
                    return client.get("/workloads", headers=headers).status_code

                many = Counter(ask(f"198.51.100.{n}") for n in range(3 * PER_MINUTE))
                one = Counter(ask("198.51.100.250") for _ in range(3 * PER_MINUTE))
        finally:
            process.terminate()
    is_believed = proxy == "127.0.0.1"
    assert set(many) == ({401} if is_believed else {401, 429}), many
    assert 429 in one, one
