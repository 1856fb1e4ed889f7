"""The parts of one running service, put together over a database: for the HTTP API, and for MCP over stdio."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from service.access import Service
from service.look_ups import LookUps
from service.metrics import Metrics
from service.outlook import Outlooks
from service.series.columns import Streams
from service.series.summary import Summaries
from service.settings import ServiceSettings
from service.signals import Renewables
from service.submission import Submissions
from service.tenancy import FILES, HEAVY, KEPT, PUBLIC, READS, STREAMS, TOKENS, WRITES, pool
from warehouse.database import Database


def assemble(database: Database, settings: ServiceSettings) -> Service:
    """The parts, not opened yet."""
    reads, heavy, writes, kept, public, tokens = (
        pool(database, kind) for kind in (READS, HEAVY, WRITES, KEPT, PUBLIC, TOKENS)
    )
    outlooks = Outlooks(kept, settings.service_outlook_seconds)
    return Service(
        settings=settings,
        pool=reads,
        heavy=heavy,
        writes=writes,
        kept=kept,
        public=public,
        tokens=tokens,
        look_ups=LookUps(tokens),
        outlooks=outlooks,
        submissions=Submissions(writes, outlooks, settings),
        summaries=Summaries(kept),
        streams=Streams(database, STREAMS),
        files=Streams(database, FILES),
        metrics=Metrics(),
        renewables=Renewables(kept),
        is_embedded=database.is_embedded,
    )


@asynccontextmanager
async def opened(service: Service) -> AsyncIterator[None]:
    """Its connections are open."""
    async with AsyncExitStack() as stack:
        for connections in (service.tokens, service.kept, service.pool, service.heavy, service.writes, service.public):
            await stack.enter_async_context(connections)
        await stack.enter_async_context(service.outlooks)
        yield
    service.streams.close()
    service.files.close()
