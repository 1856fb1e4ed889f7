"""Temporary files of a run lie in DATA_DIR: the machine's folder for them is shared with other users, and a kill leaves them."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.settings import FlowSettings


def folder(data_dir: Path) -> Path:
    """Where they lie; made if it does not exist. `make down` removes it."""
    path = data_dir.resolve() / "tmp"
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def inside(data_dir: Path) -> Iterator[None]:
    """Have this process and those that it starts put temporary files there. dlt asks Python for the folder, at each load."""
    before, was_set = tempfile.tempdir, FlowSettings.environment().get("TMPDIR")
    tempfile.tempdir = str(folder(data_dir))
    os.environ.update(TMPDIR=tempfile.tempdir)
    try:
        yield
    finally:
        tempfile.tempdir = before
        os.environ.pop("TMPDIR", None)
        if was_set is not None:
            os.environ.update(TMPDIR=was_set)
