"""`refresh`: the newest of everything, from the upstreams to the views."""

import argparse
from typing import Any

from flows.outcome import flow, outcome, went_well
from flows.plan import stand_in_requests
from flows.progress import Progress
from flows.replan import after_refresh
from flows.rereads import refresh_requests
from flows.session import session
from flows.steps import Published, land, publish
from flows.summary import shortfall_of, summarize
from flows.table_states import table_states
from pipelines.catalogue import DATASETS, select
from warehouse import command


@flow(name="refresh")
def refresh(datasets: list[str] | None = None) -> dict[str, Any]:
    """Land the newest of each dataset, validate it, publish what passed, validate that, and print a summary.

    What a source should have and did not give is fetched from the second source of the same quantity, if there is one.

    Args:
        datasets: sources, datasets or clean tables; all of them by default.
    """
    chosen = select(datasets or ())
    with session("refresh", {"datasets": datasets}) as this:
        requests = refresh_requests(this.database, chosen, this.now)
        with Progress("Fetching", len(requests)) as progress:
            collected = land(this, requests, progress)
            progress.say("Validating and publishing")
        published = Published()
        published.add(publish(this))
        second = stand_in_requests(this.database, list(DATASETS.values()), collected.fetches, this.now)
        if second:
            landed = land(this, second)
            collected.fetches += landed.fetches
            collected.bodies_rejected += landed.bodies_rejected
            published.add(publish(this))
        summarize(this, collected.fetches, collected.bodies_rejected, published, table_states(this))
        if any(dataset.source == "carbon_intensity" or dataset.slug == "neso__n2ex_day_ahead" for dataset in chosen):
            this.run.failures += after_refresh(this.database)
        return outcome(this.run.failures, shortfall=shortfall_of(this, collected.fetches), run_id=str(this.run.run_id))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m flows.refresh", description=refresh.__doc__)
    parser.add_argument(
        "--datasets", nargs="*", metavar="NAME", help="sources, datasets or clean tables; all by default"
    )
    arguments = parser.parse_args()
    command.run(lambda: went_well(refresh, datasets=arguments.datasets))


if __name__ == "__main__":
    main()
