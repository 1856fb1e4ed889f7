"""What a user may set about the measurements."""

import os
from collections.abc import Mapping
from typing import Literal

from pydantic_settings import BaseSettings


class BenchSettings(BaseSettings):
    """`BENCH=quick` leaves out the five years of history and the Dask workers."""

    bench: Literal["quick", "full"] = "full"


def inherited(more: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process that measures: this one's, and more."""
    return {**os.environ, **more}
