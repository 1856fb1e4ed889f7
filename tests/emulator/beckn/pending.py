"""Callers that wait for a callback."""

import threading
from typing import Any

Key = tuple[str, str, str]  # action, message_id, transaction_id


class Pending:
    """Hands callbacks to those who wait for them. Threads share it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[Key, list[Any]] = {}

    def wait(self, key: Key, seconds: float) -> Any:
        """The body of the callback; None if none comes in time."""
        mine: list[Any] = []
        with self._changed:
            self._waiting[key] = mine
            self._changed.notify_all()
            self._changed.wait_for(lambda: mine, seconds)
            if self._waiting.get(key) is mine:
                del self._waiting[key]
        return mine[0] if mine else None

    def deliver(self, key: Key, body: Any) -> bool:
        """Whether somebody was waiting for this callback."""
        with self._changed:
            mine = self._waiting.pop(key, None)
            if mine is None:
                return False
            mine.append(body)
            self._changed.notify_all()
            return True
