"""Commands in a shell that has PREFECT_API_URL: the server there may be away, refuse it, or be the stack's own of before."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from flows.prefect_api import keep
from tests.commands import run
from tests.energy import Energy

AWAY = "http://127.0.0.1:9/api"
COMMANDS = [("flows.maintenance",), ("flows.refresh", "--datasets", "carbon_intensity__national"), ("flows.replan",)]


@pytest.fixture
def shell_of_before(energy: Energy, tmp_path: Path) -> dict[str, str]:
    """The settings of a shell that read DATA_DIR/prefect.env, before `make down`."""
    variables = {"PREFECT_API_URL": AWAY, "PREFECT_API_AUTH_STRING": "energy:of-before"}
    keep(tmp_path, variables)
    return {**variables, "DATA_DIR": str(tmp_path), "DATABASE_URL": energy.database.address()}


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_while_the_stacks_own_server_is_away_a_run_is_not_tracked(
    shell_of_before: dict[str, str], command: tuple[str, ...]
) -> None:
    done = run(*command, **shell_of_before)
    assert done.returncode == 0, done.stderr
    assert "does not track this run" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_there_is_nothing_to_dispatch_to_while_it_is_away(shell_of_before: dict[str, str]) -> None:
    done = run("flows.dispatch", **shell_of_before)
    assert done.returncode == 2
    assert done.stderr.startswith("error: There is no Prefect to dispatch to") and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", [*COMMANDS, ("flows.dispatch",)], ids=lambda command: command[0])
def test_a_server_of_others_that_is_away_is_said_in_a_line(energy: Energy, command: tuple[str, ...]) -> None:
    done = run(*command, PREFECT_API_URL=AWAY)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: PREFECT_API_URL: the Prefect server at {AWAY} does not answer (")
    assert energy.value("select count(*) from ops.runs") == 0, "nothing was done"


def test_a_password_that_is_refused_is_said_in_a_line(energy: Energy) -> None:
    with a_server_that_refuses() as url:
        done = run("flows.maintenance", PREFECT_API_URL=url, PREFECT_API_AUTH_STRING="energy:s3cret")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "refuses the user and password of PREFECT_API_AUTH_STRING" in line and "s3cret" not in line


@contextmanager
def a_server_that_refuses() -> Iterator[str]:
    """Whatever it is asked, it lets nobody in; its address as that of an API."""

    class Refuses(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(401)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Refuses) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/api"
        server.shutdown()
