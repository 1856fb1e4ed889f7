"""What a server that was killed leaves behind: its lock file, and for a while the processes that served its clients."""

import contextlib
import time
from pathlib import Path

import psutil

from warehouse.errors import UsageError

GRACE_SECONDS = 1.0
BOUND_SECONDS = 30.0


def clear(cluster: Path) -> None:
    """Wait until a killed server is gone altogether, so that a new one can start. Raises UsageError after half a minute.

    Its orphans end by themselves when they next look for their parent; a long statement does not look. They are asked to
    end (SIGTERM), which PostgreSQL does cleanly: nothing they do has a server any more that it could serve.
    """
    began, asked = time.monotonic(), False
    while orphans := _processes(cluster):
        waited = time.monotonic() - began
        if waited > BOUND_SECONDS:
            pids = ", ".join(str(process.pid) for process in orphans)
            raise UsageError(
                f"Processes of a killed PostgreSQL still hold {cluster} (process {pids}). End them, and try again."
            )
        if waited > GRACE_SECONDS and not asked:
            asked = True
            for process in orphans:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.terminate()
        time.sleep(0.05)
    # PostgreSQL refuses to start while any process has the number in this file, even a dead one that nobody has collected.
    (cluster / "postmaster.pid").unlink(missing_ok=True)


def postmaster(cluster: Path) -> psutil.Process | None:
    """The living server of this very folder."""
    try:
        pid = int((cluster / "postmaster.pid").read_text().splitlines()[0])
        process = psutil.Process(pid)
    except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
        return None
    return process if _serves(process, cluster) else None


def _processes(cluster: Path) -> list[psutil.Process]:
    return [process for process in psutil.process_iter() if _serves(process, cluster)]


def _serves(process: psutil.Process, cluster: Path) -> bool:
    with contextlib.suppress(psutil.Error, OSError):
        return (
            process.status() != psutil.STATUS_ZOMBIE
            and process.name().startswith("postgres")
            and Path(process.cwd()) == cluster
        )
    return False
