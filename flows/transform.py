"""`transform`: dbt alone. Publishes every pending payload, and brings every table, view and function up to date."""

import argparse
from typing import Any

from flows.outcome import flow, outcome, went_well
from flows.session import session
from flows.steps import land, publish
from flows.summary import summarize
from flows.table_states import table_states
from warehouse import command


@flow(name="transform")
def transform() -> dict[str, Any]:
    """Build the clean tables and views from what has landed; nothing is asked of any upstream.

    What was dropped is built anew from the payloads of schema staging: that is how `public` is restored.
    """
    with session("transform", {}) as this:
        collected = land(this, [])  # makes the payload tables that do not exist yet
        published = publish(this)
        summarize(this, collected.fetches, collected.bodies_rejected, published, table_states(this))
        return outcome(this.run.failures, run_id=str(this.run.run_id))


def main() -> None:
    """The command line."""
    argparse.ArgumentParser(prog="python -m flows.transform", description=transform.__doc__).parse_args()
    command.run(lambda: went_well(transform))


if __name__ == "__main__":
    main()
