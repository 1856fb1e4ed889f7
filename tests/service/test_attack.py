"""Attacks without a token against a real process with few descriptors: a token in use is answered throughout."""

import re
import resource
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import httpx
import psutil

from service import tokens
from tests.service.conftest import TOKEN
from tests.service.test_serve import environment
from warehouse.database import Database
from warehouse.settings import PROJECT_ROOT

DESCRIPTORS = 300


def test_made_up_tokens_and_slow_connections_do_not_shut_out_a_token(grid: Database, session_dir: Path) -> None:
    tokens.register(grid, TOKEN, label="tests")
    settings = {
        "DATABASE_URL": grid.address(),
        "DATA_DIR": str(session_dir),
        "SERVICE_TOKEN": TOKEN,
        "SERVICE_RECEIVE_SECONDS": "2",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "service"],
        cwd=PROJECT_ROOT, env=environment(**settings), stdout=subprocess.PIPE, text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS)),
    )  # fmt: skip
    try:
        assert process.stdout
        address = re.search(r"http://([0-9.]+):([0-9]+)", process.stdout.readline())
        assert address
        host, port = address[1], int(address[2])
        with ExitStack() as stack:
            good = stack.enter_context(
                httpx.Client(base_url=address[0], headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60)
            )
            bad = stack.enter_context(httpx.Client(base_url=address[0], timeout=60))
            assert good.get("/workloads").status_code == 200
            running = psutil.Process(process.pid)
            threads, descriptors = running.num_threads(), running.num_fds()
            for number in range(10_000):
                answer = bad.get(
                    "/workloads",
                    headers={"Authorization": f"Bearer {number}", "X-Forwarded-For": f"192.0.2.{number % 250}"},
                )
                assert answer.status_code in (401, 429)
                if number % 1000 == 0:
                    assert good.get("/workloads").status_code == 200
            assert answer.status_code == 429, "each new token has no new count"
            assert running.num_threads() <= threads + 4 and running.num_fds() <= descriptors + 10
            slow = []
            for _ in range(2 * DESCRIPTORS):
                connection = stack.enter_context(socket.create_connection((host, port), timeout=30))
                connection.sendall(b"GET /workloads HTTP/1.1\r\nHost: x\r\nX-")
                slow.append(connection)
            with httpx.Client(base_url=address[0], headers=good.headers, timeout=60) as fresh:
                assert fresh.get("/workloads").status_code == 200
            assert running.num_fds() < DESCRIPTORS
            for connection in slow[-3:]:  # cut off, without an answer
                try:
                    assert connection.recv(1) == b""
                except ConnectionError:
                    pass
            body = stack.enter_context(socket.create_connection((host, port), timeout=30))
            body.sendall(b"POST /submit_task HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
            assert re.match(rb"HTTP/1.1 (408|429) ", body.recv(100))
    finally:
        process.terminate()
        process.wait(30)
