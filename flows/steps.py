"""The steps that flows are made of. Each is a Prefect task, and a plain function without a Prefect server."""

import uuid
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import psycopg
from prefect import task
from prefect.cache_policies import NO_CACHE
from sqlalchemy.exc import SQLAlchemyError

from checkpoints.subjects import CleanTable, Expected
from flows import isolate, lineage
from flows.dataset_facts import dataset_facts
from flows.dbt_runner import Built
from flows.progress import Progress
from flows.run_log import is_tracked
from flows.session import Session
from pipelines.catalogue import DATASETS
from pipelines.collect import Collected, Request, collect
from warehouse.ledger import QualityResult
from warehouse.locks import exclusive, exclusive_all
from warehouse.relations import staging_model

if TYPE_CHECKING:
    from checkpoints.staging import Verdict

P = ParamSpec("P")
R = TypeVar("R")


def step(name: str, run_name: str | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A task if Prefect runs the flow, the function itself if not. `run_name` may name its parameters, as `task_run_name`."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        tracked: Callable[P, R] = task(name=name, task_run_name=run_name, cache_policy=NO_CACHE, persist_result=False)(
            function
        )

        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            return (tracked if is_tracked() else function)(*args, **kwargs)

        call.__doc__ = function.__doc__
        return call

    return decorate


@dataclass
class Published:
    """What became of the payloads that waited: published, held back, or set aside in part."""

    held: dict[str, str] = field(default_factory=dict)
    """dataset -> why its payloads are held back"""
    set_aside: dict[str, int] = field(default_factory=dict)
    """"<dataset>: <fault>" -> rows whose impossible values became NULL"""
    unmet: list[str] = field(default_factory=list)
    """critical expectations of the clean checkpoint that were not met"""
    not_built: dict[str, str] = field(default_factory=dict)
    """model -> why dbt could not build it"""
    rows_written: dict[str, int] = field(default_factory=dict)
    """clean table -> rows that are new or changed"""

    @property
    def failures(self) -> list[str]:
        """Each reason why a table is not what it should be."""
        return [
            *(f"{dataset} is held back: {reason}" for dataset, reason in self.held.items()),
            *(f"{model} could not be built: {reason}" for model, reason in self.not_built.items()),
            *(f"after publishing, {expectation}" for expectation in self.unmet),
        ]

    def add(self, other: "Published") -> None:
        """Take up what a later publication led to."""
        self.held |= other.held
        self.not_built |= other.not_built
        self.unmet += other.unmet
        for counts, more in ((self.set_aside, other.set_aside), (self.rows_written, other.rows_written)):
            for name, rows in more.items():
                counts[name] = counts.get(name, 0) + rows


def publish(session: Session) -> Published:
    """Validate and publish every pending payload. One process at a time; a second one waits its turn."""
    from checkpoints import data_docs

    with exclusive(session.database, "publish"):
        waiting = session.dbt.pending()
        if not waiting and session.dbt.is_built():
            return Published()
        published = Published()
        readable = _unpack_what_can_be(session, waiting, published)
        if waiting and not readable:
            return published
        published.add(validate_landed(session, readable))
        _build_what_can_be(session, readable, published)
        published.unmet = validate_built(session, readable, without=published.not_built)
        data_docs.write(
            list(session.suites.tallies.values()),
            session.data_dir,
            flow=session.run.flow,
            run_id=session.run.run_id,
        )
    return published


def _unpack_what_can_be(session: Session, waiting: Sequence[str], published: Published) -> list[str]:
    """Unpack these datasets; payloads that cannot be unpacked are held. Returns the datasets that were unpacked."""
    failures = unpack(session, waiting).failures
    struck = [dataset for dataset in waiting if staging_model(dataset) in failures]
    consumers = session.dbt.consumers()
    for dataset in struck:
        held = isolate.hold_unreadable(session.database, session.run, dataset, consumers[dataset])
        published.held |= dict.fromkeys([dataset], next(iter(held.values()))) if held else {}
    if struck:
        failures = unpack(session, waiting).failures
    published.not_built |= failures
    readable = [dataset for dataset in waiting if staging_model(dataset) not in failures]
    return [] if "dbt" in failures else readable  # dbt itself could not run: nothing was unpacked


def _build_what_can_be(session: Session, datasets: Sequence[str], published: Published) -> None:
    """Build the clean tables; payloads that a table refuses are held, and the others are published."""
    built = build(session, datasets)
    tried: set[str] = set()
    while struck := {node.name for node in built.nodes if node.consumes and node.status == "error"} - tried:
        _count_rows(built, published)
        tried |= struck
        for table in sorted(struck):
            published.held |= isolate.hold_unwritable(session.database, session.run, session.dbt, table)
        built = build(session, datasets)
    _count_rows(built, published)
    published.not_built |= built.failures


