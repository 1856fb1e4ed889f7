"""`make emulator` as a user types it."""

import os
import socket
import subprocess
import sys

import pytest

from warehouse.settings import PROJECT_ROOT


@pytest.mark.parametrize("port", [None, 70000])
def test_a_port_that_cannot_be_used_is_said_in_a_sentence(port: int | None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = port or taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "tests.emulator", "--port", str(port)],
            cwd=PROJECT_ROOT,
            env=dict(os.environ),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1 and done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: port {port} cannot be used (")
