"""The embedded server: made once, found again, stopped; its password in a file that only its owner reads."""

import json
import os
import signal
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from warehouse import embedded
from warehouse.errors import UsageError

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
