"""Three users of one machine, root among them, bring their stacks up at the same moment, and none is in the way of another."""

import json
import os
import pwd
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from tests.emulator import Emulator
from tests.energy import FAST
from warehouse.settings import PROJECT_ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("stack"),
    pytest.mark.skipif(os.geteuid() != 0, reason="makes users of the machine: run it as root"),
]
SITE_PACKAGES = next(path for path in sys.path if path.endswith("site-packages"))
PYTHON = Path("home", "bin", f"python{sys.version_info[0]}.{sys.version_info[1]}")
WITH_PYTHON_AT = (
    *("unshare", "--mount", "sh", "-c"),
    f'mount --bind -r "{sys.base_prefix}" "$0/home" && mount --bind -r "{SITE_PACKAGES}" "$0/packages" && exec "$@"',
)
"""In a view of the file system of its own, which ends with the processes in it"""
UP_SECONDS = 600


@dataclass
class User:
    """A user of the machine with a clone of the project in a folder of theirs."""

    name: str
    clone: Path
    settings: dict[str, str]

    def start(self, python: Path, *command: str) -> "subprocess.Popen[str]":
        """`python -m flows.stack command` in their clone, with nothing of this process's environment."""
        group = pwd.getpwnam(self.name).pw_gid
        become = ("setpriv", f"--reuid={self.name}", f"--regid={group}", "--clear-groups")
        found = {"PATH": os.defpath, "LD_LIBRARY_PATH": f"{python}/home/lib", "PYTHONPATH": f"{python}/packages"}
        return subprocess.Popen(
            [*WITH_PYTHON_AT, str(python), *become, str(python / PYTHON), "-m", "flows.stack", *command],
            cwd=self.clone,
            env={**found, "PYTHONDONTWRITEBYTECODE": "1", **self.settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def kept(self, file: str) -> str:
        """A file of their DATA_DIR."""
        return (self.clone / ".data" / file).read_text()


@pytest.fixture
def python() -> Iterator[Path]:
    """Where each user finds this Python and its packages: the folder they lie in may be closed to others."""
    with tempfile.TemporaryDirectory(prefix="energy-python-") as folder:
        for name in ("home", "packages"):
            Path(folder, name).mkdir()
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def users(_emulator: Emulator) -> Iterator[list[User]]:
    """Two new users and root. What they leave is removed afterwards."""
    _emulator.reset()
    made = [f"energy-{secrets.token_hex(3)}" for _ in range(2)]
    folders = []
    try:
        found = []
        for name in (*made, "root"):
            if name in made:
                subprocess.run(["useradd", "--no-create-home", "--home-dir", "/nonexistent", name], check=True)
            folder, temporary = (
                Path(tempfile.mkdtemp(prefix="energy-clone-")),
                tempfile.mkdtemp(prefix="energy-own-tmp-"),
            )
            folders += [folder, Path(temporary)]
            folder.chmod(0o755)
            archive = subprocess.run(["git", "archive", "HEAD"], cwd=PROJECT_ROOT, capture_output=True, check=True)
            subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
            subprocess.run(["chown", "-R", name, str(folder)], check=True)
            # in the shared one, whatever else root does on this machine would count too
            own = {"TMPDIR": temporary} if name == "root" else {}
            found.append(User(name, folder, {**FAST, **_emulator.settings, **own}))
        yield found
    finally:
        for process in processes_of(folders):
            process.kill()
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        for name in made:
            subprocess.run(["userdel", name], check=False, capture_output=True)


def test_three_users_come_up_at_once_and_leave_nothing(users: list[User], python: Path) -> None:
    temporary = Path(tempfile.gettempdir())
    before = set(temporary.iterdir())
    said = all_of(users, python, "up")
    apis = [re.search(r"API at (\S+?);", words)[1] for words in said]  # type: ignore[index]
    services = [re.search(r"^Service +(\S+)", words, re.M)[1] for words in said]  # type: ignore[index]
    assert len({*apis, *services}) == 6, (apis, services)
    passwords = [re.search(r"AUTH_STRING=(\S+)", user.kept("prefect.env"))[1] for user in users]  # type: ignore[index]
    tokens = [user.kept("service.env").strip().removeprefix("SERVICE_TOKEN=") for user in users]
    for mine in range(3):
        for whose in range(3):
            auth = httpx.BasicAuth(*passwords[whose].split(":", 1))
            version = httpx.get(f"{apis[mine]}/admin/version", auth=auth, timeout=60).status_code
            headers = {"Authorization": f"Bearer {tokens[whose]}"}
            asked = httpx.get(f"{services[mine]}/workloads", headers=headers, timeout=60)
            let_in = (200, 503)  # 503 until the tables are built
            assert version == (200 if mine == whose else 401), (mine, whose)
            assert asked.status_code in (let_in if mine == whose else (401,)), (mine, whose, asked.text)
    for words in all_of(users, python, "status"):
        assert "not running" not in words and "NONE SCHEDULED" not in words
    all_of(users, python, "down")
    assert [process.cmdline() for process in processes_of([user.clone for user in users])] == []
    ours = {user.name for user in users[:2]} | {"pgserver"}
    left = {path for path in set(temporary.iterdir()) - before if path.owner() in ours}
    assert left == set(), left
    (of_root,) = [Path(user.settings["TMPDIR"]) for user in users if user.name == "root"]
    assert list(of_root.iterdir()) == []


def all_of(users: list[User], python: Path, command: str) -> list[str]:
    """The command of all users at the same moment: what each said."""
    started = [user.start(python, command) for user in users]
    said = [process.communicate(timeout=UP_SECONDS)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], json.dumps(said, indent=1)
    return said


def processes_of(folders: list[Path]) -> list[psutil.Process]:
    """The processes that work in these folders, whoever started them."""
    found = []
    for process in psutil.process_iter():
        try:
            if any(Path(process.cwd()).is_relative_to(folder) for folder in folders):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found
