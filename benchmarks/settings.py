"""What a user may set about the measurements."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic_settings import BaseSettings


class BenchSettings(BaseSettings):
    """`BENCH=quick` leaves out the five years of history and the Dask workers; RECORDED_DIR has the recorded files."""

    bench: Literal["quick", "full"] = "full"
    recorded_dir: Path | None = None


def inherited(more: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process that measures: this one's, and more."""
    return {**os.environ, **more}
