"""Group commit: items that arrive while a batch is being written wait, and are written together as the next batch.

One batch is written at a time. Many at once therefore share one lock, one snapshot and one commit. What needs no turn is done
before it: while one batch is being written, the items of the next are prepared.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import psycopg

Item = TypeVar("Item")
Result = TypeVar("Result")

CAUSED_BY_ONE = (psycopg.IntegrityError, psycopg.DataError, psycopg.ProgrammingError, psycopg.InternalError)
"""Errors that an item may have caused. Any other error is the database's: the rest of its batch would meet it again."""
MOST = 64
"""Items of a batch, unless more were sent together"""
TURNS = 2
"""Turns of the event loop before a batch is closed: requests that have arrived are read in them, and join it"""


class NotTaken(Exception):
    """The wait for a batch took too long; nothing of the item was written."""


@dataclass(eq=False)
class _Waiting(Generic[Item, Result]):
    item: Item
    result: "asyncio.Future[Result]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def meets(self, result: Result | BaseException) -> None:
        """It has come to this, unless its sender has gone."""
        if self.result.done():
            return
        if isinstance(result, BaseException):
            self.result.set_exception(result)
            self.result.exception()  # whoever waited for it may have gone
        else:
            self.result.set_result(result)


@dataclass(eq=False)
class _Group(Generic[Item, Result]):
    """Items that were sent together: they are written together."""

    members: list[_Waiting[Item, Result]]
    is_taken: bool = False
    """whether a batch has it: what is taken is written, whoever waits for it"""
    is_gone: bool = False
    """whether its sender gave up before that"""


class GroupCommit(Generic[Item, Result]):
    """Writes items in batches, in the order of their arrival.

    `write` writes a batch in one transaction and returns a result or an exception for each item. If the transaction itself
    fails and one of the items may be the cause, each is written alone: one that fails, fails alone.
    `prepare` writes nothing: it does for items that have arrived what can be done before it is their turn. They may never get
    one. An error that one of them may have caused is left to `write`, which meets it again.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Item]], Awaitable[Sequence[Result | Exception]]],
        prepare: Callable[[Sequence[Item]], Awaitable[None]] | None = None,
    ):
        self._write, self._prepare = write, prepare
        self._arrived: deque[_Group[Item, Result]] = deque()
        self._ready: deque[_Group[Item, Result]] = deque()
        self._preparing: asyncio.Task[None] | None = None
        self._writing: asyncio.Task[None] | None = None

    async def put(self, item: Item, wait_seconds: float) -> Result:
        """The result of an item. Raises NotTaken if no batch takes it in time, or the exception that the item met."""
        (waiting,) = await self._met([item], wait_seconds)
        return waiting.result.result()

    async def put_all(self, items: Sequence[Item], wait_seconds: float) -> list[Result | BaseException]:
        """Results of items, written in one transaction, or what each met. Raises NotTaken if no batch takes them in time."""
        members = await self._met(items, wait_seconds)
        results = [waiting.result.exception() or waiting.result.result() for waiting in members]
        if isinstance(results[0], NotTaken):
            raise results[0]
        return results

    async def _met(self, items: Sequence[Item], wait_seconds: float) -> "list[_Waiting[Item, Result]]":
        """The items when each has met its result."""
        group = _Group[Item, Result]([_Waiting(item) for item in items])
        self._arrived.append(group)
        if self._preparing is None or self._preparing.done():
            self._preparing = asyncio.create_task(self._make_ready())
        time_is_up = asyncio.get_running_loop().call_later(wait_seconds, self._give_up, group)
        try:
            await asyncio.wait([waiting.result for waiting in group.members])
        finally:
            time_is_up.cancel()
            self._give_up(group)  # nothing if it was taken
        return group.members

    def _give_up(self, group: "_Group[Item, Result]") -> None:
        if group.is_taken or group.is_gone:
            return
        group.is_gone = True  # it may be in neither queue, because it is being prepared
        for queue in (self._arrived, self._ready):
            if group in queue:
                queue.remove(group)
        for waiting in group.members:
            waiting.meets(NotTaken())

    async def _make_ready(self) -> None:
        while self._arrived:
            for _ in range(TURNS):
                await asyncio.sleep(0)
            groups = _next(self._arrived)
            if not self._ready and not self._is_writing:
                _take(groups)  # they wait for nobody
            self._ready += await self._prepared(groups)
            if self._ready and not self._is_writing:
                self._writing = asyncio.create_task(self._work())

    @property
    def _is_writing(self) -> bool:
        return self._writing is not None and not self._writing.done()

    async def _prepared(self, groups: "list[_Group[Item, Result]]") -> "list[_Group[Item, Result]]":
        """Those that can be written."""
        members = [waiting for group in groups for waiting in group.members]
        if self._prepare is None or not members:
            return groups
        try:
            await self._prepare([waiting.item for waiting in members])
        except CAUSED_BY_ONE:
            return groups
        except BaseException as error:
            _take(groups)
            _fail(members, error)
            return []
        return groups

    async def _work(self) -> None:
        while groups := _next(self._ready):
            _take(groups)
            await self._settle([waiting for group in groups for waiting in group.members])

    async def _settle(self, batch: Sequence[_Waiting[Item, Result]]) -> None:
        try:
            results = await self._write([waiting.item for waiting in batch])
        except CAUSED_BY_ONE as error:
            if len(batch) == 1:
                batch[0].meets(error)
                return
            for waiting in batch:
                await self._settle([waiting])
            return
        except BaseException as error:
            _fail(batch, error)
            return
        for waiting, result in zip(batch, results, strict=True):
            waiting.meets(result)


def _next(queue: "deque[_Group[Item, Result]]") -> "list[_Group[Item, Result]]":
    """The groups of the next batch, without those whose senders gave up."""
    groups: list[_Group[Item, Result]] = []
    size = 0
    while queue and (queue[0].is_gone or not groups or size + len(queue[0].members) <= MOST):
        group = queue.popleft()
        if not group.is_gone:
            groups.append(group)
            size += len(group.members)
    return groups


def _take(groups: "Sequence[_Group[Item, Result]]") -> None:
    for group in groups:
        group.is_taken = True


def _fail(batch: Sequence[_Waiting[Item, Result]], error: BaseException) -> None:
    """All of them meet it. Raises it again if it is no error but the end of the service."""
    for waiting in batch:
        waiting.meets(error if isinstance(error, Exception) else RuntimeError("the service is stopping"))
    if not isinstance(error, Exception):
        raise error
