"""Flows in processes that can be killed. They are forked from one that has the imports behind it: every moment is one of work."""

import importlib
import multiprocessing
import os
import random
import sys
import time
from collections.abc import Iterator, Mapping
from multiprocessing.process import BaseProcess

WORK = (
    "flows.backfill",
    "flows.refresh",
    "pipelines.landing",
    "checkpoints.staging",
    "checkpoints.clean",
    "dbt.cli.main",
)
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(list(WORK))


def _run(module: str, arguments: tuple[str, ...], settings: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(settings)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    sys.argv = [module, *arguments]
    importlib.import_module(module).main()


def start(module: str, *arguments: str) -> BaseProcess:
    """`python -m module arguments`, with this process's settings; quiet."""
    process = _forks.Process(target=_run, args=(module, arguments, dict(os.environ)), daemon=False)
    process.start()
    return process


def seconds(module: str, *arguments: str) -> float:
    """How long it takes undisturbed, once the imports are done."""
    first = _forks.Process(target=int)
    first.start()
    first.join()
    started = time.monotonic()
    process = start(module, *arguments)
    process.join()
    assert process.exitcode == 0, f"{module} ended with {process.exitcode}"
    return time.monotonic() - started


def killed_at(moments: Iterator[float], module: str, *arguments: str) -> Iterator[bool]:
    """Run it once a moment (in seconds), kill it then (SIGKILL), and say whether it was still at work."""
    for moment in moments:
        process = start(module, *arguments)
        process.join(moment)
        was_at_work = process.is_alive()
        process.kill()
        process.join()
        assert was_at_work or process.exitcode == 0, f"{module} ended by itself with {process.exitcode}"
        yield was_at_work


def moments(seed: int, count: int, within: float) -> Iterator[float]:
    """So many random moments of a run that takes so long."""
    chooser = random.Random(seed)
    return (chooser.uniform(0.02, 0.95) * within for _ in range(count))
