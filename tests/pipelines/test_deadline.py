"""Connecting under a deadline: the addresses of a name are tried in turn, and all of them have one end."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from pipelines.client import UpstreamClient
from pipelines.settings import PipelineSettings
from tests.emulator import Emulator

NAME = "many.example"
PATH = "/intensity/2024-01-01T00:30Z/2024-01-01T12:00Z"


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """The machine's resolver knows NAME by these addresses."""
    real = socket.getaddrinfo

    def look_up(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host != NAME:
            return real(host, port, *args, **kwargs)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port whose backlog is full: it drops the packets of further connections, as a firewall does."""
    with ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        time.sleep(0.2)
        yield full.getsockname()[1]


def test_a_name_with_many_silent_addresses_has_one_end(silent_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, *["127.0.0.1"] * 40)
    patient = PipelineSettings(
        http_attempts=1,
        http_connect_timeout_seconds=1.0,
        http_total_timeout_seconds=1.5,
        http_request_seconds=2.0,
    )
    begun = time.monotonic()
    answer = UpstreamClient(f"http://{NAME}:{silent_port}", settings=patient).get(PATH)
    assert time.monotonic() - begun < 20, "not a second for each of forty addresses"
    assert answer.failure


def test_an_address_that_refuses_is_followed_by_the_next(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, "127.0.0.2", "127.0.0.1")
    port = emulator.settings["CARBON_INTENSITY_URL"].rsplit(":", 1)[1]
    client = UpstreamClient(f"http://{NAME}:{port}", settings=PipelineSettings(http_attempts=1))
    for _ in range(2):
        answer = client.get(PATH)
        assert (answer.status, answer.failure) == (200, None)
        assert NAME in answer.url


def test_a_name_that_nobody_answers_for_is_unreachable_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        resolve_to(monkeypatch, "127.0.0.1", "127.0.0.2")
        client = UpstreamClient(f"http://{NAME}:{unused.getsockname()[1]}", settings=PipelineSettings(http_attempts=1))
        assert "refused" in (client.get(PATH).failure or "")
        assert "not requested" in (client.get(PATH).failure or "")
