"""`make env` and `make psql`: whose login they give; and in a shell that has the embedded server's address, all commands work."""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from tests.emulator import Emulator
from tests.energy import FAST
from warehouse import embedded
from warehouse.database import parse
from warehouse.server import resolve, uses_embedded
from warehouse.settings import PROJECT_ROOT, WarehouseSettings

pytestmark = pytest.mark.embedded_only
WHO = "select session_user || ' ' || current_user"


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A DATA_DIR of its own, with its own server: that of the session holds many databases."""
    folder = tmp_path_factory.mktemp("shell")
    yield folder
    embedded.stop(folder)


def python(data_dir: Path, *arguments: str, given: str = "", **more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=PROJECT_ROOT,
        env={**os.environ, "DATA_DIR": str(data_dir), **more},
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )


def exported(data_dir: Path, *arguments: str, **more: str) -> dict[str, str]:
    """The variables that a shell has after `eval "$(make -s env)"`."""
    done = python(data_dir, "-m", "warehouse", "env", *arguments, **more)
    assert done.returncode == 0, done.stderr
    return {
        name: shlex.split(value)[0] if value != "''" else ""
        for name, value in re.findall(r"^export (\w+)=(.*)$", done.stdout, flags=re.M)
    }


def ask(variables: dict[str, str], statement: str) -> str:
    """As any libpq client does that knows only the environment."""
    program = "import psycopg, sys; print(psycopg.connect().execute(sys.argv[1]).fetchone()[0])"
    command = [sys.executable, "-c", program, statement]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("role", ["", "transformer", "reader", "service", "loader"])
def test_env_gives_the_login_of_a_room(data_dir: Path, role: str) -> None:
    variables = exported(data_dir, *(["--role", role] if role else []))
    session_user, current_user = ask(variables, WHO).split()
    assert current_user == f"energy_{role or 'transformer'}" and session_user.startswith(current_user + "_")
    with psycopg.connect(variables["DATABASE_URL"]) as connection:
        assert connection.execute(WHO).fetchone() == (f"{session_user} {current_user}",)
    owner = embedded.ensure_running(data_dir).password
    assert all(owner not in value for value in variables.values())


def test_env_gives_the_owner_to_whoever_asks_for_it(data_dir: Path) -> None:
    assert ask(exported(data_dir, "--role", "owner"), WHO) == "energy energy"


def test_psql_only_reads_unless_another_role_is_asked_for(data_dir: Path) -> None:
    def psql(*role: str) -> "subprocess.CompletedProcess[str]":
        return python(
            data_dir, "-m", "warehouse", "psql", *role, given=f"{WHO};\ncreate table public.scratch (n int);\n"
        )

    reader, transformer, owner = psql(), psql("--role", "transformer"), psql("--role", "owner")
    assert re.search(r"energy_reader_\w+ energy_reader", reader.stdout)
    assert "permission denied for schema public" in reader.stderr
    assert "energy_transformer" in transformer.stdout and "CREATE TABLE" in transformer.stdout
    assert "energy energy" in owner.stdout and "already exists" in owner.stderr
    assert python(data_dir, "-m", "warehouse", "psql", "--role", "nobody").returncode == 2


def test_an_external_address_stays_the_users_own(data_dir: Path) -> None:
    """What is exported for it are PG* variables: DATABASE_URL is how the user names the database to all commands."""
    mine = embedded.ensure_running(data_dir)
    with mine.connect() as connection:
        connection.execute("create database elsewhere")
    url = replace(mine, name="elsewhere").address()
    variables = exported(data_dir, DATABASE_URL=url)
    assert "DATABASE_URL" not in variables
    assert ask(variables, WHO).endswith(" energy_transformer")
    assert not uses_embedded(WarehouseSettings(database_url=url, data_dir=data_dir))


@pytest.mark.parametrize("role", ["transformer", "reader", "owner"])
def test_the_address_of_the_embedded_server_means_the_embedded_server(data_dir: Path, role: str) -> None:
    variables = exported(data_dir, "--role", role)
    settings = WarehouseSettings(database_url=variables["DATABASE_URL"], data_dir=data_dir)
    assert uses_embedded(settings)
    assert resolve(settings) == embedded.ensure_running(data_dir)
    assert resolve(settings).is_embedded
    for other in ("postgresql://u:p@127.0.0.1:1/energy", "postgresql://u:p@example.invalid/energy"):
        assert not uses_embedded(WarehouseSettings(database_url=other, data_dir=data_dir))
    assert not uses_embedded(WarehouseSettings(database_url=variables["DATABASE_URL"], data_dir=data_dir / "another"))


def test_a_shell_that_has_the_address_of_before_a_move_means_the_embedded_server(tmp_path: Path) -> None:
    """Another program took the port while the server was down."""
    before = embedded.ensure_running(tmp_path)
    shell = WarehouseSettings(database_url=before.address(), data_dir=tmp_path)
    try:
        embedded.stop(tmp_path)
        with socket.create_server((before.host, before.port)):
            moved = resolve(shell)
            assert moved.port != before.port and moved.is_embedded
        assert uses_embedded(shell) and resolve(shell) == moved
    finally:
        embedded.stop(tmp_path)
    other = embedded.ensure_running(tmp_path / "other")
    try:
        kept = tmp_path / "postgres.json"
        kept.write_text(json.dumps({**json.loads(kept.read_text()), "earlier_ports": [other.port]}))
        assert not uses_embedded(WarehouseSettings(database_url=other.address(), data_dir=tmp_path)), (
            "a server of others that is at such a port now is theirs"
        )
    finally:
        embedded.stop(tmp_path / "other")


@pytest.mark.slow
def test_all_commands_work_in_a_shell_that_has_the_address(data_dir: Path, emulator: Emulator) -> None:
    shell = {**exported(data_dir), **FAST, **emulator.settings}
    refreshed = python(data_dir, "-m", "flows.refresh", "--datasets", "carbon_intensity__national", **shell)
    assert refreshed.returncode == 0, refreshed.stderr
    start = ask(shell, "select min(period_start)::text from carbon_intensity_national")
    for command in (
        ("-m", "warehouse", "up"),
        ("-m", "warehouse.trace", "carbon_intensity_national", start),
        ("-m", "flows.transform"),
        ("-m", "flows.maintenance"),
        ("-m", "flows.export"),
        ("-m", "service", "token", "--label", "tried"),
    ):
        done = python(data_dir, *command, **shell)
        assert done.returncode == 0, (command, done.stderr)
    address = parse(shell["DATABASE_URL"])
    status = python(data_dir, "-m", "flows.stack", "status", **shell)
    assert f"{address.host}:{address.port} (embedded)" in status.stdout
    down = python(data_dir, "-m", "flows.stack", "down", **shell)
    assert re.search(r"PostgreSQL +stopped", down.stdout), down.stdout
    assert embedded.running(data_dir) is None
    again = python(data_dir, "-m", "warehouse", "up", **shell)
    assert f"{address.host}:{address.port}" in again.stdout, "the same port, so the shell goes on working"
    assert ask(shell, WHO).endswith(" energy_transformer")
    stopped = python(data_dir, "-m", "warehouse", "down", **shell)
    assert "The embedded PostgreSQL is stopped." in stopped.stdout
