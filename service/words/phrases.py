"""A phrase and what it says; a phrase that is not understood; what stands around one."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from service.words.numbers import NUMBER

MASK = "\N{CURRENCY SIGN}"
"""Stands in for each character of a phrase that has been read, so that no other finder reads it again."""


@dataclass(frozen=True)
class Found:
    """What the characters `start` to `end` of a request say of a field."""

    field: str
    value: Any
    start: int
    end: int


@dataclass(frozen=True)
class Unread:
    """Characters `start` to `end` that mean something to a person and are not used here, and why."""

    start: int
    end: int
    why: str


Phrase = Found | Unread


class Claims:
    """Which characters of a text belong to a phrase already: the first to claim them has them."""

    def __init__(self, text: str):
        self._taken = bytearray(len(text))

    def take(self, match: "re.Match[str]") -> bool:
        """Claim the characters of a match; False where one of them is taken."""
        start, end = match.span()
        if any(self._taken[start:end]):
            return False
        self._taken[start:end] = b"\1" * (end - start)
        return True


def masked(text: str, phrases: Iterable[Phrase]) -> str:
    """The text with these phrases masked, as long as before."""
    characters = list(text)
    for phrase in phrases:
        characters[phrase.start : phrase.end] = MASK * (phrase.end - phrase.start)
    return "".join(characters)


BEGINS = r"(?<![\w.,:/£$€-])"
"""Where a number or word may begin: not inside another one, nor in a name such as ResNet-50"""

UP_TO = r"not?\s+(?:more|longer|greater|higher)\s+than"
RANGE_BEFORE = re.compile(rf"(?:{NUMBER})\s?(?:-|–|—|\s?to\s|\s?or\s)\s?$", re.IGNORECASE)
AT_LEAST = re.compile(
    r"(?:at least|(?<!no )(?<!not )(?:more|longer|greater|higher) than|over|above|minimum(?: of)?|min\.|>|>=)\s*$",
    re.IGNORECASE,
)


def before(text: str, at: int, characters: int = 40) -> str:
    """What stands just before a position."""
    return text[max(0, at - characters) : at]


def after(text: str, at: int, characters: int = 60) -> str:
    """What stands just after a position."""
    return text[at : at + characters]
