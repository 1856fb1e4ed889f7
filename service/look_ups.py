"""Look-ups of tokens in the database: all that wait are one query, so that made-up ones are never in the way of a good one.

The cost is bounded whatever is sent, from however many addresses: one query at a time, with a rest after it, of so many tokens,
taken from each address in turn. A token that is not known is not looked up again for some seconds.
"""

import asyncio
import hmac
from collections.abc import Sequence

import psycopg
import psycopg_pool
from cachetools import TTLCache

from service.fair import Line
from service.tenancy import Caller, Pool, connected

TROUBLE = (psycopg.Error, psycopg_pool.PoolTimeout, TimeoutError)
MOST_AT_ONCE = 500
MOST_WAITING = 5_000
REST_SECONDS = 0.02
UNKNOWN_SECONDS = 10
UNKNOWN_KEPT = 10_000
_FIND = """
select token.* from unnest(%s::bytea[]) as asked (digest) cross join lateral app.tokens_like(asked.digest) as token
"""


class LookUps:
    """The look-ups of one service."""

    def __init__(self, connections: Pool):
        self._pool = connections
        self._line: Line[bytes] = Line()
        self._found: dict[bytes, asyncio.Future[Caller | None]] = {}
        self._unknown: TTLCache[bytes, None] = TTLCache(UNKNOWN_KEPT, UNKNOWN_SECONDS)
        self._work: asyncio.Task[None] | None = None

    async def find(self, digest: bytes, address: str = "") -> Caller | None:
        """Whom the token of this digest speaks for; None if it is not known. Raises TimeoutError if too many wait, and what
        psycopg raises if the database cannot be read."""
        if digest in self._unknown:
            return None
        found = self._found.get(digest)
        if found is None:
            if len(self._found) >= MOST_WAITING:
                raise TimeoutError("too many tokens wait to be looked up")
            found = self._found[digest] = asyncio.get_running_loop().create_future()
            self._line.put(address, digest)
            if self._work is None or self._work.done():
                self._work = asyncio.create_task(self._look_up())
        return await asyncio.shield(found)

    async def _look_up(self) -> None:
        while digests := self._line.take(MOST_AT_ONCE):
            try:
                known = await self._read(digests)
            except Exception as error:  # whatever it is, nobody waits for ever
                for digest in digests:
                    future = self._found.pop(digest)
                    future.set_exception(error)
                    future.exception()  # whoever asked may have gone
            else:
                for digest in digests:
                    self._found.pop(digest).set_result(known.get(digest))
                    if digest not in known:
                        self._unknown[digest] = None
            await asyncio.sleep(REST_SECONDS)

    async def _read(self, digests: Sequence[bytes]) -> dict[bytes, Caller]:
        async with connected(self._pool) as connection:
            rows = await (await connection.execute(_FIND, [list(digests)])).fetchall()
        by_beginning: dict[bytes, list[bytes]] = {}
        for digest in digests:
            by_beginning.setdefault(digest[:4], []).append(digest)
        return {
            digest: Caller(row["operator_id"], row["label"])
            for row in rows
            for digest in by_beginning.get(bytes(row["token_sha256"])[:4], ())
            if hmac.compare_digest(bytes(row["token_sha256"]), digest)
        }
