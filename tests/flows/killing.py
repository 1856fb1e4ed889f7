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


def killed_at(moments: Iterator[float], within: float, module: str, *arguments: str) -> Iterator[bool]:
    """Run it once a moment (a share of `within` seconds), kill it then (SIGKILL), and say whether it was still at work.

    One that ends before its moment shows that it takes less than that by now: the moments after it are shares of its time.
    """
    for moment in moments:
        started = time.monotonic()
        process = commands.start(module, *arguments)
        process.join(moment * within)
        was_at_work = process.is_alive()
        if not was_at_work:
            within = min(within, time.monotonic() - started)
        process.kill()
        process.join()
        assert was_at_work or process.exitcode == 0, f"{module} ended by itself with {process.exitcode}"
        yield was_at_work


def moments(seed: int, count: int) -> Iterator[float]:
    """So many random moments of a run, as shares of the time that it takes."""
    chooser = random.Random(seed)
    return (chooser.uniform(0.02, 0.95) for _ in range(count))
