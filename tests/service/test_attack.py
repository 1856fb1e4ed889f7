"""Attacks without a token against a real process with few descriptors: a token in use is answered throughout."""

import re
import resource
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

import httpx
import psutil
import pytest

from service import tokens
from tests.service.conftest import TOKEN
from tests.service.test_serve import environment
from warehouse.database import Database
from warehouse.settings import PROJECT_ROOT

DESCRIPTORS = 300


@pytest.mark.slow
def test_made_up_tokens_and_slow_connections_do_not_shut_out_a_token(grid: Database, session_dir: Path) -> None:
    attack(grid, session_dir, descriptors=DESCRIPTORS, made_up=2_000, slow=2 * DESCRIPTORS)


def attack(grid: Database, session_dir: Path, *, descriptors: int, made_up: int, slow: int) -> list[float]:
    """Made-up tokens, connections that never send their headers, idle ones. Seconds of each request with a token."""
    tokens.register(grid, TOKEN, label="tests")
    settings = {
        "DATABASE_URL": grid.address(),
        "DATA_DIR": str(session_dir),
        "SERVICE_TOKEN": TOKEN,
        "SERVICE_RECEIVE_SECONDS": "2",
    }
    waited: list[float] = []

    def ask(client: httpx.Client) -> None:
        begun = monotonic()
        assert client.get("/workloads").status_code == 200
        waited.append(monotonic() - begun)

    with ExitStack() as stack:
        process = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "service"],
                cwd=PROJECT_ROOT, env=environment(**settings), stdout=subprocess.PIPE, text=True,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors)),
            )
        )  # fmt: skip
        stack.callback(process.terminate)
        assert process.stdout
        address = re.search(r"http://([0-9.]+):([0-9]+)", process.stdout.readline())
        assert address
        host, port = address[1], int(address[2])
        authorized = {"Authorization": f"Bearer {TOKEN}"}
        good = stack.enter_context(httpx.Client(base_url=address[0], headers=authorized, timeout=60))
        bad = stack.enter_context(httpx.Client(base_url=address[0], timeout=60))
        ask(good)
        running = psutil.Process(process.pid)
        for number in range(made_up):
            answer = bad.get(
                "/workloads",
                headers={"Authorization": f"Bearer {number}", "X-Forwarded-For": f"192.0.2.{number % 250}"},
            )
            assert answer.status_code in (401, 429)
            if number == made_up // 10:  # whatever it makes once is made
                threads, open_files, memory = running.num_threads(), running.num_fds(), running.memory_info().rss
            if number % (made_up // 20) == 0:
                ask(good)
        assert running.num_threads() <= threads + 4 and running.num_fds() <= open_files + 10
        assert running.memory_info().rss < 1.25 * memory, "memory stays flat"
        connections = []
        for number in range(slow):
            connection = stack.enter_context(socket.create_connection((host, port), timeout=30))
            connection.sendall(b"GET /workloads HTTP/1.1\r\nHost: x\r\nX-")
            connections.append(connection)
            if number % (slow // 20) == 0:
                ask(good)
                with httpx.Client(base_url=address[0], headers=authorized, timeout=60) as fresh:
                    ask(fresh)
        for number in range(slow):  # these get an answer, and stay
            connection = stack.enter_context(socket.create_connection((host, port), timeout=30))
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(1000).startswith(b"HTTP/1.1 ")
            if number % (slow // 20) == 0:
                ask(good)
                with httpx.Client(base_url=address[0], headers=authorized, timeout=60) as fresh:
                    ask(fresh)
        followers = []
        for _ in range(descriptors // 2):  # these ask for events, which need no token and have no end
            follower = stack.enter_context(socket.create_connection((host, port), timeout=30))
            follower.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
            followers.append(follower.recv(15))
        assert {b"HTTP/1.1 200 OK", b"HTTP/1.1 503 Se"} == set(followers)
        with httpx.Client(base_url=address[0], headers=authorized, timeout=60) as fresh:
            ask(fresh)
        assert running.num_fds() < descriptors
        assert running.memory_info().rss < 1.5 * memory
        for connection in connections[-3:]:  # cut off, without an answer
            try:
                assert connection.recv(1) == b""
            except ConnectionError:
                pass
        body = stack.enter_context(socket.create_connection((host, port), timeout=30))
        body.sendall(b"POST /submit_task HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert re.match(rb"HTTP/1.1 (408|429) ", body.recv(100))
    return waited
