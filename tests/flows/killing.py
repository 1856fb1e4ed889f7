"""Flows in processes that can be killed. Their imports are behind them when they start: every moment is one of work."""

import random
import time
from collections.abc import Iterator

from tests import commands


def seconds(module: str, *arguments: str) -> float:
    """How long it takes undisturbed, once the imports are done."""
    commands.import_all()
    started = time.monotonic()
    process = commands.start(module, *arguments)
    process.join()
    assert process.exitcode == 0, f"{module} ended with {process.exitcode}"
    return time.monotonic() - started


def killed_at(moments: Iterator[float], module: str, *arguments: str) -> Iterator[bool]:
    """Run it once a moment (in seconds), kill it then (SIGKILL), and say whether it was still at work."""
    for moment in moments:
        process = commands.start(module, *arguments)
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
