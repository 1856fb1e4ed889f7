"""`python -m service.mcp [--operator NAME]`: the tools over stdio, for a program on this machine that starts it.

It works on DATABASE_URL, or on the embedded database of this folder. Whoever starts it has the database anyway, so it asks
for no token: it speaks for the platform, or with --operator for that operator alone.
"""

import argparse
import asyncio
import contextlib
import logging
import sys

from service.assembly import assemble, opened
from service.mcp import server
from service.mcp.desk import Desk
from service.settings import ServiceSettings
from service.tenancy import Caller
from service.words import instants
from warehouse import command
from warehouse.database import Database, Role
from warehouse.errors import UsageError
from warehouse.prepare import prepare
from warehouse.server import resolve


async def serve(database: Database, caller: Caller) -> None:
    """Serve one client until it goes."""
    service = assemble(database, ServiceSettings())
    async with opened(service):
        await server.create(Desk(service, database, caller)).run_stdio_async()


def caller_of(database: Database, operator: str | None) -> Caller:
    """Whom it speaks for. Raises UsageError for an operator that does not exist."""
    if operator is None:
        return Caller(None, "stdio")
    with database.connect(role=Role.SERVICE) as connection:
        connection.execute("select set_config('energy.operator_id', 'all', false)")
        row = connection.execute("select operator_id from app.operators where name = %s", [operator]).fetchone()
    if row is None:
        raise UsageError(f"There is no operator {operator!r}.")
    return Caller(row[0], "stdio")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m service.mcp", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--operator", help="name of the operator to speak for; the platform if left out")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    command.run(lambda: _speak_for(arguments.operator))


def _speak_for(operator: str | None) -> None:
    with contextlib.redirect_stdout(sys.stderr):  # stdout is the client's
        database = resolve()
        prepare(database)
        caller = caller_of(database, operator)
        instants.warm_up()
    asyncio.run(serve(database, caller))


if __name__ == "__main__":
    main()
