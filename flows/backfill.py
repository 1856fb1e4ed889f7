"""`backfill`: any past settlement days. Asks only for what is not there, in chunks; run it again to go on."""

import argparse
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from flows import elsewhere
from flows.lineage import ProgressArtifact
from flows.outcome import flow, outcome, went_well
from flows.plan import backfill_requests, stand_in_requests
from flows.progress import Progress
from flows.run_log import say
from flows.session import Session, session
from flows.steps import Published, dataset_locks, land, publish
from flows.summary import shortfall_of, summarize
from flows.table_states import table_states
from pipelines.catalogue import DATASETS, select
from pipelines.collect import Collected, Request
from pipelines.dataset import Dataset
from warehouse import command
from warehouse.errors import UsageError
from warehouse.locks import exclusive_all
from warehouse.periods import LONDON, Window, iso, settlement_days

CHUNK_REQUESTS = 30
"""Requests that are landed before they are published: a year of one dataset."""


@flow(name="backfill", task_runner=elsewhere.task_runner())
def backfill(
    start: date, end: date, datasets: list[str] | None = None, force: bool = False, newest_first: bool = False
) -> dict[str, Any]:
    """Fill the settlement days from `start` to `end`, both included, with what is missing of them.

    A half-hour is there when each of its values is real and was fetched two days after it or later. A run that was
    killed goes on where it stopped: what had landed is published first, and is not requested again.

    Args:
        start: first settlement day (Europe/London).
        end: last settlement day.
        datasets: sources, datasets or clean tables; all of them by default.
        force: request everything again, whether it is there or not.
        newest_first: begin with the last day and go back, instead of the other way round.
    """
    is_elsewhere = elsewhere.is_wanted()
    chosen = select(datasets or ())
    now = datetime.now(UTC)
    asked = _asked(chosen, start, end, now)
    parameters = {"start": start, "end": end, "datasets": datasets, "force": force, "newest_first": newest_first}
    with session("backfill", parameters, now=now) as this:
        published, collected = Published(), Collected()
        land(this, [])  # makes the payload tables that do not exist yet
        published.add(publish(this))  # what a run that was killed had landed
        requests = backfill_requests(this.database, chosen, asked, now, force=force)
        requests.sort(key=lambda request: request.window, reverse=newest_first)
        with Progress("Backfilling", len(requests)) as progress:
            artifact = ProgressArtifact(len(requests))
            for landed in _landed(this, requests, progress, is_elsewhere):
                collected.fetches += landed.fetches
                collected.bodies_rejected += landed.bodies_rejected
                published.add(publish(this))
                artifact.update(len(collected.fetches), _so_far(collected, published, len(requests), now))
        for chunk in _chunks(stand_in_requests(this.database, list(DATASETS.values()), collected.fetches, now)):
            landed = land(this, chunk)
            collected.fetches += landed.fetches
            collected.bodies_rejected += landed.bodies_rejected
            published.add(publish(this))
        if not requests:
            say("Nothing is missing: every half-hour of these days is there. Nothing was requested.")
        summarize(this, collected.fetches, collected.bodies_rejected, published, table_states(this))
        return outcome(
            this.run.failures,
            shortfall=shortfall_of(this, collected.fetches),
            run_id=str(this.run.run_id),
            requests=len(requests),
        )


def _landed(this: Session, requests: Sequence[Request], progress: Progress, is_elsewhere: bool) -> Iterator[Collected]:
    """Chunk by chunk, what was landed: here, or on the workers of DASK_ADDRESS."""
    if not is_elsewhere:
        yield from (land(this, chunk, progress) for chunk in _chunks(requests))
        return
    with exclusive_all(this.database, dataset_locks(requests)):
        for landed in elsewhere.land_elsewhere(this.run, requests, this.now):
            for fetch in landed.fetches:
                progress.fetched(fetch)
            yield landed


def _so_far(collected: Collected, published: Published, total: int, begun: datetime) -> str:
    done = len(collected.fetches)
    spent = datetime.now(UTC) - begun
    left = spent / done * (total - done) if done else None
    rows = sum(published.rows_written.values())
    return (
        f"{done} of {total} requests, {rows:,} rows written; {round(spent.total_seconds())} s so far, "
        f"about {round(left.total_seconds()) if left is not None else '?'} s left"
    )


def _asked(datasets: Sequence[Dataset], start: date, end: date, now: datetime) -> Window:
    """The half-hours of these days. Raises UsageError where no dataset could have any."""
    today = now.astimezone(LONDON).date()
    first = min(dataset.earliest(now) for dataset in datasets)
    if end < start:
        raise UsageError(f"The last day ({end}) is before the first ({start}).")
    if start.year < first.year:
        raise UsageError(f"There is no data before {first.year}: the first day ({start}) is too early.")
    if start > today:
        raise UsageError(f"The first day ({start}) is in the future; today is {today}. `refresh` fetches forecasts.")
    asked = settlement_days(start, end)
    for dataset in datasets:
        begins = dataset.earliest(now)
        if begins > asked.start:
            say(f"{dataset.slug} begins at {iso(begins)}; earlier days are skipped.")
    return asked


def _chunks(requests: Sequence[Request]) -> Iterator[Sequence[Request]]:
    for first in range(0, len(requests), CHUNK_REQUESTS):
        yield requests[first : first + CHUNK_REQUESTS]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is not a day; write it as YYYY-MM-DD, such as {date.today() - timedelta(days=7)}."
        ) from None


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m flows.backfill",
        description=backfill.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--from", dest="start", required=True, metavar="DAY", help="first settlement day, YYYY-MM-DD")
    parser.add_argument("--to", dest="end", required=True, metavar="DAY", help="last settlement day, YYYY-MM-DD")
    parser.add_argument(
        "--datasets", nargs="*", metavar="NAME", help="sources, datasets or clean tables; all by default"
    )
    parser.add_argument("--newest-first", action="store_true", help="begin with the last day")
    parser.add_argument("--force", action="store_true", help="request everything again, whether it is there or not")
    arguments = parser.parse_args()

    def run() -> bool:
        return went_well(
            backfill,
            start=_day(arguments.start),
            end=_day(arguments.end),
            datasets=arguments.datasets,
            force=arguments.force,
            newest_first=arguments.newest_first,
        )

    command.run(run)


if __name__ == "__main__":
    main()
