"""The sources as any dlt user knows them: one resource per dataset, one row per response.

    import dlt
    from pipelines.elexon.source import elexon

    dlt.pipeline("prices", destination="duckdb", dataset_name="raw").run(elexon())

The same from the command line, into the warehouse of this project or anywhere else that dlt can write to:

    python -m pipelines.elexon
    python -m pipelines.elexon --from 2024-01-01 --to 2024-01-07 --datasets market_index --destination duckdb
"""

import logging
import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dlt

from pipelines.client import UpstreamClient
from pipelines.dataset import Dataset, FetchRequest
from pipelines.fetch import fetch
from pipelines.rate_limit import own_turn
from pipelines.settings import PipelineSettings
from pipelines.staging_rows import PAYLOAD_COLUMNS, REJECTED_COLUMNS, arrow, payload_row, rejected_row
from warehouse.periods import Window, day_start, floor
from warehouse.printed import printable

log = logging.getLogger("pipelines")
REJECTED_TABLE = "rejected_payloads"
FAILURES = "failures"
"""The metric of a dlt resource that counts its requests that failed or were rejected: the run goes on with the others"""


def resource(table: str, rows: Any, columns: dict[str, Any], **hints: Any) -> Any:
    """A dlt resource of rows that are merged on `payload_id`: what is there already is not written again."""
    return dlt.resource(
        rows,
        name=table,
        columns=columns,
        primary_key="payload_id",
        write_disposition={"disposition": "merge", "strategy": "insert-only"},
        **hints,
    )


def resources(
    datasets: Sequence[Dataset], start: date | None, end: date | None, names: Sequence[str] | None
) -> Iterator[Any]:
    """A resource for each dataset: of the settlement days from `start` to `end` (both included), or what a refresh would request.

    Raises ValueError for a name that is none of the datasets.
    """
    for dataset in chosen(datasets, names):
        one = resource(dataset.payload_table, _rows(dataset, start, end), PAYLOAD_COLUMNS)
        for columns in (
            {},
            REJECTED_COLUMNS,
        ):  # dlt adds to the columns of the resource itself unless they are emptied first
            one.apply_hints(table_name=REJECTED_TABLE, columns=columns, create_table_variant=True)
        yield one


def chosen(datasets: Sequence[Dataset], names: Sequence[str] | None) -> list[Dataset]:
    """The datasets of these names; all of them without. Raises ValueError for a name that is none."""
    known = {dataset.name: dataset for dataset in datasets}
    if unknown := set(names or ()) - set(known):
        raise ValueError(f"there is no dataset {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return [known[name] for name in names or known]


def windows(dataset: Dataset, start: date | None, end: date | None, now: datetime) -> list[Window]:
    """The fewest requests that cover these settlement days, as far as the dataset has them; what a refresh requests without."""
    if start is None:
        wanted = dataset.refreshes(now)
    else:
        last = day_start((end or start) + timedelta(days=1))
        first, last = max(day_start(start), dataset.earliest(now)), min(last, floor(now - dataset.lag))
        wanted = Window(first, last) if first < last else None
    return list(dataset.pieces.cover(wanted.half_hours())) if wanted else []


def _rows(dataset: Dataset, start: date | None, end: date | None) -> Iterator[Any]:
    settings, now, run_id = PipelineSettings(), datetime.now(UTC), uuid.uuid4()
    upstream = settings.upstreams[dataset.source]
    turns = {kind: own_turn(f"{dataset.source} {kind}", rate) for kind, rate in upstream.rates.items()}
    client = UpstreamClient(upstream.url, settings=settings, turns=turns)
    for window in windows(dataset, start, end, now):
        fetched = fetch(FetchRequest(client, window, now=now), dataset, now=now, fill_gaps=settings.fills_gaps)
        if fetched.fetch.detail:
            log.warning("%s: %s", dataset.slug, printable(fetched.fetch.detail))
        if fetched.fetch.outcome in ("failed", "rejected"):
            metrics = dlt.current.resource_metrics()
            metrics[FAILURES] = metrics.get(FAILURES, 0) + 1
        yield from (arrow([payload_row(one, run_id)], PAYLOAD_COLUMNS) for one in fetched.payloads)
        yield from _rejected(fetched.rejected, run_id)


def _rejected(rejected: Iterable[Any], run_id: uuid.UUID) -> Iterator[Any]:
    for one in rejected:
        yield dlt.mark.with_table_name(arrow([rejected_row(one, run_id)], REJECTED_COLUMNS), REJECTED_TABLE)
