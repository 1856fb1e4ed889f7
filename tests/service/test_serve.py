"""`python -m service` as a command: one clear line where it cannot serve, a token that is its owner's alone."""

import os
import re
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from service import tokens
from tests.service.conftest import TOKEN, Api
from warehouse.database import Database
from warehouse.settings import PROJECT_ROOT

NO_ONE = ("token", "--operator", "nobody")


def environment(**settings: str) -> dict[str, str]:
    """This process' environment with settings of a test."""
    return {**os.environ, "SERVICE_PORT": "0", **settings}


def run(*arguments: str, module: str = "service", **settings: str) -> "subprocess.CompletedProcess[str]":
    """The command, run to its end."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=PROJECT_ROOT, env=environment(**settings), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


@contextmanager
def serving(**settings: str) -> Iterator[tuple[str, str]]:
    """The address at which it serves, and the line in which it said so."""
    command = [sys.executable, "-m", "service"]
    with subprocess.Popen(
        command, cwd=PROJECT_ROOT, env=environment(**settings), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            line = process.stdout.readline()
            address = re.search(r"http://\S+", line)
            assert address, line
            yield address[0], line
        finally:
            process.terminate()


def is_one_clear_line(done: "subprocess.CompletedProcess[str]", *words: str) -> None:
    """Exit code 2 and one line on stderr with these words, beside what is said of folders that root opens to PostgreSQL."""
    assert done.returncode == 2, done.stderr
    lines = [line for line in done.stderr.strip().splitlines() if " gets o+x, because PostgreSQL" not in line]
    assert len(lines) == 1 and lines[0].startswith("error: ")
    for word in words:
        assert word in done.stderr
    assert done.stdout == ""


def test_a_port_that_is_taken_is_replaced_by_a_free_one_and_said(grid: Database, capfd: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        with serving(DATABASE_URL=grid.address(), SERVICE_PORT=port, SERVICE_TOKEN=TOKEN) as (address, _):
            assert not address.endswith(f":{port}")
            assert httpx.get(f"{address}/healthz").status_code == 200
            said = capfd.readouterr().err
    assert [
        port in line and address.rsplit(":", 1)[1] in line for line in said.splitlines() if "SERVICE_PORT" in line
    ] == [True]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"SERVICE_PORT": "99999"}, "SERVICE_PORT"),
        ({"SERVICE_TOKEN": "s3cret"}, "SERVICE_TOKEN"),
        ({"SERVICE_MAX_BODY_BYTES": "many"}, "SERVICE_MAX_BODY_BYTES"),
        ({"SERVICE_HOST": "no such host"}, "no such host"),
        ({"DATABASE_URL": "postgresql://u:s3cret@127.0.0.1:9/d"}, "127.0.0.1:9"),
    ],
)
def test_a_bad_setting_is_said_in_one_line_without_a_secret(
    grid: Database, settings: dict[str, str], words: str
) -> None:
    done = run(**{"DATABASE_URL": grid.address(), "SERVICE_TOKEN": TOKEN, **settings})
    is_one_clear_line(done, words)
    assert "s3cret" not in done.stderr


@pytest.mark.slow
def test_a_token_for_nobody_names_the_operators_that_exist(grid: Database) -> None:
    is_one_clear_line(run(*NO_ONE, DATABASE_URL=grid.address()), "'nobody'", "none yet")
    for name in ("Cloud", "Lab"):
        Api(None, grid).operator(name)  # type: ignore[arg-type]
    is_one_clear_line(run(*NO_ONE, DATABASE_URL=grid.address()), "'nobody'", "Cloud, Lab")
    with grid.connect() as connection:
        assert connection.execute("select count(*) from app.operator_tokens").fetchone() == (0,)


def test_a_label_that_is_too_long_is_said_in_one_line(grid: Database) -> None:
    is_one_clear_line(run("token", "--label", "x" * 201, DATABASE_URL=grid.address()), "label")


def test_a_token_that_was_printed_lets_its_operator_in(api: Api) -> None:
    operator_id = api.operator("Lab")
    done = run("token", "--operator", "Lab", DATABASE_URL=api.database.address())
    assert done.returncode == 0 and done.stdout.startswith(tokens.PREFIX) and len(done.stdout.split()) == 1
    assert api.submit(headers={"Authorization": f"Bearer {done.stdout.strip()}"})["operator_id"] == operator_id


@pytest.mark.slow
def test_the_first_line_says_where_it_answers_and_shows_no_token(grid: Database) -> None:
    with serving(DATABASE_URL=grid.address(), SERVICE_TOKEN=TOKEN) as (address, line):
        assert httpx.get(f"{address}/healthz").status_code == 200
        assert "SERVICE_TOKEN" in line and TOKEN not in line
    with serving(DATABASE_URL=grid.address(), SERVICE_TOKEN="") as (address, line):
        assert "python -m service token" in line


@pytest.mark.slow
@pytest.mark.embedded_only
def test_on_the_embedded_default_a_token_is_made_that_its_owner_alone_can_read(tmp_path: Path) -> None:
    settings = {"DATA_DIR": str(tmp_path), "DATABASE_URL": "", "SERVICE_TOKEN": ""}
    kept = tmp_path / "service.env"
    try:
        is_one_clear_line(
            run(*NO_ONE, **settings), "Example Edge Sites, Example Northern Cloud, Example Research Computing"
        )
        said = []
        for _ in range(2):
            with serving(**settings) as (address, line):
                assert str(kept) in line
                said.append(kept.read_text())
                token = said[-1].removeprefix("SERVICE_TOKEN=").strip()
                answers = [
                    httpx.get(f"{address}/workloads", headers={"Authorization": f"Bearer {t}"}) for t in (token, "x")
                ]
                assert [answer.status_code for answer in answers] == [503, 401], "there is no table of data yet"
        assert said[0] == said[1] and stat.S_IMODE(kept.stat().st_mode) == 0o600
    finally:
        assert run("down", module="warehouse", **settings).returncode == 0
