"""Numbers and times of a request that nothing else has read: they are said, so that nobody believes that they count."""

import re
from collections.abc import Iterator

from service.words import places
from service.words.numbers import DIGITS, NUMBER
from service.words.phrases import BEGINS, Claims, Phrase, Unread, before

# "90 epochs", but neither ResNet-50 nor 7B nor v8: those are names
_NUMBER = re.compile(rf"{BEGINS}[£$€]?{DIGITS}(?:\s?%|[:.,/][0-9]+)*(?![\w-])(?:\s?[^\W\d_]+)?(?!\w)", re.IGNORECASE)
_UNIT = re.compile(
    rf"{BEGINS}(?:{NUMBER}|an?\b|half\s+an?|(?:a\s+)?(?:few|couple(?:\s+of)?|several))[\s-]?"
    r"(?:hours?|hrs?|h|minutes?|mins?|seconds?|secs?|s|days?|weeks?|months?|years?|[kKMG]?Wh?|[kM]?w|kwh|[ap]\.?m|o.?clock)\b",
    re.IGNORECASE,
)
# "three kilowatts", "half a megawatt-hour", "several million watts"
_POWER = re.compile(
    rf"(?:{BEGINS}(?:{NUMBER}|half|an?|few|several|couple|of|and|to|or|hundreds?|thousands?|millions?|dozens?|quarters?)[\s-]+)*"
    r"\b(?:(?:kilo|mega|giga)?watts?(?:[\s-]?hours?)?|[kKMG]W[hH]?|kwh?)\b",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"\b(?:(?:by|before|after|until|from|on|at|in|over|during|this|next|last|every|each|end\s+of)\s+){0,3}(?:the\s+)?"
    r"(?:today|tonight|tomorrow|yesterday|overnight|(?:next|this|the)\s+(?:day|week|month|year)|weekends?|weekdays?|mornings?|"
    r"afternoons?|evenings?|nights?|mondays?|tuesdays?|wednesdays?|thursdays?|fridays?|saturdays?|sundays?|noon|midday|midnight|"
    r"end\s+of\s+(?:the\s+)?(?:day|week|month)|close\s+of\s+business|eod|cob|soon|asap|as\s+soon\s+as\s+possible|immediately|"
    r"right\s+now|(?:january|february|april|june|july|august|september|october|november|december)(?:\s+20[0-9]{2})?|"
    r"hours?|off[- ]?peak|deadline)\b",
    re.IGNORECASE,
)
_RANGE = re.compile(rf"{BEGINS}[£$€]?{DIGITS}\s?[-–—]\s?{DIGITS}(?![\w-])(?:\s?[^\W\d_]+)?", re.IGNORECASE)
_AT_ONCE = re.compile(r"asap|as\s+soon\s+as|immediately|right\s+now", re.IGNORECASE)
_NAME_BEFORE = re.compile(r"\S\s+(?:[A-Z][\w-]*)\s+$")


def find(text: str, _now: object = None) -> Iterator[Phrase]:
    """What is left, from the longest kind of phrase to the barest number."""
    claims = Claims(text)
    for pattern, why in (
        (_RANGE, "a range is not used: give one number"),
        (_POWER, "no plain power or energy: give power_kw or energy_kwh"),
        (_TIME, "no plain start, deadline or duration"),
        (_UNIT, "no plain start, deadline, duration, power or energy"),
        (_NUMBER, "this number is not used"),
    ):
        for match in pattern.finditer(text):
            if pattern is _NUMBER and _NAME_BEFORE.search(before(text, match.start())):
                continue  # "Llama 3"
            if not claims.take(match):
                continue
            is_at_once = bool(_AT_ONCE.search(match[0]))
            yield Unread(*match.span(), "to begin at once, give is_deferrable: false" if is_at_once else why)
    yield from places.left_over(text, claims)
