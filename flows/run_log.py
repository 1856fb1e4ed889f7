"""What a run says: on a terminal, and in the run's own log where Prefect tracks it."""

from prefect.context import FlowRunContext
from prefect.logging import get_run_logger
from rich.console import Console

from warehouse.printed import printable


def say(line: str, *, console: Console, is_warning: bool = False) -> None:
    """A line of the summary. In Prefect a warning stands out, and can be filtered for."""
    line = printable(line)
    if FlowRunContext.get() is None:
        console.print(line, markup=False, soft_wrap=True)
        return
    logger = get_run_logger()
    (logger.warning if is_warning else logger.info)(line)
