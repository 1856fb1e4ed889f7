"""A phrase and what it says; a phrase that is not understood; numbers in digits and in words."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

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


WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "fifteen": 15, "sixteen": 16, "twenty": 20, "thirty": 30, "forty": 40,
    "forty-five": 45, "forty-eight": 48, "fifty": 50, "sixty": 60, "ninety": 90,
}  # fmt: skip
_SPELT = "|".join(sorted(WORDS, key=len, reverse=True))
DIGITS = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,9})(?:\.[0-9]{1,6})?"
NUMBER = rf"(?:{DIGITS}|(?:{_SPELT})\b)"
BEGINS = r"(?<![\w.,:/£$€-])"
"""Where a number or word may begin: not inside another one, nor in a name such as ResNet-50"""

RANGE_BEFORE = re.compile(rf"(?:{NUMBER})\s?(?:-|–|—|\s?to\s|\s?or\s)\s?$", re.IGNORECASE)
AT_LEAST = re.compile(r"(?:at least|more than|over|above|longer than|minimum(?: of)?|min\.|>|>=)\s*$", re.IGNORECASE)


def number(text: str) -> float:
    """The number that these digits or this word stand for."""
    return float(WORDS[text.lower()]) if text.lower() in WORDS else float(text.replace(",", ""))


def before(text: str, at: int, characters: int = 40) -> str:
    """What stands just before a position."""
    return text[max(0, at - characters) : at]


def after(text: str, at: int, characters: int = 60) -> str:
    """What stands just after a position."""
    return text[at : at + characters]
