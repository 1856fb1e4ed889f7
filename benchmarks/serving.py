"""A server in a process of its own, and requests of it by hand."""

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.settings import inherited
from warehouse.database import Database
from warehouse.settings import PROJECT_ROOT

TOKEN = "token-of-the-benchmark-and-of-nothing-else"
SETTINGS = {
    "SERVICE_PORT": "0",
    "SERVICE_TOKEN": TOKEN,
    "SERVICE_REQUESTS_PER_MINUTE": "10000000",
    "REGION_CAPACITY_KW": "1000000000",
}


@contextmanager
def serving(database: Database, *arguments: str) -> Iterator[int]:
    """A server in a process of its own; its port."""
    environment = inherited({**SETTINGS, "DATABASE_URL": database.address()})
    with subprocess.Popen(
        [sys.executable, *arguments],
        cwd=PROJECT_ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            found = re.search(r"http://[^:]+:(\d+)", process.stdout.readline() if process.stdout else "")
            if not found:
                raise SystemExit(f"{' '.join(arguments)} does not serve")
            yield int(found[1])
        finally:
            process.terminate()


async def get(port: int, path: str) -> float:
    """Seconds of one request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    begun = time.perf_counter()
    await exchange(reader, writer, f"GET {path}")
    writer.close()
    return time.perf_counter() - begun


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: str, body: bytes = b"") -> bytes:
    """A request and the body of its answer by hand: a client library would cost more than the bare service."""
    headers = f"Host: localhost\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    writer.write(f"{line} HTTP/1.1\r\n{headers}\r\n\r\n".encode() + body)
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    answer = await reader.readexactly(int(length[1]) if length else 0)
    assert b" 201 " in head or b" 200 " in head, head + answer
    return answer
