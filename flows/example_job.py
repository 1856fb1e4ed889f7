"""`example-job`: a job to try placed work with. Submit a task that names it, and it appears in Prefect at its time."""

import time
from typing import Annotated

from prefect import flow, get_run_logger
from pydantic import Field


@flow(name="example-job", persist_result=False)
def example_job(name: str = "world", seconds: Annotated[float, Field(ge=0, le=600)] = 2) -> str:
    """Work for some seconds and say so.

    Args:
        name: whom it greets.
        seconds: how long it works.
    """
    time.sleep(seconds)
    words = f"Hello {name}: {seconds:g} seconds of work are done."
    get_run_logger().info(words)
    return words
