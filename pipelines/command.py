"""`python -m pipelines.<slug>`: fetch one source, into staging of this project's warehouse or wherever dlt can write to."""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import dlt
import psycopg
from dlt.common.exceptions import DltException
from pydantic import ValidationError

from pipelines.collect import Request, collect
from pipelines.dataset import Dataset
from pipelines.dlt_source import FAILURES, chosen, windows
from pipelines.landing import SCHEMA, configure
from pipelines.settings import PipelineSettings
from warehouse import command, ledger
from warehouse.counts import count
from warehouse.errors import UsageError, trouble_of
from warehouse.prepare import prepare
from warehouse.printed import out
from warehouse.server import resolve
from warehouse.settings import WarehouseSettings


def main(source: Callable[..., Any], datasets: Sequence[Dataset]) -> None:
    """The command line of a source. Exit codes: 0 fetched, 1 something could not be, 2 a wrong parameter or setting."""
    slug = datasets[0].source
    parser = argparse.ArgumentParser(prog=f"python -m pipelines.{slug}", description=__doc__)
    parser.add_argument(
        "--from", dest="start", type=date.fromisoformat, help="first settlement day, such as 2024-01-01"
    )
    parser.add_argument("--to", dest="end", type=date.fromisoformat, help="last settlement day; the first by default")
    parser.add_argument("--datasets", nargs="*", help=f"some of {', '.join(dataset.name for dataset in datasets)}")
    parser.add_argument("--destination", help="a destination of dlt, such as duckdb; the warehouse by default")
    arguments = parser.parse_args()
    command.run(lambda: _fetch(slug, source, datasets, arguments))


def _fetch(slug: str, source: Callable[..., Any], datasets: Sequence[Dataset], asked: argparse.Namespace) -> bool:
    try:
        settings, wanted = PipelineSettings(), chosen(datasets, asked.datasets)
        if not asked.destination:
            return _in_the_warehouse(slug, wanted, asked.start, asked.end, settings)
        return _elsewhere(slug, source(asked.start, asked.end, asked.datasets), asked.destination)
    except ValidationError:
        raise
    except ValueError as error:
        raise UsageError(str(error)) from None
    except (DltException, psycopg.Error) as error:
        out(f"error: {trouble_of(error) or error}", file=sys.stderr)
        return False


def _elsewhere(slug: str, payloads: Any, destination: str) -> bool:
    """Wherever dlt can write to. False if a request failed; the log has said why."""
    configure()
    pipeline = dlt.pipeline(f"energy_{slug}", destination=destination, dataset_name=SCHEMA)
    pipeline.run(payloads)
    for table, rows in pipeline.last_trace.last_normalize_info.row_counts.items():
        if not table.startswith("_dlt"):
            out(f"{table}: {count(rows, 'response')}")
    failures = _failures_of(pipeline.last_trace.last_extract_info)
    for table, failed in failures.items():
        out(f"{table}: {count(failed, 'request')} failed", file=sys.stderr)
    return not failures


def _failures_of(extracted: Any) -> dict[str, int]:
    """By payload table, how many requests failed or were rejected. `extracted` is dlt's ExtractInfo."""
    found: Counter[str] = Counter()
    for packages in extracted.metrics.values():
        for package in packages:
            for table, metrics in package["resource_metrics"].items():
                found[table] += metrics.custom_metrics.get(FAILURES, 0)
    return dict(+found)


def _in_the_warehouse(
    slug: str, datasets: Sequence[Dataset], start: date | None, end: date | None, settings: PipelineSettings
) -> bool:
    """Staging alone. False if a request failed."""
    database, now = resolve(), datetime.now(UTC)
    prepare(database)
    requests = [Request(dataset, window) for dataset in datasets for window in windows(dataset, start, end, now)]
    with ledger.run(database, f"pipelines.{slug}", {"from": start and str(start), "to": end and str(end)}) as run:
        collected = collect(
            database, run, requests, now=now, work_dir=WarehouseSettings().data_dir / "dlt", settings=settings, datasets=datasets
        )  # fmt: skip
    for fetch in collected.fetches:
        out(f"{fetch.dataset}: {fetch.outcome}: {fetch.request_url}{f': {fetch.detail}' if fetch.detail else ''}")
    out(
        f"{count(len(collected.fetches), 'request')}, {count(collected.payloads_added, 'new payload')} in {SCHEMA}. "
        "Validate and publish: python -m flows.transform"
    )
    return not any(fetch.outcome in ("failed", "rejected") for fetch in collected.fetches)
