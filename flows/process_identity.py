"""Which process an id means. The kernel gives ids out again, so that one of another start is another process."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

STARTED_AS = "ENERGY_STARTED_AS"
"""Variable that a process which outlives its command is started with, and by which all that it starts in turn are known"""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def beginning(pid: int) -> str:
    """When this process began, in words that no step of the clock changes: which boot it was and how many ticks after it.

    Without /proc it is the time that the clock showed. Raises psutil.NoSuchProcess.
    """
    try:
        # the second field is the program's name in brackets, and may hold blanks and brackets itself
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return f"{_BOOT_ID.read_text().strip()} {after_name[19]}"
    except (OSError, IndexError):
        return f"{psutil.Process(pid).create_time():.0f}"


def beginning_by_clock(pid: int, since: float) -> str:
    """The same of a process of which only the time is known that the clock showed; `gone` if this one began at another time."""
    return beginning(pid) if abs(psutil.Process(pid).create_time() - since) <= 1 else "gone"


def is_alive(pid: int, began: str) -> bool:
    """Whether the process with this id is the one that began then, and not merely what is left of it."""
    with suppress(psutil.Error):
        return beginning(pid) == began and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def started_as(mark: str) -> Iterator[psutil.Process]:
    """The processes that were started with this mark, or by one that was, whoever of them died meanwhile."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if mark and process.pid != os.getpid() and process.environ().get(STARTED_AS) == mark:
                yield process
