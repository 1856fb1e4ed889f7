"""What time it is, and waiting. The wall clock decides: a machine that was asleep finds out within a few seconds of waking."""

from __future__ import annotations

import time
from datetime import datetime, timezone

SLICE_SECONDS = 5.0
"""The longest single sleep: sleeping stands still while a machine is suspended, and the wall clock does not"""


class Clock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """The present instant, UTC."""
        return datetime.now(timezone.utc)

    def sleep(self, seconds: float) -> None:
        """Wait; a signal handler that raises ends it."""
        time.sleep(seconds)