def _count_rows(built: Built, published: Published) -> None:
    rows = {node.name: node.rows for node in built.nodes if node.rows and node.consumes}
    published.add(Published(rows_written=rows))


@step("land")
def land(session: Session, requests: Sequence[Request], progress: Progress | None = None) -> Collected:
    """Fetch these windows, politely and side by side, and land their payloads. A dataset is one run's at a time.

    The payload tables of all datasets are there afterwards, because dbt reads each of them: with no request, that is all.
    """
    with exclusive_all(session.database, dataset_locks(requests)):
        return collect(
            session.database,
            session.run,
            requests,
            now=session.now,
            work_dir=session.data_dir / "dlt",
            settings=session.upstreams,
            datasets=list(DATASETS.values()),
            on_progress=progress.fetched if progress else lambda fetch: None,
        )


def dataset_locks(requests: Sequence[Request]) -> set[str]:
    """The locks of the datasets that are requested: a second run of one waits until the first has landed its chunk."""
    return {f"dataset {request.dataset.slug}" for request in requests}


@step("unpack what is new")
def unpack(session: Session, datasets: Sequence[str]) -> Built:
    """Unpack the payloads that wait to be published, so that their values can be validated."""
    built = session.dbt.unpack(datasets)
    lineage.show_nodes(built.nodes)
    return built


@step("validate payloads", run_name="validate what landed of {dataset}")
def _validate_payloads(session: Session, dataset: str, expected: Expected) -> "Verdict":
    from checkpoints import staging

    return staging.validate(session.database, session.run, session.suites, dataset, expected)


@step("staging checkpoint")
def validate_landed(session: Session, datasets: Sequence[str]) -> Published:
    """Pass what is possible, hold back with a reason what is not."""
    published = Published()
    for dataset in datasets:
        verdict = _verdict(session, dataset, published)
        if verdict is None:  # nothing of it is published in this run
            continue
        if verdict.held:
            published.held[dataset] = next(iter(verdict.held.values()))
        for fault, rows in verdict.set_aside.items():
            published.set_aside[f"{dataset}: {fault}"] = rows
    return published


def _verdict(session: Session, dataset: str, published: Published, *, is_second: bool = False) -> "Verdict | None":
    """Validate the pending payloads of a dataset; those that cannot be validated are held, and the others validated again."""
    expected = dataset_facts()[dataset].expected
    try:
        return _validate_payloads(session, dataset, expected)
    except (psycopg.DataError, SQLAlchemyError) as error:
        held = {}
        if not is_second:
            validate_alone = partial(_validate_alone, session, dataset, expected)
            consumers = session.dbt.consumers()[dataset]
            held = isolate.hold_unvalidatable(session.database, session.run, dataset, consumers, validate_alone)
        if not held or unpack(session, [dataset]).failures:  # unpacked again without them
            published.not_built[staging_model(dataset)] = f"it could not be validated: {str(error).splitlines()[0]}"
            return None
        published.held[dataset] = next(iter(held.values()))
        return _verdict(session, dataset, published, is_second=True)


def _validate_alone(session: Session, dataset: str, expected: Expected, payload_id: uuid.UUID) -> None:
    from checkpoints import staging

    staging.validate_alone(session.database, session.suites, dataset, expected, payload_id)


@step("build the clean tables")
def build(session: Session, datasets: Sequence[str]) -> Built:
    """Publish what passed to the clean tables."""
    built = session.dbt.publish(datasets)
    lineage.show_nodes(built.nodes)
    return built


@step("clean checkpoint")
def validate_built(session: Session, datasets: Sequence[str], without: Container[str] = ()) -> list[str]:
    """Validate the half-hours that were just published, except tables that were not built; what was critical and not met."""
    from checkpoints.suite import failed

    unmet = []
    fed = (table for table in session.dbt.facts().clean_tables() if not table.datasets.keys().isdisjoint(datasets))
    for table in (table for table in fed if table.name not in without):
        unmet += [f"{table.name}: {result.summary}" for result in failed(_validate_table(session, table))]
    return unmet


@step("validate a table", run_name="validate {table.name}")
def _validate_table(session: Session, table: CleanTable) -> list[QualityResult]:
    from checkpoints import clean

    return clean.validate(session.database, session.run, session.suites, table)
