"""The tools and resources of the service, as one MCP server."""

from mcp.server.mcpserver import MCPServer

from service.mcp import data_tools, grid_tools, resources, work_tools
from service.mcp.desk import Desk
from service.mcp.strict_tools import Tools

INSTRUCTIONS = (
    "British electricity data, and a scheduler that places compute where and when the grid is clean or cheap. Ask data_trust "
    "first. best_window and compare_places only look; submit_task reserves. Places are region numbers, postcodes, coordinates, "
    "cloud regions or cities of Great Britain. Instants are UTC. Every result says how old its data is, how much of it is "
    "synthetic and where it came from."
)


def create(desk: Desk) -> MCPServer:
    """The server over the parts of a service that is open."""
    tools = Tools()
    for room in (grid_tools, work_tools, data_tools):
        room.add(tools, desk)
    server = MCPServer(
        "energy-data-pipeline", title="British energy data", version="1", instructions=INSTRUCTIONS,
        log_level="WARNING", tools=tools.all,
    )  # fmt: skip
    resources.add(server, desk)
    return server
