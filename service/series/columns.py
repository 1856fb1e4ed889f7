"""A page of a series as Arrow batches, read from the server as they are sent on: memory of one batch, whatever the page holds.

psycopg gives a row at a time, which costs more than everything else; ADBC gives columns (`docs/decisions/series.md`). Its
calls block, so each runs in a thread; the threads are few and their own, because Arrow keeps memory for each thread that it
works in.
"""

import asyncio
import hashlib
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import pyarrow as pa
from adbc_driver_manager import Error
from adbc_driver_postgresql import StatementOptions, dbapi
from psycopg.sql import SQL, Composable, Literal

from service.problems import Problem
from service.series.asked import Asked, cursor_after
from service.series.query import REAL_KNOWN_AT, SYNTHETIC_KNOWN_AT, UPDATED_AT, order_of, page
from service.tenancy import CONNECT_SECONDS, STREAMS, Kind
from warehouse.database import Database, Role

Made = TypeVar("Made")
logger = logging.getLogger("service")

BATCH_BYTES = 500_000
"""About so much of PostgreSQL's own format makes one batch"""
QUERY_CANCELLED, NOT_BUILT = "57014", ("42P01", "42883")


@dataclass(frozen=True)
class Head:
    """What is said of a page before its rows: how many, how much is synthetic, when the newest real and the newest synthetic
    value were known, which page follows, and its validator.
    """

    rows: int
    synthetic_share: float | None
    real_known_at: datetime | None
    synthetic_known_at: datetime | None
    next_cursor: str | None
    etag: str


class Columns:
    """A page of one series in one transaction: `head`, then `batch` until it gives None, then `close`; from any thread."""

    def __init__(self, url: str, asked: Asked, statement_seconds: float):
        self._asked = asked
        self._lock = threading.Lock()
        self._connection = dbapi.connect(url)
        try:
            self._cursor = self._connection.cursor()
            self._cursor.adbc_statement.set_options(**{StatementOptions.BATCH_SIZE_HINT_BYTES.value: str(BATCH_BYTES)})
            self._run(SQL("set transaction isolation level repeatable read, read only"))
            self._run(SQL("set local statement_timeout = {}").format(Literal(f"{statement_seconds}s")))
        except BaseException:
            self._connection.close()
            raise
        self._batches: pa.RecordBatchReader | None = None

    def head(self, asked: Mapping[str, Any], media_type: str) -> Head:
        """What is said before the rows; the validator also depends on what was asked and on the form."""
        series, has_marks = self._asked.series, self._asked.series.has_periods
        first = next(iter(series.values)) if not self._asked.uses_captures else "value"
        share = "avg(is_synthetic::int) filter (where position <= {limit})" if has_marks else "null"
        known = ", ".join(
            f"max({name}) filter (where position <= {{limit}})" for name in (REAL_KNOWN_AT, SYNTHETIC_KNOWN_AT)
        )
        (row,) = self._run(
            SQL(
                "select count(*), (" + share + ")::float8, " + known + f", max({UPDATED_AT}), sum({first})::float8 "
                "from (select row_number() over () as position, page.* from ({page}) as page) as page"
            ).format(limit=Literal(self._asked.limit), page=page(self._asked.one_more(), hidden=True))
        )
        rows, synthetic_share, real, synthetic, updated_at, total = row
        cursor = None
        if rows > self._asked.limit:
            (last,) = self._run(
                SQL("select {keys} from ({page}) as page offset {last}").format(
                    keys=order_of(series), page=page(self._asked), last=Literal(self._asked.limit - 1)
                )
            )
            cursor = cursor_after(last)
        content = repr((sorted(asked.items()), media_type, rows, synthetic_share, real, synthetic, updated_at, total))
        digest = hashlib.sha256(content.encode()).hexdigest()[:32]
        return Head(min(rows, self._asked.limit), synthetic_share, real, synthetic, cursor, f'"{digest}"')

    def _run(self, statement: Composable) -> list[tuple[Any, ...]]:
        self._cursor.execute(statement.as_string(None))
        return list(self._cursor.fetchall()) if self._cursor.description else []

    def schema(self) -> pa.Schema:
        """Names and types of the columns, without PostgreSQL's own remarks. Starts to read."""
        return pa.schema([pa.field(f.name, f.type) for f in self._reader().schema])

    def batch(self) -> pa.RecordBatch | None:
        """The next rows; None after the last."""
        with self._lock:
            try:
                found = self._reader().read_next_batch()
            except StopIteration:
                return None
            return pa.RecordBatch.from_arrays(found.columns, names=found.schema.names)

    def _reader(self) -> pa.RecordBatchReader:
        if self._batches is None:
            self._cursor.execute(page(self._asked).as_string(None))
            self._batches = self._cursor.fetch_record_batch()
        return self._batches

    def close(self) -> None:
        """Stop reading, at once, and give the connection back."""
        with suppress(Error, ValueError):
            self._cursor.adbc_cancel()
        with self._lock, suppress(Error):
            if self._batches is not None:
                self._batches.close()
            self._cursor.close()
            self._connection.close()


