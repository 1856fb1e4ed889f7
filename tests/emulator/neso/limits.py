"""The rates that NESO asks clients to keep: one CKAN request a second, two datastore requests a minute."""

import threading
import time
from collections import Counter, deque

LIMITS = {"ckan": (1, 1.0), "datastore": (2, 60.0)}
SLACK_SECONDS = 0.05
BLOCK_PAGE = b"<!DOCTYPE html><html><head><title>Access denied</title></head><body><h1>Your IP has been blocked</h1></body></html>"


class Limits:
    """Counts requests by class, and those that came too soon."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.over_limit: Counter[str] = Counter()
        self._times: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def count(self, kind: str) -> bool:
        """Count a request of this class; whether it is within the limit."""
        most, seconds = LIMITS[kind]
        with self._lock:
            self.calls[kind] += 1
            times, now = self._times.setdefault(kind, deque()), time.monotonic()
            times.append(now)
            while times[0] <= now - seconds + SLACK_SECONDS:
                times.popleft()
            within = len(times) <= most
            self.over_limit[kind] += not within
            return within

    def reset(self) -> None:
        """As if nothing had been asked."""
        with self._lock:
            self.calls.clear()
            self.over_limit.clear()
            self._times.clear()
