"""Every tool, as the server lists it: what it does not declare is refused by its name, and so is a value of another type."""

from typing import Any, cast

import anyio
import pytest
from mcp import Client

from service.access import Service
from service.mcp import server
from service.mcp.desk import Desk
from tests.service.json_types import VALUES, kinds, other_types
from warehouse.database import Database

NOTHING_BEHIND = Desk(cast(Service, None), cast(Database, None))
"""What is refused here is refused before anything is looked up"""


async def wrong_arguments(client: Client) -> list[str]:
    """What a tool took, or refused without a word about the argument."""
    wrong, tried = [], 0
    for tool in (await client.list_tools()).tools:
        properties = tool.input_schema.get("properties", {})
        assert tool.input_schema["additionalProperties"] is False, tool.name
        sent: list[tuple[str, Any]] = [("no_such", value) for values in VALUES.values() for value in values]
        for name, schema in properties.items():
            sent += [(name, value) for value in other_types(kinds(schema))]
        for name, value in sent:
            said = await refusal(client, tool.name, {name: value})
            if f"{name}: " not in said and f"{name}." not in said:
                wrong.append(f"{tool.name}({name}={value!r}): {said}")
        tried += len(sent)
    assert tried > 200
    return wrong


async def refusal(client: Client, tool: str, arguments: dict[str, Any]) -> str:
    """The words in which a tool refuses; none if it does not."""
    reply = await client.call_tool(tool, arguments)
    return " ".join(getattr(part, "text", "") for part in reply.content) if reply.is_error else ""


def test_no_tool_takes_an_argument_that_it_does_not_declare_or_of_another_type() -> None:
    async def use() -> list[str]:
        async with Client(server.create(NOTHING_BEHIND)) as client:
            return await wrong_arguments(client)

    assert not anyio.run(use)


@pytest.mark.parametrize("places", [["13"], '["13"]'])
def test_a_list_may_come_as_its_text_as_some_clients_send_it(places: object) -> None:
    async def use() -> str:
        async with Client(server.create(NOTHING_BEHIND)) as client:
            return await refusal(client, "compare_places", {"places": places, "hours": True, "no_such": 1})

    said = anyio.run(use)
    assert "hours: " in said and "no_such: is not an argument of compare_places, which takes places" in said
    assert "places: Input" not in said
