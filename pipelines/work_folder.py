"""A folder for one process to work in, gone when it closes; what killed processes left behind goes when the next one opens.

Whoever works in a folder holds a lock on a file beside it, which the system lets go of when the process dies.
"""

import fcntl
import shutil
import tempfile
from pathlib import Path

PREFIX = "dlt-"


class WorkFolder:
    """`path` is this process's own."""

    def __init__(self, root: Path):
        root.mkdir(parents=True, exist_ok=True)
        with (root / ".lock").open("w") as everyone:
            fcntl.flock(everyone, fcntl.LOCK_EX)  # nobody may sweep a folder that is made and not locked yet
            _sweep(root)
            self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))
            self._lock_path = self.path.with_name(f"{self.path.name}.lock")
            self._lock = self._lock_path.open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX)

    def cleanup(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock_path.unlink(missing_ok=True)
        self._lock.close()


def _sweep(root: Path) -> None:
    """Remove the folders whose lock nobody holds."""
    for lock_path in root.glob(f"{PREFIX}*.lock"):
        with lock_path.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            shutil.rmtree(lock_path.with_suffix(""), ignore_errors=True)
            lock_path.unlink(missing_ok=True)
