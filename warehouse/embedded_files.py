"""Where the embedded server is: its cluster and log, and its port and password, in a file that only its owner can read."""

import contextlib
import json
import os
import re
import socket
import zlib
from pathlib import Path

from warehouse.database import Database
from warehouse.errors import UsageError

ADMIN = "energy"
DATABASE = "energy"
HOST = "127.0.0.1"
PORTS = range(20_000, 30_000)
"""Below the ports that systems hand out for outgoing connections: one of those could be taken while the server is down."""
EARLIER_PORTS = 10
"""So many are remembered"""
RECOVER = "python -m warehouse recover"


def cluster(data_dir: Path) -> Path:
    """The data of the server."""
    return data_dir / "postgres"


def log_file(data_dir: Path) -> Path:
    """What the server says."""
    return cluster(data_dir) / "server.log"


def is_cluster(folder: Path) -> bool:
    """Whether it holds the data of a server."""
    return (folder / "global" / "pg_control").exists()


def secrets_file(data_dir: Path) -> Path:
    """Its port, its earlier ports and its password."""
    return data_dir / "postgres.json"


def kept(data_dir: Path) -> tuple[int, str]:
    """Port (0: none yet) and password. Raises UsageError for a file that cannot be read."""
    path = secrets_file(data_dir)
    try:
        found = json.loads(path.read_text())
        return int(found["port"]), str(found["password"])
    except (ValueError, KeyError, TypeError):
        raise UsageError(
            f"{path} is damaged, so the password of the database in {cluster(data_dir)} is lost. Its data is untouched. "
            f"Give it a new password: {RECOVER}"
        ) from None


def earlier_ports(data_dir: Path) -> list[int]:
    """Where the server was before its present port, the oldest first."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        return [int(port) for port in json.loads(secrets_file(data_dir).read_text())["earlier_ports"]]
    return []


def keep(data_dir: Path, *, port: int, password: str) -> None:
    """Write port and password; the port of before becomes an earlier one."""
    path = secrets_file(data_dir)
    earlier = earlier_ports(data_dir)
    with contextlib.suppress(UsageError, FileNotFoundError):
        earlier.append(kept(data_dir)[0])
    earlier = [known for known in dict.fromkeys(earlier) if known not in (0, port)][-EARLIER_PORTS:]
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as file:
        json.dump({"port": port, "password": password, "earlier_ports": earlier}, file)
        file.flush()
        os.fsync(file.fileno())  # a power cut must not leave an empty file
    fresh.rename(path)


def address(data_dir: Path, name: str = DATABASE) -> Database:
    """The database of the file. Raises UsageError if that cannot be read."""
    port, password = kept(data_dir)
    return Database(host=HOST, port=port, user=ADMIN, password=password, name=name, is_embedded=True)


def port_of_last_start(data_dir: Path) -> int:
    """What the server was last started with; 0 if never."""
    with contextlib.suppress(FileNotFoundError):
        found = re.search(r'"-p" "(\d+)"', (cluster(data_dir) / "postmaster.opts").read_text())
        return int(found[1]) if found else 0
    return 0


def free_port(data_dir: Path) -> int:
    """A free port; for one folder always the same one, as long as it is free."""
    first = zlib.crc32(str(data_dir).encode())
    for offset in range(len(PORTS)):
        port = PORTS[(first + offset) % len(PORTS)]
        if is_free(port):
            return port
    raise UsageError(f"No port between {PORTS.start} and {PORTS.stop} is free on {HOST}.")


def is_free(port: int) -> bool:
    """Whether a server could listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
