"""A database that goes away in the middle, and a full disk, end a command in a sentence; the next one finishes the work."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import psycopg2
import pytest
import sqlalchemy.exc

from tests.emulator import Emulator
from tests.energy import Energy
from warehouse.database import Database
from warehouse.errors import OutageError, trouble_of
from warehouse.settings import PROJECT_ROOT

REFRESH = (sys.executable, "-m", "flows.refresh", "--datasets", "carbon_intensity")


def is_one_sentence(done: "subprocess.CompletedProcess[str]", words: str) -> None:
    assert done.returncode == 1, done.stdout + done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and words in errors[0] and "run the same command again" in errors[0]
    assert "Traceback" not in done.stdout + done.stderr


def test_errors_that_wrap_others_are_distinguished_by_type() -> None:
    gone = psycopg.OperationalError("server closed the connection unexpectedly\n\tThis probably means ...")
    assert (trouble_of(gone) or "").startswith("The database went away (server closed the connection unexpectedly).")
    wrapped = RuntimeError("step failed")
    wrapped.__cause__ = sqlalchemy.exc.OperationalError("select 1", {}, psycopg2.OperationalError("gone"))
    assert (trouble_of(wrapped) or "").startswith("The database went away")
    assert (trouble_of(psycopg.errors.DiskFull("could not extend file")) or "").startswith("The disk is full")
    assert (trouble_of(OSError(28, "No space left on device")) or "").startswith("The disk is full")
    assert trouble_of(OutageError("The database went away.")) == "The database went away."
    for other in (ValueError("x"), OSError(2, "no such file"), psycopg.errors.UniqueViolation("twice")):
        assert trouble_of(other) is None


@contextmanager
def away(database: Database, server: Database) -> Iterator[None]:
    """As a restart is for those who use it: their connections end, and no new one is let in for a while."""
    with server.connect() as connection:
        connection.execute(f'alter database "{database.name}" with allow_connections false')
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [database.name])
        try:
            yield
        finally:
            connection.execute(f'alter database "{database.name}" with allow_connections true')


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["energy-lock dataset", "energy-lock publish"], ids=["landing", "publishing"])
def test_a_database_that_restarts_in_the_middle_of_a_refresh(
    energy: Energy, emulator: Emulator, server: Database, moment: str
) -> None:
    process = subprocess.Popen(REFRESH, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    applications = "select application_name from pg_stat_activity where datname = %s"
    with server.connect() as connection:
        while process.poll() is None and not any(
            (name or "").startswith(moment[:12]) if "dataset" in moment else name == moment
            for (name,) in connection.execute(applications, [energy.database.name]).fetchall()
        ):
            time.sleep(0.01)
    with away(energy.database, server):
        out, err = process.communicate(timeout=300)
    is_one_sentence(subprocess.CompletedProcess(REFRESH, process.returncode, out, err), "The database went away")
    again = subprocess.run(REFRESH, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "Every value is real" in again.stdout


@pytest.fixture
def small_disk(energy: Energy, server: Database, tmp_path: Path) -> Iterator[Path]:
    """The database on a disk that is nearly full; where nothing can be mounted the test is skipped."""
    folder = Path("/tmp") / f"energy-small-{tmp_path.name}"
    folder.mkdir(mode=0o777)
    size = energy.value("select pg_database_size(current_database())")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={int(size * 1.1) + 3_000_000},mode=1777", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        folder.rmdir()
        pytest.skip("nothing can be mounted here")
    inside = folder / "data"
    try:
        import shutil

        inside.mkdir(mode=0o700)
        with server.connect() as connection:
            row = connection.execute("select setting from pg_settings where name = 'data_directory'").fetchone()
            assert row
            owner = Path(row[0]).stat()
            shutil.chown(inside, owner.st_uid, owner.st_gid)
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [energy.database.name]
            )
            connection.execute(f"create tablespace energy_small location '{inside}'")
            connection.execute(f'alter database "{energy.database.name}" set tablespace energy_small')
        yield folder
    finally:
        with server.connect() as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [energy.database.name]
            )
            connection.execute(f'alter database "{energy.database.name}" set tablespace pg_default')
            connection.execute("drop tablespace if exists energy_small")
        subprocess.run(["umount", str(folder)], check=True)
        folder.rmdir()


@pytest.mark.slow
@pytest.mark.embedded_only
def test_a_full_disk_is_said_in_a_sentence_and_with_more_space_all_is_done(energy: Energy, small_disk: Path) -> None:
    ballast = os.open(small_disk / "ballast", os.O_CREAT | os.O_WRONLY)
    with suppress(OSError):
        while os.write(ballast, bytes(4096)):  # nothing is left
            pass
    os.close(ballast)
    done = subprocess.run(REFRESH, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "disk is full" in done.stderr or "No space left on device" in done.stdout
    subprocess.run(["mount", "-o", "remount,size=1G", str(small_disk)], check=True)
    (small_disk / "ballast").unlink()
    again = subprocess.run(REFRESH, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stdout + again.stderr
