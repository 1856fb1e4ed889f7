"""`python -m pipelines.neso`: fetch this source alone. `python -m pipelines.neso discover SUBJECT`: what the portal has on it."""

import argparse
import sys

from pipelines import command as source_command
from pipelines.collect import open_client
from pipelines.neso import DATASETS
from pipelines.neso.discover import PortalUnavailable, report
from pipelines.neso.source import neso
from pipelines.settings import PipelineSettings
from warehouse import command
from warehouse.prepare import prepare
from warehouse.printed import out
from warehouse.server import resolve


def main() -> None:
    """The command line. Exit codes of `discover`: 0 printed, 1 the portal did not answer, 2 a wrong setting."""
    if sys.argv[1:2] != ["discover"]:
        source_command.main(neso, DATASETS)
        return
    parser = argparse.ArgumentParser(prog="python -m pipelines.neso", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="discover")
    discover = commands.add_parser("discover", help="what the portal has on a subject, and whether it is loaded here")
    discover.add_argument("subject", help='words to search for, such as "price"; "" for everything')
    discover.add_argument(
        "--no-columns", action="store_true", help="do not ask the datastore for columns: much quicker"
    )
    arguments = parser.parse_args()
    command.run(lambda: _discover(arguments.subject, with_columns=not arguments.no_columns))


def _discover(subject: str, *, with_columns: bool) -> bool:
    settings, database = PipelineSettings(), resolve()
    prepare(database)
    try:
        with open_client(database, "neso", settings) as client:
            for line in report(client, subject, with_columns=with_columns):
                out(line, flush=True)
    except PortalUnavailable as error:
        out(f"error: NESO's portal cannot be read: {error}", file=sys.stderr)
        return False
    return True


if __name__ == "__main__":
    main()
