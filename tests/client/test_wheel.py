"""The wheel of `client/`: built, installed alone in an empty environment, and used against the service."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.client.conftest import CLIENT, Machine


def test_it_is_written_for_python_3_9() -> None:
    for path in CLIENT.rglob("*.py"):
        tree = ast.parse(path.read_text(), feature_version=(3, 9))
        needs_future = any(isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr) for node in ast.walk(tree))
        has_future = any(isinstance(n, ast.ImportFrom) and n.module == "__future__" for n in tree.body)
        assert has_future or not needs_future, f"{path}: X | Y in an annotation is evaluated by Python 3.9"


def call(*command: str | Path, folder: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_wheel_installs_alone_and_works(machine: Machine) -> None:
    """Needs the package index of pip, for httpx."""
    folder = machine.folder
    source = folder / "client"  # a build leaves files beside the source
    shutil.copytree(CLIENT, source, ignore=shutil.ignore_patterns("*.egg-info", "build", "__pycache__"))
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    call(*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", folder / "wheels", source, folder=folder)
    (wheel,) = (folder / "wheels").glob("*.whl")
    call(sys.executable, "-m", "venv", folder / "empty", folder=folder)
    python = folder / "empty/bin/python"
    call(python, "-m", "pip", "--disable-pip-version-check", "install", wheel, folder=folder)
    installed = call(python, "-m", "pip", "list", "--format=freeze", folder=folder)
    names = {line.split("==")[0].lower() for line in installed.splitlines()} - {"pip", "setuptools"}
    brought = {"energy-client", "httpx", "httpcore", "anyio", "certifi", "idna", "h11", "typing_extensions"}
    assert names <= brought, "httpx and what it needs, nothing else"
    assert {"energy-client", "httpx"} <= names
    environment = {**machine.environment(), "PYTHONPATH": ""}
    job = ("--hours", "1", "--deadline", "1h")
    done = subprocess.run(
        [folder / "empty/bin/energy", "run", *job, "--", python, "-c", "import energy; print(energy.__file__)"],
        cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0 and "empty" in done.stdout, done.stderr
    assert machine.statuses() == ["completed"]
    (kind,) = (folder / "empty").glob("lib/*/site-packages/energy/py.typed")
    assert kind.exists()
