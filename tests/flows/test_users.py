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

from tests.conftest import FAST
from tests.emulator import Emulator
from warehouse.settings import PROJECT_ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("stack"),
    pytest.mark.skipif(os.geteuid() != 0, reason="makes users of the machine: run it as root"),
]
SITE_PACKAGES = next(path for path in sys.path if path.endswith("site-packages"))
UP_SECONDS = 600


@dataclass
class User:
    """A user of the machine with a clone of the project in a folder of theirs."""

    name: str
    clone: Path
    settings: dict[str, str]

    def start(self, *command: str) -> "subprocess.Popen[str]":
        """`python -m flows.stack command` in their clone, with nothing of this process's environment."""
        return subprocess.Popen(
            [python_of(self.name), "-m", "flows.stack", *command],
            cwd=self.clone,
            env={"PATH": os.defpath, "PYTHONPATH": SITE_PACKAGES, "PYTHONDONTWRITEBYTECODE": "1", **self.settings},
            user=self.name,
            group=pwd.getpwnam(self.name).pw_gid,
            extra_groups=[],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def kept(self, file: str) -> str:
        """A file of their DATA_DIR."""
        return (self.clone / ".data" / file).read_text()


def python_of(user: str) -> str:
    """A Python that this user may run: this one, or the system's of the same version."""
    for python in (sys.executable, f"/usr/bin/python{sys.version_info[0]}.{sys.version_info[1]}"):
        command = ["runuser", "-u", user, "--", python, "-c", "import sys"]
        if subprocess.run(command, cwd="/", capture_output=True, check=False).returncode == 0:
            return python
    pytest.fail(f"{user} may run no Python {sys.version_info[:2]}: install python3 of the system")


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
            folder = Path(tempfile.mkdtemp(prefix="energy-clone-"))
            folders.append(folder)
            folder.chmod(0o755)
            archive = subprocess.run(["git", "archive", "HEAD"], cwd=PROJECT_ROOT, capture_output=True, check=True)
            subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
            subprocess.run(["chown", "-R", name, str(folder)], check=True)
            found.append(User(name, folder, {**FAST, **_emulator.settings}))
        yield found
    finally:
        for process in processes_of(folders):
            process.kill()
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        for name in made:
            subprocess.run(["userdel", name], check=False, capture_output=True)


def test_three_users_come_up_at_once_and_leave_nothing(users: list[User]) -> None:
    temporary = Path(tempfile.gettempdir())
    before = set(temporary.iterdir())
    said = all_of(users, "up")
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
            workloads = httpx.get(f"{services[mine]}/workloads", headers=headers, timeout=60).status_code
            assert (version, workloads) == ((200, 200) if mine == whose else (401, 401)), (mine, whose)
    for words in all_of(users, "status"):
        assert "not running" not in words and "NONE SCHEDULED" not in words
    all_of(users, "down")
    assert [process.cmdline() for process in processes_of([user.clone for user in users])] == []
    ours = {user.name for user in users[:2]} | {"pgserver"}
    left = {path for path in set(temporary.iterdir()) - before if path.owner() in ours}
    assert left == set(), left


def all_of(users: list[User], command: str) -> list[str]:
    """The command of all users at the same moment: what each said."""
    started = [user.start(command) for user in users]
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
