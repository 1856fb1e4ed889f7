"""`refresh`: the newest of everything, from the upstreams to the views."""

import argparse
from typing import Any

from flows import command
from flows.outcome import flow, outcome, went_well
from flows.plan import refresh_windows
from flows.progress import Progress
from flows.session import session
from flows.steps import land, publish
from flows.summary import shortfall_of, summarize
from flows.table_states import table_states
from pipelines.catalogue import select
from pipelines.collect import Request


@flow(name="refresh")
def refresh(datasets: list[str] | None = None) -> dict[str, Any]:
    """Land the newest of each dataset, judge it, publish what passed, judge that, and say how things stand.

    Args:
        datasets: sources, datasets or clean tables; all of them if left out.
    """
    chosen = select(datasets or ())
    with session("refresh", {"datasets": datasets}) as this:
        requests = [Request(dataset, window) for dataset in chosen for window in refresh_windows(dataset, this.now)]
        with Progress("Fetching", len(requests)) as progress:
            collected = land(this, requests, progress)
            progress.say("Judging and publishing")
        published = publish(this)
        summarize(this, collected.fetches, collected.bodies_rejected, published, table_states(this))
        return outcome(this.run.failures, shortfall=shortfall_of(collected.fetches), run_id=str(this.run.run_id))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m flows.refresh", description=refresh.__doc__)
    parser.add_argument(
        "--datasets", nargs="*", metavar="NAME", help="sources, datasets or clean tables; all if left out"
    )
    arguments = parser.parse_args()
    command.run(lambda: went_well(refresh, datasets=arguments.datasets))


if __name__ == "__main__":
    main()
