"""Chunks of a backfill on other machines: Dask workers (DASK_ADDRESS), through prefect-dask.

A worker needs this project installed and DATABASE_URL in its own environment: no address and no secret travels with a chunk.
It fetches and lands; publishing stays with the flow. Rate limits are counted in the database, so they hold for all together.
"""

import threading
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.futures import as_completed
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from flows import temporary
from flows.settings import FlowSettings
from pipelines.catalogue import DATASETS
from pipelines.collect import Collected, Request, collect
from pipelines.settings import PipelineSettings
from warehouse import ledger
from warehouse.errors import UsageError
from warehouse.periods import Window
from warehouse.server import resolve
from warehouse.settings import WarehouseSettings

CHUNK_REQUESTS = 4
"""Small enough that a year of one dataset is shared by several workers."""
CONNECT_SECONDS = 10

_one_at_a_time = threading.Lock()  # a worker may have several threads; dlt is not made for that


@dataclass(frozen=True)
class Piece:
    """A request in plain words, so that it can travel."""

    dataset: str
    start: datetime
    end: datetime
    even_if_known: bool


def task_runner() -> "TaskRunner[Any]":
    """Dask where DASK_ADDRESS is set, threads of this process where not."""
    address = FlowSettings().dask_address
    if not address:
        return ThreadPoolTaskRunner()
    from prefect_dask.task_runners import DaskTaskRunner

    return DaskTaskRunner(address=address)


def is_wanted() -> bool:
    """Whether chunks go elsewhere. Raises UsageError where that is requested and not possible."""
    settings = FlowSettings()
    if not settings.dask_address:
        return False
    if not settings.prefect_api_url:
        raise UsageError(
            "DASK_ADDRESS is set, but PREFECT_API_URL is not: workers report to a Prefect server that they can reach. "
            "Set it, or leave DASK_ADDRESS out to run here."
        )
    import logging

    from distributed import Client

    logging.getLogger("distributed").setLevel(logging.ERROR)
    try:
        with Client(  # type: ignore[no-untyped-call]
            settings.dask_address, timeout=CONNECT_SECONDS, set_as_default=False
        ) as client:
            workers = len(client.scheduler_info(n_workers=-1)["workers"])
    except (OSError, ValueError, TimeoutError) as error:
        raise UsageError(f"DASK_ADDRESS: no Dask scheduler answers at {settings.dask_address} ({error}).") from None
    if not workers:
        raise UsageError(
            f"DASK_ADDRESS: the scheduler at {settings.dask_address} has no worker; start one and try again."
        )
    return True


def land_elsewhere(run: ledger.Run, requests: Sequence[Request], now: datetime) -> Iterator[Collected]:
    """Land the requests on the workers; what each chunk led to, as they come."""
    pieces = [
        Piece(request.dataset.slug, request.window.start, request.window.end, request.even_if_known)
        for request in requests
    ]
    chunks = [pieces[i : i + CHUNK_REQUESTS] for i in range(0, len(pieces), CHUNK_REQUESTS)]
    futures = [land_chunk.submit(run.run_id, run.flow, chunk, now) for chunk in chunks]
    for future in as_completed(futures):
        yield future.result()


def land_here(run_id: uuid.UUID, flow: str, pieces: Sequence[Piece], now: datetime) -> Collected:
    """Fetch and land a few windows, wherever this runs. Requested again, it lands nothing twice."""
    with _one_at_a_time, temporary.inside(WarehouseSettings().data_dir):
        database = resolve()
        return collect(
            database,
            ledger.Run(database, run_id, flow),
            [Request(DATASETS[p.dataset], Window(p.start, p.end), p.even_if_known) for p in pieces],
            now=now.astimezone(UTC),
            work_dir=WarehouseSettings().data_dir / "dlt",
            settings=PipelineSettings(),
            datasets=[],
        )


@task(name="land a chunk", cache_policy=NO_CACHE, persist_result=False, retries=1)
def land_chunk(run_id: uuid.UUID, flow: str, pieces: Sequence[Piece], now: datetime) -> Collected:
    """A chunk on a worker. It travels as a copy of itself, so what it does stands in a function that is imported there."""
    return land_here(run_id, flow, pieces, now)
