"""`wait`, `wait_async` and `carbon_aware`: the right moment inside of a Python program."""

from __future__ import annotations

import asyncio
import atexit
import functools
import inspect
import logging
import sys
from collections.abc import Callable, Generator
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from energy import spans
from energy.api import Api
from energy.clock import Clock
from energy.job import Job
from energy.settings import Settings
from energy.turn import Turn

log = logging.getLogger("energy")
_begun: set[Turn] = set()
"""Work whose end nobody has reported yet"""
Function = TypeVar("Function", bound=Callable[..., Any])


def wait(
    *,
    hours: float,
    deadline: str | timedelta | datetime = "24h",
    place: str | None = None,
    power_kw: float | None = None,
    words: str = "Run a Python program",
    strict: bool = False,
    clock: Clock | None = None,
) -> Turn:
    """Return when it is time for work of so many hours that must have ended by the deadline.

    Use what it returns with `with`: the end of the block is reported, as failed if it raises. Otherwise the work counts as
    completed when the program ends. `place` is where it runs (ENERGY_PLACE if it is not given). Raises ValueError for what cannot
    be, Cancelled if somebody cancels it, and Trouble only if `strict`.
    """
    turn = _turn(hours, deadline, place, power_kw, words, strict, clock)
    turn.submit()
    try:
        turn.wait()
    except BaseException:
        turn.give_up()
        raise
    turn.begin()
    _begun.add(turn)
    return turn


@atexit.register
def _end_with_the_program() -> None:
    for turn in list(_begun):
        turn.end(is_success=getattr(sys, "last_value", None) is None)  # set if an exception ended the program


class _Waiting:
    """What `wait_async` gives: awaited, or entered with `async with`."""

    def __init__(self, begin: Callable[[], Any]):
        self._begin, self._turn = begin, cast(Turn, None)

    def __await__(self) -> Generator[Any, None, Turn]:
        return cast("Generator[Any, None, Turn]", self._begin().__await__())

    async def __aenter__(self) -> Turn:
        self._turn = await self
        return self._turn

    async def __aexit__(self, *raised: Any) -> None:
        await self._turn.__aexit__(*raised)


def wait_async(
    *,
    hours: float,
    deadline: str | timedelta | datetime = "24h",
    place: str | None = None,
    power_kw: float | None = None,
    words: str = "Run a Python program",
    strict: bool = False,
    clock: Clock | None = None,
) -> _Waiting:
    """The same for asyncio, which goes on meanwhile: `await energy.wait_async(...)` or `async with energy.wait_async(...)`."""
    turn = _turn(hours, deadline, place, power_kw, words, strict, clock)

    async def begin() -> Turn:
        await asyncio.to_thread(turn.submit)
        steps = turn.pauses()
        try:
            while (seconds := await asyncio.to_thread(next, steps, None)) is not None:
                await asyncio.sleep(seconds)
        except BaseException:
            await asyncio.shield(asyncio.to_thread(turn.give_up))
            raise
        await asyncio.to_thread(turn.begin)
        _begun.add(turn)
        return turn

    return _Waiting(begin)


def carbon_aware(
    *,
    hours: float,
    deadline: str | timedelta | datetime = "24h",
    place: str | None = None,
    power_kw: float | None = None,
    strict: bool = False,
    clock: Clock | None = None,
) -> Callable[[Function], Function]:
    """A decorator: each call of the function waits for its moment, and its end is reported. Raises what `wait` raises."""
    options: dict[str, Any] = {"hours": hours, "deadline": deadline, "place": place, "power_kw": power_kw}
    options |= {"strict": strict, "clock": clock}

    def decorate(function: Function) -> Function:
        words = f"Run {function.__qualname__}"
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def call_async(*args: Any, **kwargs: Any) -> Any:
                async with wait_async(words=words, **options):
                    return await function(*args, **kwargs)

            return cast(Function, call_async)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with wait(words=words, **options):
                return function(*args, **kwargs)

        return cast(Function, call)

    return decorate


def _turn(
    hours: float,
    deadline: str | timedelta | datetime,
    place: str | None,
    power_kw: float | None,
    words: str,
    strict: bool,
    clock: Clock | None,
) -> Turn:
    settings, clock = Settings.read(), clock or Clock()
    now = clock.now()
    job = Job(
        words=words,
        length=timedelta(hours=hours),
        submitted_at=now,
        deadline=spans.deadline(deadline, now),
        place=place or settings.place,
        power_kw=power_kw,
    )
    return Turn(Api(settings), job, clock=clock, say=log.warning, is_strict=strict, on_end=_begun.discard)
