"""What every tool is given: the parts of the service, the database, and who is calling. Refusals become sentences for the
agent.
"""

import functools
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ParamSpec, TypeVar

import psycopg
import psycopg_pool
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError

from service import ages
from service.access import Service
from service.mcp.results import Origin, PlaceUsed
from service.models.common import Age
from service.places.place import BadPlace, Place, UnknownPlace
from service.places.search import search
from service.problems import Problem
from service.tenancy import Caller
from warehouse.database import Database
from warehouse.errors import UsageError
from warehouse.licences import LICENCES

P = ParamSpec("P")
R = TypeVar("R")
logger = logging.getLogger("service")
CALLER = "energy.caller"
"""Where the door notes in a request's scope whom it let in"""
READ_ONLY = {"read_only_hint": True, "open_world_hint": False}


@dataclass(frozen=True)
class Desk:
    """The service behind the tools."""

    service: Service
    database: Database
    local_caller: Caller | None = None
    """Who is calling where there is no request: over stdio"""

    def caller(self, context: Context[Any, Any]) -> Caller:
        """Who sent this message. Raises ToolError where the door noted nobody."""
        request = context.request_context.request
        caller = self.local_caller if request is None else request.scope.get(CALLER)
        if not isinstance(caller, Caller):
            raise ToolError("this connection has no token")
        return caller

    async def age(self) -> Age:
        """How old the forecast is, and how much of it is synthetic."""
        outlook = await self.service.outlooks.now()
        return Age(**ages.of(outlook, datetime.now(UTC)))

    async def place(self, text: str, *, areas_only: bool = True) -> PlaceUsed:
        """The one region that a text names. Raises ToolError that says what to give instead."""
        found = await self.places([text], areas_only=areas_only)
        if len(found) > 1:
            names = ", ".join(f"{one.region_id} ({one.region_name})" for one in found)
            raise ToolError(f"{text!r} covers several regions: {names}; name one of them by its number")
        return found[0]

    async def places(self, texts: list[str], *, areas_only: bool = True) -> list[PlaceUsed]:
        """The regions that texts name, each once."""
        names = (await self.service.outlooks.now()).region_names
        used: dict[int, PlaceUsed] = {}
        for text in texts:
            for one in _search(text):
                if areas_only and one.region_id > 14:
                    raise ToolError(
                        f"{text!r} is an aggregate, where nothing can run; name one of the licence areas 1 to 14"
                    )
                used.setdefault(
                    one.region_id,
                    PlaceUsed(
                        asked=one.asked, region_id=one.region_id, region_name=names.get(one.region_id),
                        because=one.because, is_certain=one.is_certain,
                    ),
                )  # fmt: skip
        return list(used.values())


def _search(text: str) -> list[Place]:
    if not 1 <= len(text) <= 80:
        raise ToolError("a place has 1 to 80 characters")
    try:
        return list(search(text))
    except (UnknownPlace, BadPlace) as error:
        raise ToolError(str(error)) from None


def origin(*tables: str, sources: tuple[str, ...] = ("carbon_intensity",), note: str | None = None) -> Origin:
    """Where numbers of these tables came from."""
    terms = [LICENCES[source] for source in sources]
    return Origin(tables=list(tables), sources=[f"{one.attribution} ({one.name})" for one in terms], note=note)


def in_words(tool: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """A tool whose refusals are sentences, and whose failures tell nothing of what was sent."""

    @functools.wraps(tool)
    async def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await tool(*args, **kwargs)
        except Problem as problem:
            raise ToolError(problem.detail) from None
        except UsageError as error:
            raise ToolError(str(error)) from None
        except (TimeoutError, psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable):
            raise ToolError("this took too long and was stopped; ask for less, or try again") from None
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedFunction):
            raise ToolError("the tables are not built yet: make run builds them") from None
        except (psycopg.OperationalError, psycopg_pool.PoolTimeout) as error:
            logger.error("the database cannot be used: %s", type(error).__name__)
            raise ToolError("the database cannot be used now; try again") from None
        except psycopg.Error as error:
            logger.error("the database refuses a statement: %s", type(error).__name__)
            raise ToolError("the database refuses it") from None

    return call
