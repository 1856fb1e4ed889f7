"""What the embedded server's log says unasked: that it crashed, that the disk is full, that a page is damaged.

Its other errors are refusals, of which whoever was refused knows.
"""

import re
from pathlib import Path

from warehouse import embedded_files

_BEGINS = "starting PostgreSQL"
_SERIOUS = re.compile(
    r"PANIC:|was terminated by signal|No space left on device|out of memory|invalid page|could not (write|fsync|extend|read)"
)
_LAST_BYTES = 4_000_000


def serious(data_dir: Path) -> list[str]:
    """The lines since the last start that somebody should read."""
    log = embedded_files.log_file(data_dir)
    if not log.exists():
        return []
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LAST_BYTES))
        lines = file.read().decode(errors="replace").rpartition(_BEGINS)[2].splitlines()
    return [line for line in lines if _SERIOUS.search(line)]
