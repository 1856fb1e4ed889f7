"""The embedded server: made once, found again, stopped; its password in a file that only its owner reads."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from warehouse import embedded, embedded_files
from warehouse.database import Role, logins
from warehouse.errors import UsageError
from warehouse.prepare import prepare
from warehouse.settings import PROJECT_ROOT

pytestmark = pytest.mark.embedded_only


@pytest.fixture
def data_dir(tmp_path: Path):
    yield tmp_path
    embedded.stop(tmp_path)


def test_many_at_once_get_the_same_server(data_dir: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        addresses = set(pool.map(lambda _: embedded.ensure_running(data_dir), range(4)))
    (address,) = addresses
    assert address.host == "127.0.0.1"
    with address.connect() as connection:
        assert connection.info.server_version >= 180000
        listening = connection.execute("show listen_addresses").fetchone()
    assert listening == ("127.0.0.1",)


def test_its_password_is_its_owners_alone(data_dir: Path) -> None:
    embedded.ensure_running(data_dir)
    kept = data_dir / "postgres.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    wrong = {**json.loads(kept.read_text()), "password": "wrong"}
    from dataclasses import replace

    with pytest.raises(UsageError, match="password authentication failed"):
        replace(embedded.ensure_running(data_dir), password=wrong["password"]).connect()


def test_killed_without_warning_it_starts_again_with_its_data(data_dir: Path) -> None:
    address = embedded.ensure_running(data_dir)
    with address.connect() as connection:
        connection.execute("create table kept as select 1 as one")
    pid = int((data_dir / "postgres/postmaster.pid").read_text().splitlines()[0])
    children = psutil.Process(pid).children()
    os.kill(pid, signal.SIGKILL)
    psutil.wait_procs(children, timeout=20)
    with embedded.ensure_running(data_dir).connect() as connection:
        assert connection.execute("select one from kept").fetchone() == (1,)


def test_stopping_and_a_making_that_was_cut_short(data_dir: Path) -> None:
    assert embedded.stop(data_dir) is False
    (data_dir / "postgres").mkdir()
    (data_dir / "postgres" / "half").touch()
    embedded.ensure_running(data_dir)
    assert embedded.stop(data_dir) is True


def test_data_of_another_version_is_refused(data_dir: Path) -> None:
    embedded.ensure_running(data_dir)
    embedded.stop(data_dir)
    version = data_dir / "postgres/PG_VERSION"
    version.write_text("12\n")
    try:
        with pytest.raises(UsageError, match="was made by PostgreSQL 12"):
            embedded.ensure_running(data_dir)
    finally:
        version.write_text(f"{embedded.MAJOR_VERSION}\n")


MANY_ROWS = "select count(*) from generate_series(1, 20000000000)"


def fill(data_dir: Path) -> None:
    with embedded.ensure_running(data_dir).connect() as connection:
        connection.execute("create table kept as select 1 as one")


def is_kept(data_dir: Path) -> bool:
    with embedded.ensure_running(data_dir).connect() as connection:
        return connection.execute("select one from kept").fetchone() == (1,)


def command(data_dir: Path, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "warehouse", *arguments],
        cwd=PROJECT_ROOT,
        env={**os.environ, "DATA_DIR": str(data_dir), **more},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("is_up", [True, False])
@pytest.mark.parametrize("left", [None, "", "{", "[]", '{"port": 1}', '{"port": "x", "password": "y"}'])
def test_a_lost_password_is_refused_and_can_be_replaced(data_dir: Path, left: str | None, is_up: bool) -> None:
    fill(data_dir)
    port = embedded.ensure_running(data_dir).port
    if not is_up:
        embedded.stop(data_dir)
    kept = data_dir / "postgres.json"
    if left is None:
        kept.unlink()
    else:
        kept.write_text(left)
    before = sorted(path.name for path in data_dir.iterdir())
    refused = command(data_dir, "up")
    assert refused.returncode == 2 and refused.stderr.count("\n") == 1, refused.stderr
    assert str(data_dir / "postgres") in refused.stderr and "python -m warehouse recover" in refused.stderr
    assert sorted(path.name for path in data_dir.iterdir()) == before, "nothing is renamed, nothing made"
    recovered = command(data_dir, "recover")
    assert recovered.returncode == 0, recovered.stderr
    assert is_kept(data_dir)
    assert embedded.ensure_running(data_dir).port == port
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_where_there_is_no_database_there_is_nothing_to_recover(data_dir: Path) -> None:
    done = command(data_dir, "recover")
    assert done.returncode == 2 and "nothing to recover" in done.stderr
    assert not (data_dir / "postgres.json").exists()


def test_recovering_replaces_the_password_and_leaves_the_logins(data_dir: Path) -> None:
    old = embedded.ensure_running(data_dir)
    prepare(old)
    login = logins(old)[Role.READER]
    embedded.recover(data_dir)
    new = embedded.ensure_running(data_dir)
    assert new.password != old.password
    with pytest.raises(UsageError, match="password authentication failed"):
        old.connect()
    new.as_login(login).connect().close()


@pytest.mark.slow
def test_a_making_that_was_killed_is_begun_anew(data_dir: Path) -> None:
    """At any moment: what has the name of the cluster is complete and has its password."""
    for moment in (0.05, 0.2, 0.4, 0.6, 0.8, 1.0, 1.3):
        maker = subprocess.Popen(
            [sys.executable, "-c", "import sys, pathlib; from warehouse import embedded; "
             "print(flush=True); embedded.ensure_running(pathlib.Path(sys.argv[1]))", str(data_dir)],
            cwd=PROJECT_ROOT, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert maker.stdout
        maker.stdout.readline()
        time.sleep(moment)
        maker.kill()
        maker.communicate()
    embedded.ensure_running(data_dir).connect().close()
    assert not list(data_dir.glob("postgres.making*/postgres/global"))
    assert not list(data_dir.glob("*password*"))


def test_a_server_whose_starter_was_killed_is_taken_up(data_dir: Path) -> None:
    """It runs, but neither its port was noted nor its database made."""
    address = embedded.ensure_running(data_dir)
    with replace(address, name="postgres").connect() as connection:
        connection.execute(f'drop database "{address.name}"')
    kept = data_dir / "postgres.json"
    kept.write_text(json.dumps({**json.loads(kept.read_text()), "port": 0}))
    again = embedded.ensure_running(data_dir)
    again.connect().close()
    assert again == address


@pytest.mark.parametrize(
    "statement", [MANY_ROWS, "select pg_sleep(600)", "insert into busy select generate_series(1, 50000000)"]
)
def test_right_after_a_busy_server_was_killed_it_starts_again(data_dir: Path, statement: str) -> None:
    fill(data_dir)
    address = embedded.ensure_running(data_dir)
    with address.connect() as connection:
        connection.execute("create table busy (n bigint)")
    clients = [address.connect() for _ in range(3)]
    for client in clients:
        client.pgconn.send_query(statement.encode())
    pid = int((data_dir / "postgres/postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)
    again = embedded.ensure_running(data_dir)
    assert again.port == address.port
    assert is_kept(data_dir)
    for client in clients:
        client.close()


def test_a_lock_file_that_names_another_process_does_not_keep_it_down(data_dir: Path) -> None:
    """As after the machine went down: its number belongs to another program now."""
    fill(data_dir)
    lock_file = data_dir / "postgres/postmaster.pid"
    lines = lock_file.read_text().splitlines()
    embedded.stop(data_dir)
    lock_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    assert is_kept(data_dir)


def test_the_port_stays_and_lies_below_those_of_outgoing_connections(
    data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ports = []
    for _ in range(2):
        ports.append(embedded.ensure_running(data_dir).port)
        embedded.stop(data_dir)
    assert ports[0] == ports[1] in embedded_files.PORTS
    lowest = Path("/proc/sys/net/ipv4/ip_local_port_range")
    if lowest.exists():
        assert ports[0] < int(lowest.read_text().split()[0])
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((embedded_files.HOST, ports[0]))
        other.listen()
        moved = embedded.ensure_running(data_dir).port
    assert moved != ports[0] and moved in embedded_files.PORTS
    assert f"port {ports[0]} is taken" in caplog.text


def test_it_writes_nothing_outside_its_folder(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    temporary, home = (tmp_path_factory.mktemp(name) for name in ("temporary", "home"))
    places = [
        *temporary.parents[:2],
        Path(tempfile.gettempdir()),
        Path("/tmp"),
        Path("/var/run"),
        Path("/run/postgresql"),
    ]
    before = {place: set(place.iterdir()) for place in places if place.is_dir()}
    done = command(data_dir, "up", TMPDIR=str(temporary), HOME=str(home), XDG_RUNTIME_DIR=str(temporary))
    assert done.returncode == 0, done.stderr
    address = embedded.ensure_running(data_dir)
    with address.connect() as connection:  # sorts on disk, hashes on disk, temporary tables
        connection.execute("set work_mem = '64kB'")
        connection.execute(
            "create temporary table t as select md5(n::text) as m from generate_series(1, 100000) as n order by 1"
        )
        server = psutil.Process(int((data_dir / "postgres/postmaster.pid").read_text().splitlines()[0]))
        opened = {Path(file.path) for process in (server, *server.children()) for file in process.open_files()}
    assert opened and all(path.is_relative_to(data_dir) for path in opened), opened
    for place, there in before.items():
        assert {
            path for path in set(place.iterdir()) - there if "pg" in path.name.lower() or "PGSQL" in path.name
        } == set()
    assert list(temporary.iterdir()) == list(home.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another user")
def test_folders_that_can_be_searched_keep_their_mode(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shut, opened = tmp_path / "shut", tmp_path / "shut/opened"
    opened.mkdir(parents=True)
    shut.chmod(0o750)
    opened.chmod(0o711)
    data_dir = opened / "data"
    try:
        embedded.ensure_running(data_dir)
        assert stat.S_IMODE(opened.stat().st_mode) == 0o711
        assert stat.S_IMODE(shut.stat().st_mode) == 0o751
        assert f"{shut} gets o+x" in caplog.text and f"{opened} gets" not in caplog.text
        said = len(caplog.records)
        embedded.stop(data_dir)
        embedded.ensure_running(data_dir)
        assert len(caplog.records) == said
    finally:
        embedded.stop(data_dir)


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user runs the server as itself")
def test_first_starts_of_several_clones_at_once_make_one_system_user() -> None:
    name = f"energy{os.getpid()}"
    code = f"from warehouse.postgres_programs import system_account; print(system_account({name!r}).pw_uid)"
    try:
        started = [
            subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT_ROOT, stdout=subprocess.PIPE) for _ in range(6)
        ]
        assert len({process.communicate(timeout=60)[0] for process in started}) == 1
        assert all(process.returncode == 0 for process in started)
    finally:
        subprocess.run(["userdel", name], check=True, capture_output=True)


@pytest.mark.parametrize("lost", ["postgres", "postgres/global/pg_control"])
def test_a_database_that_is_not_where_it_was_is_refused_and_never_made_anew(data_dir: Path, lost: str) -> None:
    with embedded.ensure_running(data_dir).connect() as connection:
        connection.execute("create table kept as select 1 as one")
    embedded.stop(data_dir)
    elsewhere = data_dir / "unmounted"
    (data_dir / lost).rename(elsewhere)
    with pytest.raises(UsageError, match=r"has run before, and now .* Nothing was changed"):
        embedded.ensure_running(data_dir)
    elsewhere.rename(data_dir / lost)
    with embedded.ensure_running(data_dir).connect() as connection:
        assert connection.execute("select one from kept").fetchone() == (1,)
