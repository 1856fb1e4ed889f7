"""What a run says: on a terminal, and in the run's own log where Prefect tracks it."""

from prefect.context import get_run_context
from prefect.exceptions import MissingContextError
from prefect.logging import get_run_logger
from rich.console import Console

from warehouse.printed import out, printable


def is_tracked() -> bool:
    """Whether a Prefect server tracks this run. Not `prefect.runtime`, to which a child of a tracked run is that run."""
    try:
        get_run_context()
    except MissingContextError:
        return False
    return True


def say(line: str, *, console: Console | None = None, is_warning: bool = False) -> None:
    """A line of progress or of the summary; on standard output unless a console is given.

    In Prefect a warning stands out, and can be filtered for.
    """
    if is_tracked():
        logger = get_run_logger()
        (logger.warning if is_warning else logger.info)(printable(line))
    elif console:
        console.print(printable(line), markup=False, soft_wrap=True)
    else:
        out(line, flush=True)
