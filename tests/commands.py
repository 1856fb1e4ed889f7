"""The project's commands as a user runs them, in processes forked from one that has the imports behind it.

The imports of a flow take seconds; a fork of them takes none. What the imports themselves do is tested with a fresh
interpreter (tests/flows/test_commands.py, tests/flows/test_first_command.py).
"""

import importlib
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path

from flows.settings import quieten_libraries

WORK = (
    "flows.backfill",
    "flows.refresh",
    "flows.watch",
    "pipelines.landing",
    "checkpoints.staging",
    "checkpoints.clean",
    "dbt.cli.main",
)
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(list(WORK))


def _main(module: str, arguments: tuple[str, ...], settings: Mapping[str, str], output: str, errors: str) -> None:
    os.environ.clear()
    os.environ.update(settings)
    for number, path in ((1, output), (2, errors)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    quieten_libraries()
    sys.argv = [module, *arguments]
    importlib.import_module(module).main()


def start(
    module: str, *arguments: str, output: str = os.devnull, errors: str = os.devnull, **settings: str
) -> BaseProcess:
    """`python -m module arguments`, with this process's settings and these."""
    process = _forks.Process(
        target=_main, args=(module, arguments, {**os.environ, **settings}, output, errors), daemon=False
    )
    process.start()
    return process


def run(module: str, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """The command, run to its end: its exit code and what it said."""
    with tempfile.TemporaryDirectory() as folder:
        output, errors = Path(folder, "stdout"), Path(folder, "stderr")
        process = start(module, *arguments, output=str(output), errors=str(errors), **settings)
        process.join()
        said = [path.read_text() if path.exists() else "" for path in (output, errors)]
        return subprocess.CompletedProcess((module, *arguments), process.exitcode or 0, *said)


def import_all() -> None:
    """Have the imports behind: what is started from now on begins at once."""
    first = _forks.Process(target=int)
    first.start()
    first.join()