@dataclass
class Streams:
    """Connections and threads of one kind: so many at once, each connection closed after its page."""

    database: Database
    kind: Kind = STREAMS
    _free: asyncio.Semaphore = field(init=False)
    _threads: ThreadPoolExecutor = field(init=False)
    _closers: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        most = self.kind.connections
        self._free = asyncio.Semaphore(most)
        self._threads = ThreadPoolExecutor(most, thread_name_prefix=self.kind.name)
        # not the threads above: one of them may be waiting for what a closer ends
        self._closers = ThreadPoolExecutor(most, thread_name_prefix=f"{self.kind.name}-close")

    async def open(self, asked: Asked) -> Columns:
        """Begin a page, which `give_back` must end. Raises Problem 503 where no connection is free or to be had."""
        try:
            async with asyncio.timeout(self.kind.wait_seconds):
                await self._free.acquire()
        except TimeoutError:
            raise Problem(
                503, "too many files are being read at once; try again", headers={"Retry-After": "5"}
            ) from None
        opening = asyncio.ensure_future(self.in_thread(Columns, self._url(), asked, self.kind.statement_seconds))
        try:
            with answered_as_problems():
                return await asyncio.shield(opening)
        except BaseException as error:
            if not opening.done():  # its asker has gone: what it opens is closed when it is there
                opening.add_done_callback(_close_soon)
            self._free.release()
            raise error

    async def in_thread(self, call: Callable[..., Made], *arguments: Any) -> Made:
        """A call that blocks and works with batches."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, call, *arguments)

    async def give_back(self, columns: Columns) -> None:
        """End a page, whatever was read of it."""
        try:
            await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._closers, columns.close))
        finally:
            self._free.release()
            pa.default_memory_pool().release_unused()

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._closers.shutdown(wait=False)

    def _url(self) -> str:
        more = f"application_name=energy-service%20{self.kind.name}&connect_timeout={CONNECT_SECONDS}"
        return f"{self.database.url(role=Role.SERVICE)}&{more}"


def _close_soon(opened: "asyncio.Task[Columns]") -> None:
    if opened.exception() is None:
        threading.Thread(target=opened.result().close, daemon=True).start()


@contextmanager
def answered_as_problems() -> Iterator[None]:
    """Errors of ADBC as Problem 503, in the words of the others; never its own message, which may hold the address."""
    try:
        yield
    except Error as error:
        if error.sqlstate == QUERY_CANCELLED:
            words, seconds = "this took too long and was stopped; try again, or ask for less (a smaller `limit`)", "5"
        elif error.sqlstate in NOT_BUILT:
            words, seconds = "the tables are not built yet; run `make run` and try again", "30"
        else:
            logger.error("the database cannot be used: %s %s", type(error).__name__, error.sqlstate)
            words, seconds = "the database cannot be used now; try again", "5"
        raise Problem(503, words, headers={"Retry-After": seconds}) from None
