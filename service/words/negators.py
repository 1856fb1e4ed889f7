"""Words that negate ("don't", "never", "without", "anywhere but", "is not allowed"), and phrases that only look as if they did."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

Kind = Literal["verb", "state", "word", "exclusion", "verdict"]
"""do not, must not; is not; not, never, no; without, except, avoid; forbidden"""


@dataclass(frozen=True)
class Negator:
    """A word or two that negate, at the characters `start` to `end` of a request."""

    kind: Kind
    start: int
    end: int


_APOSTROPHE = (
    "['\N{RIGHT SINGLE QUOTATION MARK}\N{LEFT SINGLE QUOTATION MARK}\N{MODIFIER LETTER APOSTROPHE}`\N{ACUTE ACCENT}]"
)
_T = rf"\s?n\s?{_APOSTROPHE}?\s?t\b"
_DO = r"\b(?:do|does|did|must|should|shall|will|would|can|could|may|might|need|ought|have|has|had|dare)"
_BE = r"\b(?:is|are|was|were|am|be|been|being|ai)"
NOT = rf"(?:{_DO}\s+(?:not|never)\b|{_DO}{_T}|\bcannot\b|\b(?:ca|wo|sha){_T}|{_BE}\s+(?:not|never)\b|{_BE}{_T}|\bnever\b|\bnot?\b)"
"""Any way of saying not"""

_STOPS = r"(?=\s*(?:$|[,.;:!?()\n\u2013\u2014-])|\s+(?:but|so)\b)"
# they have the form of a negation and deny nothing of a time, a place or a size
_IDIOMS = (
    rf"\b(?:there\s+is\s+|there{_APOSTROPHE}s\s+)?no\s+(?:particular\s+|great\s+)?(?:rush|hurry|worries|problem|matter|big\s+deal){_STOPS}",
    rf"(?:{_BE}\s+not|{_BE}{_T}|\bnot)\s+(?:very\s+|that\s+|at\s+all\s+|particularly\s+)?"
    rf"(?:urgent|pressing|time[- ](?:critical|sensitive)|in\s+a\s+(?:rush|hurry)){_STOPS}",
    rf"(?:{_DO}\s+not|{_DO}{_T})\s+(?:mind|care|worry|matter){_STOPS}",
    r"\bwithout\s+(?:fail|(?:any\s+)?(?:delay|interruptions?)|an?\s+(?:break|pause)|stopping|pausing)\b",
    rf"(?:{_BE}\s+)?\bnot?\s+(?:more|longer|greater|higher)\s+than\b",
    r"\bno\.\s?[0-9]",
    r"\bskip\s+connections?\b",
)
_NEGATORS: tuple[tuple[Kind, str], ...] = (
    (
        "verdict",
        r"\b(?:forbidden|prohibited|excluded|excepted|banned|disallowed|ruled\s+out|off[- ]limits|out\s+of\s+the\s+question|"
        r"unacceptable|impossible|unavailable|unwanted|undesirable|unsuitable)\b",
    ),
    (
        "exclusion",
        r"\b(?:any\w*|every\w*|all|nowhere|nothing|none|nobody)(?:\s+\w+){0,2}\s+(?:but|besides|except(?:\s+for)?)\b",
    ),
    ("verb", rf"{_DO}\s+(?:not|never)\b|{_DO}{_T}|\bcannot\b|\b(?:ca|wo|sha){_T}"),
    ("state", rf"{_BE}\s+(?:not|never)\b|{_BE}{_T}"),
    (
        "exclusion",
        r"\bwith\s+no\b|\bwithout\b|\bw/o\b|\bavoid(?:s|ing|ed)?\b|\bexcept(?:ing|\s+for)?\b|\bexclud(?:e|es|ing)\b|"
        r"\bexclusive\s+of\b|\bother\s+than\b|\b(?:apart|aside|away|far)\s+from\b|\brather\s+than\b|\binstead\s+of\b|"
        r"\bin\s+(?:place|lieu)\s+of\b|\bas\s+opposed\s+to\b|\bbesides\b|\bunless\b|\boutside(?:\s+of)?\b|\bsave\s+for\b|"
        r"\b(?:keep|stay|steer)\w*(?:\s+\w+)?\s+(?:out|away|clear|off)\b|\bref(?:use|rain)\w*|\bforbid\w*|\bprohibit\w*|"
        r"\bban(?:s|ning)?\b|\bbarr(?:ing|ed)\b|\bskip(?:s|ping)?\b|\blest\b|\b(?:I|we)\s+(?:hate|dislike)\b|"
        r"\bexempt\w*|\bveto\w*|\brul(?:e|es|ing)\s+out\b|\bfail(?:s|ed)?\s+to\b|\b(?:stop|cease|quit)\s+(?:runn|us|train|plac)ing\b",
    ),
    ("word", r"\b(?:not?|never|nor|neither|none|nowhere|nothing|nobody|hardly|barely|rarely|seldom)\b"),
)


@cache
def _pattern() -> "re.Pattern[str]":
    kinds = "|".join(rf"(?P<k{at}>{pattern})" for at, (_, pattern) in enumerate(_NEGATORS))
    return re.compile(rf"(?<![\w-])(?:(?:{'|'.join(_IDIOMS)})|{kinds})(?!-?\w)", re.IGNORECASE)


def find(text: str) -> Iterator[Negator]:
    """The negators of a request, in its order."""
    for match in _pattern().finditer(text):
        if match.lastgroup:
            yield Negator(_NEGATORS[int(match.lastgroup[1:])][0], *match.span())
