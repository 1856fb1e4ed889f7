"""Many windows, fetched side by side and landed in chunks, so that memory holds one chunk and no more."""

import gc
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from pathlib import Path

from pipelines.client import UpstreamClient
from pipelines.dataset import Dataset
from pipelines.fetch import Fetched, fetch
from pipelines.landing import Landing
from pipelines.periods import Window
from pipelines.rate_limit import limiter
from pipelines.settings import PipelineSettings
from warehouse.database import Database
from warehouse.ledger import Fetch, Run

SIDE_BY_SIDE = 4
CHUNK_BYTES = 40 * 1024 * 1024
FETCHED_AHEAD = 8


@dataclass(frozen=True)
class Request:
    """A window of a dataset to ask for."""

    dataset: Dataset
    window: Window


@dataclass
class Collected:
    """What a collection led to, over all its chunks."""

    fetches: list[Fetch] = field(default_factory=list)
    payloads_added: int = 0
    bodies_rejected: int = 0


def collect(
    database: Database,
    run: Run,
    requests: Sequence[Request],
    *,
    now: datetime,
    work_dir: Path,
    settings: PipelineSettings,
    on_progress: Callable[[Fetch], None] = lambda fetch: None,
) -> Collected:
    """Fetch and land the requests. One that fails leaves the others."""
    collected = Collected()
    gc.freeze()  # what the libraries hold is not garbage: looking through it after each chunk would take as long as landing it
    with ExitStack() as stack:
        clients = {
            source: stack.enter_context(_client(database, source, settings))
            for source in {request.dataset.source for request in requests}
        }
        pool = stack.enter_context(ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="fetch"))

        def ask(request: Request) -> Fetched:
            client = clients[request.dataset.source]
            return fetch(client, request.dataset, request.window, now=now, fill_gaps=settings.fills_gaps)

        answers = _in_order(pool, ask, requests)  # the first are on their way while dlt gets ready
        landing = stack.enter_context(Landing(database, run_id=run.run_id, work_dir=work_dir))
        landing.prepare({request.dataset.slug: request.dataset for request in requests}.values())
        for chunk in _chunks(answers):
            _land(run, landing, chunk, collected)
            for fetched in chunk:
                on_progress(fetched.fetch)
    return collected


def _land(run: Run, landing: Landing, chunk: Sequence[Fetched], collected: Collected) -> None:
    landed = landing.load(
        [payload for fetched in chunk for payload in fetched.payloads],
        [rejected for fetched in chunk for rejected in fetched.rejected],
    )
    fetches = [_with_outcome(fetched, landed.known, landed.refused) for fetched in chunk]
    run.record_fetches(fetches)
    collected.fetches += fetches
    collected.payloads_added += len(landed.added)
    collected.bodies_rejected += sum(len(fetched.rejected) for fetched in chunk) + len(landed.refused)


def _with_outcome(fetched: Fetched, known: Set[uuid.UUID], refused: Mapping[uuid.UUID, str]) -> Fetch:
    """The fetch as the landing left it: nothing new, or a body that PostgreSQL itself could not store."""
    live = [payload.payload_id for payload in fetched.payloads if payload.origin == "live"]
    if live and live[0] in known:
        return replace(fetched.fetch, outcome="known")
    if live and live[0] in refused:
        return replace(fetched.fetch, outcome="rejected", detail=refused[live[0]])
    return fetched.fetch


def _in_order(
    pool: ThreadPoolExecutor, ask: Callable[[Request], Fetched], requests: Sequence[Request]
) -> Iterator[Fetched]:
    """The answers in the order of the requests, a few of them fetched ahead of whoever lands them."""
    waiting: deque[Future[Fetched]] = deque(pool.submit(ask, request) for request in requests[:FETCHED_AHEAD])

    def answers() -> Iterator[Fetched]:
        following = iter(requests[FETCHED_AHEAD:])
        while waiting:
            answer = waiting.popleft().result()
            waiting.extend(pool.submit(ask, request) for request in islice(following, 1))
            yield answer

    return answers()


def _chunks(answers: Iterator[Fetched]) -> Iterator[list[Fetched]]:
    chunk: list[Fetched] = []
    size = 0
    for fetched in answers:
        chunk.append(fetched)
        size += sum(len(payload.body) for payload in fetched.payloads)
        if size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


@contextmanager
def _client(database: Database, source: str, settings: PipelineSettings) -> Iterator[UpstreamClient]:
    base_url, per_second = settings.upstream(source)
    with limiter(database, source, per_second=per_second) as shared:
        yield UpstreamClient(base_url, settings=settings, limiter=shared)
