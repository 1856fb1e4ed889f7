"""The response that sends a file while it is made. Its connection is given back when it ends, however it ends."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping

import pyarrow as pa
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from service.series.columns import Columns, Streams
from service.series.files import MEDIA_TYPES, File, Format
from service.series.pace import Pace


class Streamed(StreamingResponse):
    """A page as a file. What cannot be sent to its end breaks off, so that the client notices."""

    def __init__(
        self,
        streams: Streams,
        columns: Columns,
        schema: pa.Schema,
        form: Format,
        *,
        about: dict[str, str],
        headers: Mapping[str, str],
        pace: Pace | None = None,
    ):
        self._streams, self._columns, self._pace = streams, columns, pace or Pace()
        self._file = File(form, schema, about)
        super().__init__(self._parts(), headers=headers, media_type=MEDIA_TYPES[form])

    async def _parts(self) -> AsyncIterator[bytes]:
        until = time.monotonic() + self._streams.kind.total_seconds
        while time.monotonic() < until:
            part = await self._streams.in_thread(self._next)
            if part is None:
                yield await self._streams.in_thread(self._file.end)
                return
            if part:
                yield part
        raise TimeoutError("a file took too long to send")

    def _next(self) -> bytes | None:
        batch = self._columns.batch()
        return None if batch is None else self._file.add(batch)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, and give the connection back. Raises TimeoutError if the client takes it too slowly."""

        async def paced(message: Message) -> None:
            begun = time.monotonic()
            async with asyncio.timeout(self._pace.patience):
                await send(message)
            self._pace.took(len(message.get("body", b"")), time.monotonic() - begun)

        try:
            await super().__call__(scope, receive, paced)
        finally:
            await self._streams.give_back(self._columns)
