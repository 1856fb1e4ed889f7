"""The official client, for tests: one connection, several calls."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio
import httpx
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.service.conftest import TOKEN

T = TypeVar("T")


def over_http(served: httpx.Client, use: Callable[[Client], Awaitable[T]], *, token: str = TOKEN, **options: Any) -> T:
    """What `use` does with a client that is connected to the service."""

    async def run() -> T:
        headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
        async with httpx2.AsyncClient(headers=headers, timeout=60) as web:
            url = str(served.base_url).rstrip("/") + "/mcp"
            async with Client(streamable_http_client(url, http_client=web), **options) as client:
                return await use(client)

    return anyio.run(run)


async def result(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """The structured result of a tool; each carries its age, how much is synthetic and where it came from."""
    reply = await client.call_tool(tool, arguments)
    assert not reply.is_error, reply.content
    assert reply.structured_content is not None
    found = dict(reply.structured_content)
    assert (
        0 <= found["data"]["synthetic_share"] <= 1 and found["data"]["age_seconds"] >= 0 and found["data"]["in_words"]
    )
    assert found["origin"]["tables"] and found["origin"]["sources"]
    return found


async def error(client: Client, tool: str, **arguments: Any) -> str:
    """The words in which a tool refuses."""
    reply = await client.call_tool(tool, arguments)
    assert reply.is_error, reply.structured_content
    return " ".join(getattr(part, "text", "") for part in reply.content)
