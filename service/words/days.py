"""Days that a request names: the one just before a time ("tomorrow before 9am"), and those that belong to no time for certain."""

import re
from collections.abc import Iterator

from service.words.instants import DAY, ISO, PART
from service.words.numbers import NUMBER
from service.words.phrases import before

OF_WHICH_DAY = 'of which day? write the day with its time, such as "before 9am tomorrow"'

_PLAIN = rf"(?:on\s+)?{DAY}{PART}"
AHEAD = rf"(?:\b(?P<ahead>{_PLAIN})(?:\s*[,:;\u2013\u2014-])?\s+(?:(?:but|please|only|(?:any|some)\s?time)\s+)?)?"
"""A day in front of a time: "on Monday, by 6pm"; a group `ahead`"""
AMID = rf"(?:\s+{_PLAIN},?)?"
"""A day between a verb and its time: "must not run tomorrow before 9am" """

HOLIDAYS = (
    r"(?:christmas(?:\s+(?:eve|day))?|xmas|easter|new\s+year(?:'?s)?(?:\s+(?:eve|day))?|boxing\s+day|(?:bank\s+)?holidays?|"
    r"half[- ]term|halloween|black\s+friday)"
)
_WEEKDAYS = r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
_PARTS = r"(?:mornings?|afternoons?|evenings?|nights?)"
_NAMED = re.compile(
    rf"(?<![\w-])(?:(?:(?:next|last|every|each)\s+)?(?:on\s+)?{DAY}{PART}"
    rf"|(?:(?:on|next|last|every|each)\s+)*(?:{_WEEKDAYS}|yesterday|weekends?|week\s?days?|{HOLIDAYS})"
    rf"|(?:this|next|last|every|each|following|end\s+of(?:\s+the)?)\s+(?:day|week|month|year|{_PARTS})"
    r"|overnight|(?:on\s+)?(?:the\s+)?[0-3]?[0-9](?:st|nd|rd|th)|[0-3]?[0-9][.-][01]?[0-9](?:\.|[.-]20[0-9]{2})"
    rf"|in\s+(?:{NUMBER}|an?|a\s+few|a\s+couple\s+of|several)\s+(?:days?|weeks?|months?)"
    r"|(?:january|february|april|june|july|august|september|october|november|december)(?:\s+20[0-9]{2})?)(?![\w])",
    re.IGNORECASE,
)
# "next Friday before 9am", "Monday or Tuesday before 9am", "Mon-Fri before 9am"
_NOT_ALONE = re.compile(
    rf"(?:(?:{DAY}|\b{_WEEKDAYS}|\bweekends?){PART}\s*(?:,|&|/|[-\u2013\u2014]|\b(?:and|or|to|through|till|until)\b)\s*"
    r"|\b(?:next|last|every|each|the|of|first|second|third|other|alternate|most|all|any|some|one|since|than|except)\s+)(?:on\s+)?$",
    re.IGNORECASE,
)
# "before 9am today or tomorrow", but not "before 9am today and tomorrow before 6pm"
_OTHERS = re.compile(
    rf"{PART}\s*(?:,?\s*\b(?:and|or|to|through)\b|&|/|[-\u2013\u2014])\s*(?:on\s+)?(?>{DAY}{PART})"
    r"(?!\s+(?:before|by|until|till|after|from|between)\b)",
    re.IGNORECASE,
)
_OWN = re.compile(rf"{ISO}|\b{DAY}", re.IGNORECASE)


def find(text: str) -> Iterator["re.Match[str]"]:
    """Every day that is named, plain or not."""
    return _NAMED.finditer(text)


def of(moment: str) -> str | None:
    """The day that the words of a moment name."""
    found = _OWN.search(moment)
    return found[0] if found else None


def begin_of_several(text: str, at: int) -> int:
    """Where words begin of which the day at a position is the last ("next Friday", "Monday or Tuesday"); else that position."""
    ahead = before(text, at)
    found = _NOT_ALONE.search(ahead)
    return at if found is None else at - len(ahead) + found.start()


def end_of_several(text: str, at: int) -> int:
    """Where words end of which a day that ends at a position is the first ("today or tomorrow"); else that position."""
    found = _OTHERS.match(text, at)
    return at if found is None else found.end()
