"""How long an upstream may take in all: a clock that stands still while a request waits for its turn."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tenacity import RetryCallState
from tenacity.stop import stop_base


class Patience:
    """So many seconds; `parent` is the patience with several requests together, which this one uses up too."""

    def __init__(self, seconds: float, parent: "Patience | None" = None):
        self.seconds = seconds
        self._parent = parent
        self._begun, self._paused = time.monotonic(), 0.0

    @property
    def left(self) -> float:
        """Seconds that are left; 0 or less if there are none."""
        own = self.seconds - (time.monotonic() - self._begun - self._paused)
        return own if self._parent is None else min(own, self._parent.left)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What happens within does not count."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self._add(time.monotonic() - begun)

    def _add(self, seconds: float) -> None:
        self._paused += seconds
        if self._parent is not None:
            self._parent._add(seconds)


class NoTimeLeft(stop_base):
    """Stops where the next attempt would begin after the end."""

    def __init__(self, patience: Patience):
        self._patience = patience

    def __call__(self, state: RetryCallState) -> bool:
        """Whether to stop."""
        return state.upcoming_sleep >= self._patience.left
