"""Whether a page may be called live: how old its newest real forecast is and how much is synthetic, in words and in its title."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from placement.outlook import Outlook
from service import ages

OLD_AFTER_SECONDS = 90 * 60
"""Three refreshes of the forecast that brought nothing real"""

Verdict = Literal["live", "mixed", "old", "synthetic", "nothing"]


@dataclass(frozen=True)
class Freshness:
    """What a page says of its data."""

    verdict: Verdict
    sentence: str
    prefix: str
    """of the title; empty while the data is live"""
    fetched_at: datetime | None
    known_at: datetime
    stale_for: str | None = None
    """for how long nothing real was fetched, in words, if that is too long"""

    @property
    def is_live(self) -> bool:
        """Whether the page is called live."""
        return self.verdict in ("live", "mixed")


def of(outlook: Outlook, now: datetime) -> Freshness:
    """The freshness of what the service knows."""
    data = ages.of(outlook, now)
    verdict, prefix = _verdict(data)
    sentence = data["in_words"]
    if verdict == "old":
        sentence = f"These figures are old. {sentence} The schedule may have stopped, or the upstream may be silent."
    stale_for = data["age_in_words"] if verdict == "old" else None
    return Freshness(verdict, sentence, prefix, outlook.fetched_at, outlook.known_at, stale_for)


def _verdict(data: dict[str, Any]) -> tuple[Verdict, str]:
    age, share = data["age_seconds"], data["synthetic_share"]
    if share is None and age is None:
        return "nothing", "NO DATA"
    if share == 1 or age is None:
        return "synthetic", "SYNTHETIC"
    if share is None or age > OLD_AFTER_SECONDS:
        return "old", f"OLD, {data['age_in_words']}"
    return ("mixed", "PARTLY SYNTHETIC") if share > 0 else ("live", "")
