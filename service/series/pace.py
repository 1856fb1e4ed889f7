"""How slowly a client may take a file: so many bytes a second, after a time of grace."""

GRACE_SECONDS = 30.0
LEAST_BYTES_A_SECOND = 32 * 1024


class Pace:
    """The patience with one client: waiting uses it up, what the client takes gives it back, never beyond the grace."""

    def __init__(self, grace_seconds: float = GRACE_SECONDS, least: float = LEAST_BYTES_A_SECOND):
        self._grace, self._least = grace_seconds, least
        self.patience = grace_seconds
        """Seconds that may still be waited"""

    def took(self, size: int, seconds: float) -> None:
        """The client took so many bytes in so many seconds."""
        self.patience = min(self._grace, self.patience - seconds + size / self._least)
