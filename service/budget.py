"""What requests take of the processor: measured step by step, and bounded by a budget that fills up again with time."""

from collections.abc import Coroutine, Generator
from contextvars import ContextVar
from time import monotonic, thread_time
from typing import Any, Generic, TypeVar

Made = TypeVar("Made")


class Budget:
    """So many seconds of the processor each second, and so many at once."""

    def __init__(self, rate: float, most: float):
        self._rate, self._most = rate, most
        self._spent, self._at = 0.0, monotonic()

    def spend(self, seconds: float) -> None:
        """So much was used."""
        self._spent, self._at = self._owed() + seconds, monotonic()

    def wait_seconds(self) -> float:
        """How long until there is some left; 0 if there is."""
        return max(0.0, self._owed() - self._most) / self._rate

    def _owed(self) -> float:
        return max(0.0, self._spent - (monotonic() - self._at) * self._rate)


_budgets: ContextVar[tuple[Budget, ...]] = ContextVar("budgets", default=())
"""Who pays for what is done in this context"""


def spend(budgets: tuple[Budget, ...], seconds: float) -> None:
    """Take seconds off each of them."""
    for budget in budgets:
        budget.spend(seconds)


def payers() -> tuple[Budget, ...]:
    """Whom the work of this context is charged to."""
    return _budgets.get()


async def charged_to(budgets: tuple[Budget, ...], work: Coroutine[Any, Any, Made]) -> Made:
    """Do it; each step of the processor that it takes is charged to these, and what it starts can be (`charged`)."""
    _budgets.set(budgets)
    return await _Metered(work, budgets)


async def charged(work: Coroutine[Any, Any, Made]) -> Made:
    """Do it, in a task of its own, at the cost of whoever started the task."""
    return await _Metered(work, payers())


class _Metered(Generic[Made]):
    """Awaits work, and charges each of its steps as it ends."""

    def __init__(self, work: Coroutine[Any, Any, Made], budgets: tuple[Budget, ...]):
        self._work, self._budgets = work, budgets

    def __await__(self) -> Generator[Any, Any, Made]:
        thrown: BaseException | None = None
        while True:
            begun = thread_time()
            try:
                waits_for = self._work.send(None) if thrown is None else self._work.throw(thrown)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            finally:
                spend(self._budgets, thread_time() - begun)
            try:
                thrown = None
                yield waits_for
            except BaseException as error:  # it is the work's own to handle, a cancellation too
                thrown = error
