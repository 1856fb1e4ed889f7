"""How long a run takes ("3 hours", "1h30", "half a day") and how soon it must have ended ("within 12 hours")."""

import math
import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from service.words.numbers import NUMBER, number
from service.words.phrases import (
    AT_LEAST,
    BEGINS,
    MASK,
    RANGE_BEFORE,
    UP_TO,
    Claims,
    Found,
    Phrase,
    Unread,
    after,
    before,
)

LONGEST_MINUTES = 10_080
SECONDS = {"w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1}
_UNIT = r"(?:weeks?|days?|hours?|hrs?|hr|h|minutes?|mins?|seconds?|secs?)\b"
_SMALL = r"(?:hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)\b"
_HALF = r"(?:\s+and\s+a\s+half)?"
_LENGTH = (
    rf"(?:half\s+an?\s+(?:hour|day)\b"
    rf"|[0-9]{{1,3}}\s?h\s?[0-5][0-9](?:\s?m(?:in)?)?\b"
    rf"|(?:{NUMBER}|an?\b){_HALF}[ \t-]?\s?{_UNIT}{_HALF}(?:(?:\s*,\s*|\s+and\s+|\s*){NUMBER}\s?{_SMALL})*)"
)
# "EH1 2HR" is a postcode
_INWARD = r"(?!(?:(?<=(?-i:[A-Z][0-9])\s)|(?<=(?-i:[A-Z][0-9][0-9A-Z])\s))[0-9](?-i:HR)\b)"
_PLAIN = re.compile(BEGINS + _INWARD + _LENGTH, re.IGNORECASE)
_COMPACT = re.compile(r"[0-9]{1,3}h[0-9]{1,2}m(?:in)?\b", re.IGNORECASE)
_WITHIN = re.compile(
    rf"\b(?:within|in\s+(?:under|less\s+than)|(?:in|over)\s+the\s+next)\s+(?:the\s+)?(?:next\s+)?(?P<length>{_LENGTH})",
    re.IGNORECASE,
)
_PART = re.compile(rf"({NUMBER}|an?\b)({_HALF})[\s-]*({_UNIT}|{_SMALL})({_HALF})", re.IGNORECASE)

_NOT_AFTER = re.compile(
    r"(?:\b(?:last|past|previous|next|first|every|each|per|in|after|another|other|of|these|those|than|the)|/)\s*$",
    re.IGNORECASE,
)
_NOT_BEFORE = re.compile(
    r"\s*(?:ago|old|later|earlier|each|apart|per|ahead|delay|notice|intervals?|away|/|×)\b|\s*/|"
    r"\s+(?:a|every)\s+(?:day|week|month)\b|"
    r"\s+of\b(?!\s+(?:comput|training|work|run|processing|wall|gpu|cpu|machine))",
    re.IGNORECASE,
)
_RELATIVE = re.compile(r"\s+(?:before|after|from|prior|past|since)\b", re.IGNORECASE)
_INTRODUCED = re.compile(
    r"(?:\b(?:for|takes?|taking|took|lasts?|lasting|needs?|requires?|requiring|runs?|running|duration|runtime|run time|length|"
    rf"{UP_TO}|is|about|around|roughly|approximately|approx\.?|some|up to|at most|maximum|max|under|"
    r"less than)|[~≈:=])\s*(?:of\s+)?$",
    re.IGNORECASE,
)
_EDGE_BEFORE = re.compile(rf"(?:^|[,;(.!?\n{MASK}]|\band)\s*$", re.IGNORECASE)
_EDGE_AFTER = re.compile(
    rf"\s*(?:$|[,;).!?\n{MASK}])|\s+(?:on|at|with|using|by|before|and|starting|ending|in|total|within|long|between|after)\b",
    re.IGNORECASE,
)
_JOB = re.compile(
    r"\s+(?:\w+\s+){0,2}(?:runs?|jobs?|tasks?|training|workloads?|simulations?|builds?|renders?|batch|experiments?)\b",
    re.IGNORECASE,
)
_ADJECTIVE = re.compile(r"-\s?(?:week|day|hour|minute|second)$|\s(?:week|day|hour|minute|second)$", re.IGNORECASE)


def seconds(text: str) -> float | None:
    """Seconds of a phrase that is a length of time; None where its parts do not run from the longest unit to the shortest."""
    lowered = text.lower()
    if lowered.startswith("half"):
        return 1800 if lowered.endswith("hour") else 43_200
    compact = re.fullmatch(r"([0-9]{1,3})\s?h\s?([0-5][0-9])(?:\s?m(?:in)?)?", lowered)
    if compact:
        return int(compact[1]) * 3600 + int(compact[2]) * 60
    total, smallest = 0.0, math.inf
    for count, half, unit, half_after in _PART.findall(text):
        size = SECONDS[unit[0].lower()]
        if size >= smallest:
            return None
        smallest = size
        halves = 0.5 if half or half_after else 0
        total += (number(count) + halves) * size
    return total or None


def find(text: str, now: datetime) -> Iterator[Phrase]:
    """Lengths of a run (minutes, rounded up) and deadlines as a time from now."""
    claims = Claims(text)
    for match in _WITHIN.finditer(text):
        claims.take(match)
        length = seconds(match["length"])
        if length is None or re.match(r"\s+of\b", after(text, match.end())):
            yield Unread(*match.span(), "within which time of what?")
        elif length > 366 * 86_400:
            yield Unread(*match.span(), "that is more than a year ahead")
        else:
            yield Found("deadline", now + timedelta(seconds=length), *match.span())
    for match in (*_COMPACT.finditer(text), *_PLAIN.finditer(text)):
        if claims.take(match):
            yield _phrase(text, match)


def _phrase(text: str, match: "re.Match[str]") -> Phrase:
    start, end = match.span()
    ahead, behind = before(text, start), after(text, end)
    ranged = RANGE_BEFORE.search(ahead)
    if ranged:
        return Unread(start - len(ranged[0]), end, "a range: give one duration")
    length = seconds(match[0])
    if length is None:
        return Unread(start, end, "not a plain length of time")
    is_introduced = bool(_INTRODUCED.search(ahead))
    if AT_LEAST.search(ahead):
        return Unread(start, end, "a least duration: give one duration")
    if _NOT_BEFORE.match(behind) or (not is_introduced and _NOT_AFTER.search(ahead)):
        return Unread(start, end, 'this does not say how long it runs; write "for 3 hours"')
    if _RELATIVE.match(behind) and not is_introduced and not _EDGE_BEFORE.search(ahead):
        return Unread(start, end, 'a duration or a time before another? write "for 3 hours"')
    if _ADJECTIVE.search(match[0]) and match[0].split()[0].lower() not in ("a", "an", "1", "one", "half"):
        if not _JOB.match(behind):
            return Unread(start, end, 'is this how long it runs? write "for 3 hours"')
    elif not (is_introduced or _EDGE_BEFORE.search(ahead) or _EDGE_AFTER.match(behind)):
        return Unread(start, end, 'is this how long it runs? write "for 3 hours"')
    minutes = math.ceil(length / 60 - 1e-9)
    if not 1 <= minutes <= LONGEST_MINUTES:
        return Unread(start, end, "a run takes from a minute to seven days")
    return Found("duration_minutes", minutes, start, end)
