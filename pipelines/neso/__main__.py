"""`python -m pipelines.neso discover SUBJECT`: what NESO's portal has on a subject."""

import argparse
import sys

from pydantic import ValidationError

from pipelines.collect import open_client
from pipelines.neso.discover import PortalUnavailable, report
from pipelines.settings import PipelineSettings
from warehouse.database import resolve
from warehouse.errors import UsageError, in_words
from warehouse.prepare import prepare
from warehouse.printed import out


def main() -> None:
    """The command line. Exit codes: 0 told, 1 the portal did not answer, 2 a wrong setting."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.neso", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="discover")
    discover = commands.add_parser("discover", help="what the portal has on a subject, and whether it is loaded here")
    discover.add_argument("subject", help='words to search for, such as "price"; "" for everything')
    discover.add_argument(
        "--no-columns", action="store_true", help="do not ask the datastore for columns: much quicker"
    )
    arguments = parser.parse_args()
    try:
        settings, database = PipelineSettings(), resolve()
        prepare(database)
        with open_client(database, "neso", settings) as client:
            for line in report(client, arguments.subject, with_columns=not arguments.no_columns):
                out(line, flush=True)
    except PortalUnavailable as error:
        out(f"error: NESO's portal cannot be read: {error}", file=sys.stderr)
        sys.exit(1)
    except (UsageError, ValidationError) as error:
        out(f"error: {in_words(error) if isinstance(error, ValidationError) else error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
