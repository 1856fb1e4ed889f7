"""What can be made to go wrong, for which requests, how often."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "429", "500", "timeout", "drop", "html", "truncated", "missing_key", "changed_type", "duplicate", "doubled", "revised",
    "empty_object", "empty", "error_200", "nul", "absurd", "short_horizon",
    "solar_misfire", "stands_apart", "gap", "format_flip", "superseded",
    "drip_length", "drip_close", "drip_chunked", "drip_gzip", "drip_headers", "endless_100", "drip_redirect", "redirect_here",
    "redirect_elsewhere", "redirect_loop", "redirect_no_address", "redirect_no_text", "odd_retry_after",
]  # fmt: skip


@dataclass
class Fault:
    """`kind` for the next `times` requests (-1: all of them) whose path or query contains `match`."""

    kind: Kind
    match: str = ""
    times: int = -1
    retry_after: str = "0"
    seconds: float = 60.0

    def takes(self, target: str) -> bool:
        """Whether this request is struck; counts it."""
        if self.times == 0 or self.match not in target:
            return False
        self.times -= self.times > 0
        return True
