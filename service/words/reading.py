"""A request read by every finder in turn: each sees only what those before it have left."""

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cachetools import LRUCache

from service.words import accelerators, durations, leftovers, moments, places, sizes, wishes
from service.words.negations import Negations
from service.words.phrases import Found, Phrase, Unread, masked

# accelerators before durations ("8 H100 hours" is no duration), times of day before lengths ("before 9am" is no 9 am of power)
FINDERS = (accelerators, moments, durations, sizes, places, wishes, leftovers)
MOST_CHARACTERS = 2000
MOST_UNREAD = 20
MOST_SECONDS = 0.2
"""Of the processor, for one request: plain ones take some thousandths"""
KEPT, KEPT_CHARACTERS = 2000, 200
"""So many readings are kept, of requests up to so long: jobs are submitted again and again in the same words"""


@dataclass(frozen=True)
class Reading:
    """What was read of a request, by field, and what was not, in the order of the request. Phrases are the request's own."""

    found: dict[str, tuple[Any, str]]
    """field -> (value, the words that say so); the fields of a task, and `accelerators`"""
    unread: tuple[tuple[str, str], ...]
    """(words, why)"""


TOO_LONG = Reading({}, (("...", "reading these words took too long: say it in fewer, or in fields"),))
_kept: "LRUCache[str, Reading]" = LRUCache(KEPT)
"""Readings in which no time was found: they are the same at any instant"""
_keeping = threading.Lock()


@cache
def warm_up() -> None:
    """Load what reading a first request would otherwise wait for."""
    for finder in FINDERS:
        list(finder.find("3 hours on 8 H100s before 9am tomorrow in London", datetime(2026, 1, 1, tzinfo=UTC)))
    Negations("not in London", ()).phrases()


def read(request: str, now: datetime, most_seconds: float = MOST_SECONDS) -> Reading:
    """Read a request as of an instant. Never raises; reads nothing that the words do not plainly say.

    Words that take longer to read than so many seconds of the processor are not understood at all: half of them would be another
    request.
    """
    with _keeping:
        kept = _kept.get(request)
    if kept is not None:
        return kept
    found, is_timeless = _read(request, now, most_seconds)
    if is_timeless and len(request) <= KEPT_CHARACTERS:
        with _keeping:
            _kept[request] = found
    return found


def _read(request: str, now: datetime, most_seconds: float) -> tuple[Reading, bool]:
    """The reading, and whether it is the same at any instant: nothing was found that a finder would place in time."""
    warm_up()
    begun = time.thread_time()
    in_all: list[Phrase] = []
    is_timeless = True
    text = request[:MOST_CHARACTERS]
    for finder in FINDERS:
        phrases = sorted(finder.find(text, now), key=lambda phrase: (phrase.start, -phrase.end))
        in_all += phrases
        # all that moments yields is as of now, and of durations what ends a time from now
        if phrases and (finder is moments or any(isinstance(p, Found) and p.field == "deadline" for p in phrases)):
            is_timeless = False
        text = masked(text, phrases)
        if time.thread_time() - begun > most_seconds:
            return TOO_LONG, False
    phrases = Negations(request[:MOST_CHARACTERS], in_all).phrases()
    if time.thread_time() - begun > most_seconds:
        return TOO_LONG, False
    found = [phrase for phrase in phrases if isinstance(phrase, Found)]
    unread = [phrase for phrase in phrases if isinstance(phrase, Unread)]
    kept: dict[str, tuple[Any, str]] = {}
    for field in dict.fromkeys(phrase.field for phrase in found):
        said = [phrase for phrase in found if phrase.field == field]
        if len({phrase.value for phrase in said}) == 1:
            kept[field] = (said[0].value, request[said[0].start : said[0].end])
        else:
            unread += [Unread(phrase.start, phrase.end, f"there is another {field}: give one") for phrase in said]
    in_order = sorted({(one.start, one.end): one for one in reversed(unread)}.values(), key=lambda one: one.start)
    words = [(request[phrase.start : phrase.end].strip(), phrase.why) for phrase in in_order[:MOST_UNREAD]]
    if len(in_order) > MOST_UNREAD:
        words.append(("...", f"and {len(in_order) - MOST_UNREAD} more"))
    if len(request) > MOST_CHARACTERS:
        words.append(("...", f"only the first {MOST_CHARACTERS:,} characters are read"))
    return Reading(kept, tuple(words)), is_timeless
