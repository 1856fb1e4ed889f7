"""When each piece of work really started and stopped, said to the service: in the background, in order, late if it is away."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Literal

from energy.api import Api, Refused, Trouble

Step = Literal["start", "stop"]
RETRY_SECONDS = 10.0
LAST_SECONDS = 3.0
"""For what is left to say when the work has ended"""


class PieceReports:
    """Reports of the pieces of a workload that is held by a token. `path` is that of its pieces."""

    def __init__(self, api: Api, path: str, token: int, *, say: Callable[[str], None]):
        self._api, self._path, self._token, self._say = api, path, token, say
        self._left: deque[tuple[Step, int, datetime]] = deque()
        self._changed = threading.Condition()
        self._is_closing = self._is_over = False
        self._thread = threading.Thread(target=self._run, daemon=True, name="energy-pieces")
        self._thread.start()

    def add(self, step: Step, number: int, at: datetime) -> None:
        """A piece, numbered from 1, started or stopped at an instant."""
        with self._changed:
            self._left.append((step, number, at))
            self._changed.notify()

    def close(self) -> None:
        """The work has ended: what is left is said now, within some seconds, or never."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join(LAST_SECONDS)
        if self._left:
            self._give_up("not every start and stop of its pieces is recorded")

    def _run(self) -> None:
        while (report := self._next()) is not None:
            step, number, at = report
            try:
                self._api.post(f"{self._path}/{number}/{step}", {"token": self._token, "at": at.isoformat()})
            except Refused as refused:  # nor would it take those that follow
                self._give_up(f"{refused}; the starts and stops of its pieces are not recorded")
            except Trouble:  # the next attempt may arrive
                with self._changed:
                    if self._is_closing:
                        return
                    self._changed.wait(RETRY_SECONDS)
            else:
                with self._changed:
                    self._left.popleft()

    def _next(self) -> tuple[Step, int, datetime] | None:
        """The report whose turn it is; None at the end."""
        with self._changed:
            while not self._left and not self._is_closing and not self._is_over:
                self._changed.wait()
            return None if self._is_over or not self._left else self._left[0]

    def _give_up(self, words: str) -> None:
        """Said once."""
        with self._changed:
            was_over, self._is_over = self._is_over, True
        if not was_over:
            self._say(words)
