"""A request read by every finder in turn: each sees only what those before it have left."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.words import accelerators, durations, leftovers, moments, places, sizes
from service.words.phrases import Found, Unread, masked

# accelerators before durations ("8 H100 hours" is no duration), times of day before lengths ("before 9am" is no 9 am of power)
FINDERS = (accelerators, moments, durations, sizes, places, leftovers)
MOST_CHARACTERS = 2000
MOST_UNREAD = 20


@dataclass(frozen=True)
class Reading:
    """What was read of a request, by field, and what was not, in the order of the request. Phrases are the request's own."""

    found: dict[str, tuple[Any, str]]
    """field -> (value, the words that say so); the fields of a task, and `accelerators`"""
    unread: tuple[tuple[str, str], ...]
    """(words, why)"""


def read(request: str, now: datetime) -> Reading:
    """Read a request as of an instant. Never raises; reads nothing that the words do not plainly say."""
    found: list[Found] = []
    unread: list[Unread] = []
    text = request[:MOST_CHARACTERS]
    for finder in FINDERS:
        phrases = sorted(finder.find(text, now), key=lambda phrase: (phrase.start, -phrase.end))
        found += [phrase for phrase in phrases if isinstance(phrase, Found)]
        unread += [phrase for phrase in phrases if isinstance(phrase, Unread)]
        text = masked(text, phrases)
    kept: dict[str, tuple[Any, str]] = {}
    for field in dict.fromkeys(phrase.field for phrase in found):
        said = [phrase for phrase in found if phrase.field == field]
        if len({phrase.value for phrase in said}) == 1:
            kept[field] = (said[0].value, request[said[0].start : said[0].end])
        else:
            unread += [Unread(phrase.start, phrase.end, f"there is another {field}: give one") for phrase in said]
    in_order = sorted(unread, key=lambda phrase: phrase.start)
    words = [(request[phrase.start : phrase.end].strip(), phrase.why) for phrase in in_order[:MOST_UNREAD]]
    if len(in_order) > MOST_UNREAD:
        words.append(("...", f"and {len(in_order) - MOST_UNREAD} more"))
    if len(request) > MOST_CHARACTERS:
        words.append(("...", f"only the first {MOST_CHARACTERS:,} characters are read"))
    return Reading(kept, tuple(words))
