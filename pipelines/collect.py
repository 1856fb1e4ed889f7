"""Many windows, fetched side by side and landed in chunks, so that memory holds one chunk and no more."""

import gc
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from pathlib import Path

from pipelines.client import UpstreamClient
from pipelines.dataset import Dataset, Earlier, FetchRequest
from pipelines.fetch import Fetched, fetch
from pipelines.landing import Landing
from pipelines.rate_limit import turn
from pipelines.remembered import doubted_since, newest_version, newest_whole
from pipelines.settings import PipelineSettings
from warehouse.database import Database
from warehouse.ledger import Fetch, Run
from warehouse.periods import Window

SIDE_BY_SIDE = 4
CHUNK_BYTES = 40 * 1024 * 1024
FETCHED_AHEAD = 8


@dataclass(frozen=True)
class Request:
    """A window of a dataset to request."""

    dataset: Dataset
    window: Window
    even_if_known: bool = False
    """Ask although the upstream says that nothing has changed."""


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
    datasets: Sequence[Dataset],
    on_progress: Callable[[Fetch], None] = lambda fetch: None,
) -> Collected:
    """Fetch and land the requests. One that fails leaves the others. Every dataset of `datasets` gets its table."""
    collected = Collected()
    gc.freeze()  # what the libraries hold is not garbage: looking through it after each chunk would take as long as landing it
    with ExitStack() as stack:
        stack.callback(gc.unfreeze)
        sources = dict.fromkeys(request.dataset.source for request in requests)
        clients = {source: stack.enter_context(open_client(database, source, settings)) for source in sources}
        # a pool each, so that a source whose limits make it slow holds up none of the others
        pools = {source: stack.enter_context(ThreadPoolExecutor(SIDE_BY_SIDE, f"fetch-{source}")) for source in sources}

        def ask(request: Request) -> Fetched:
            def known() -> str | None:
                return None if request.even_if_known else newest_version(database, request.dataset, request.window)

            def earlier() -> Earlier | None:
                return newest_whole(database, request.dataset, request.window)

            def doubted() -> datetime | None:
                return doubted_since(database, request.dataset, request.window)

            fetch_request = FetchRequest(clients[request.dataset.source], request.window, known, earlier, doubted, now)
            return fetch(fetch_request, request.dataset, now=now, fill_gaps=settings.fills_gaps)

        answers = _as_they_come(pools, ask, requests)  # the first are on their way while dlt gets ready
        landing = stack.enter_context(Landing(database, run_id=run.run_id, work_dir=work_dir))
        landing.prepare(datasets)
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
    if live and set(live) <= known and fetched.fetch.outcome == "landed":
        return replace(fetched.fetch, outcome="known")
    for payload_id in refused.keys() & set(live):
        return replace(fetched.fetch, outcome="rejected", detail=refused[payload_id])
    return fetched.fetch


def _as_they_come(
    pools: Mapping[str, Executor], ask: Callable[[Request], Fetched], requests: Sequence[Request]
) -> Iterator[Fetched]:
    """The answers as they come; of each source a few are fetched ahead of whoever lands them."""
    following = {source: iter([r for r in requests if r.dataset.source == source]) for source in pools}
    waiting: dict[Future[Fetched], str] = {}

    def submit(source: str, most: int) -> None:
        for request in islice(following[source], most):
            waiting[pools[source].submit(ask, request)] = source

    for source in pools:
        submit(source, FETCHED_AHEAD)

    def answers() -> Iterator[Fetched]:
        while waiting:
            for done in wait(waiting, return_when=FIRST_COMPLETED).done:
                submit(waiting.pop(done), 1)
                yield done.result()

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
def open_client(database: Database, source: str, settings: PipelineSettings) -> Iterator[UpstreamClient]:
    """A client of a source that keeps its limits together with everyone who uses this database."""
    upstream = settings.upstreams[source]
    with ExitStack() as stack:
        turns = {
            kind: stack.enter_context(turn(database, source if kind == "requests" else f"{source}_{kind}", rate))
            for kind, rate in upstream.rates.items()
        }
        yield UpstreamClient(upstream.url, settings=settings, turns=turns)
