"""Resources: the words of the field as this service uses them, and the tables as the database describes them."""

from pathlib import Path

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceNotFoundError

from service.mcp.data_tools import columns, every_table
from service.mcp.desk import Desk

GLOSSARY = Path(__file__).with_name("glossary.md").read_text(encoding="utf-8")


def add(server: MCPServer, desk: Desk) -> None:
    """Register the resources."""

    @server.resource("energy://glossary", name="glossary", title="Glossary", mime_type="text/markdown")
    def glossary() -> str:
        """Words and units, and what they mean here."""
        return GLOSSARY

    @server.resource("energy://tables", name="tables", title="Tables and views", mime_type="text/markdown")
    async def list_of_tables() -> str:
        """Every table and view of schema public, with its grain."""
        rows = await every_table(desk)
        return "\n".join(
            [
                "# Tables and views",
                "",
                *(f"- **{row['name']}** ({row['kind']}): {row['description'].strip()}" for row in rows),
            ]
        )

    @server.resource("energy://tables/{table}", name="table", title="A table", mime_type="text/markdown")
    async def one_table(table: str) -> str:
        """A table's columns, with units, as the database describes them."""
        row = next((one for one in await every_table(desk) if one["name"] == table), None)
        if row is None:
            raise ResourceNotFoundError("there is no such table; energy://tables lists them")
        lines = [f"- `{one.name}` {one.type}: {one.description or ''}" for one in await columns(desk, table)]
        return "\n".join([f"# {table}", "", row["description"].strip(), "", *lines])
