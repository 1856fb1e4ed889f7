"""Work of the processor beside the event loop, which goes on with other requests: a thread for each kind, and a bounded wait.

The work itself is bounded by those who hand it in: a thread cannot be stopped.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import thread_time
from typing import ParamSpec, TypeVar

from service.budget import payers, spend

Given = ParamSpec("Given")
Result = TypeVar("Result")


class Aside:
    """Does one thing after the other in a thread of its own."""

    def __init__(self, name: str, seconds: float):
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._seconds = seconds

    async def __call__(self, function: Callable[Given, Result], *given: Given.args, **named: Given.kwargs) -> Result:
        """What the function returns. Raises TimeoutError after the seconds of this kind; what has not begun never does."""
        budgets = payers()

        def work() -> Result:
            begun = thread_time()
            try:
                return function(*given, **named)
            finally:
                spend(budgets, thread_time() - begun)

        async with asyncio.timeout(self._seconds):
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)


WORDS = Aside("words", 10)
"""Requests that are longer than a line are read here"""
WINDOWS = Aside("windows", 10)
"""The best windows in pieces or of a varying power, and decisions made again"""
PAGES = Aside("pages", 10)
"""The same for pages, which need no token"""
PLANS = Aside("plans", 60)
"""Joint plans, one at a time: seconds of the processor for a thousand workloads. What has begun is made even if nobody waits"""
PLACING = Aside("placing", 30)
"""Decisions on what may run in pieces or draws a varying power; whoever waits here holds the lock on capacity"""
