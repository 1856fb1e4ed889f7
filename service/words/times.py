"""A time as it is said ("must not run after 9am", "between 22:00 and 06:00"), and the day that is said with it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from service.words import days
from service.words.instants import BEHIND, CLOCK, MOMENT, PART, ZONE
from service.words.negators import NOT
from service.words.phrases import Claims

_STARTS = r"start(?:ing)?|begin(?:ning)?|commence|launch|schedule|submit|be\s+(?:started|scheduled|launched|submitted)"
_RUNS = r"run(?:ning)?|execute|train|work|process|be\s+(?:run|executed|running)"
_ENDS = r"end(?:ing)?|finish(?:ing)?|complete|stop|be\s+(?:done|finished|completed|over)"
_JOB = r"(?:it|this|that|them|anything|(?:the|this|my|any)\s+(?:run|job|task|workload|training|work))"
_DENIED = (
    rf"(?P<denied>(?:\bno\s+(?:runs?|jobs?|tasks?|workloads?|work|training)|\bnothing|{NOT})"
    rf"(?:\s+(?:to\s+)?(?:(?P<starts>{_STARTS})|(?P<ends>{_ENDS})|{_RUNS})(?:\s+{_JOB})?{days.AMID})?"
    r"\s+(?P<relation>before|until|till|(?:earlier|sooner)\s+than|after|past|later\s+than))"
)
_LATEST_START = rf"(?:start|begin)(?:s|ing|ning|ed)?{days.AMID}\s+(?:by|before|no\s+later\s+than|until)"
_START = (
    rf"after|from|(?:to\s+)?(?:start|begin)(?:s|ing|ning)?(?:{days.AMID}\s+(?:at|from|after)|\s+on)?"
    r"|earliest(?:\s+start)?(?:\s+(?:at|is))?:?"
    rf"|(?:wait|hold\s+off|delay(?:ed)?|defer(?:red)?|postponed?)(?:\s+(?:it|this|that))?{days.AMID}\s+(?:until|till)"
)
_END = (
    rf"before|by|until|till|(?:done|finish(?:ed)?|completed?|ready|due|ends?|ending)(?:{days.AMID}\s+(?:before|by|at)|\s+on)|due"
    r"|deadline(?:\s+(?:is|of))?:?|(?:at\s+the\s+)?latest(?:\s+by)?"
)
_ONE = re.compile(
    rf"{days.AHEAD}(?P<all>(?:{_DENIED}|\b(?:(?P<latest_start>{_LATEST_START})|(?P<start>{_START})|(?P<end>{_END})))\s+(?P<moment>{MOMENT}))",
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    rf"{days.AHEAD}(?P<all>\b(?:between|from)\s+(?P<first>{CLOCK})\s*(?:and|to|until|till|-|–)\s*(?P<second>{CLOCK}{ZONE})"
    rf"(?:(?P<day>{BEHIND}{PART})|{PART}))",
    re.IGNORECASE,
)
_HAS_CLOCK = re.compile(CLOCK, re.IGNORECASE)


@dataclass(frozen=True)
class Time:
    """A time as it is said, and the day that is said with it."""

    match: "re.Match[str]"
    start: int
    end: int
    moment: str
    """the end of a window of two"""
    day: str | None
    is_certain: bool
    """whether that is one day, and its own"""

    @property
    def span(self) -> tuple[int, int]:
        """Of its words in the request."""
        return self.start, self.end

    @property
    def is_window(self) -> bool:
        """Whether it begins and ends."""
        return "first" in self.match.re.groupindex

    @property
    def is_day_alone(self) -> bool:
        """Whether it has no time of day ("before Monday")."""
        return not _HAS_CLOCK.search(self.moment)


def find(text: str) -> Iterator[Time]:
    """Windows of two times, then single times, by their forms."""
    claims = Claims(text)
    for form in (_BETWEEN, _ONE):
        for match in form.finditer(text):
            if claims.take(match):
                yield _time(text, match)


def _time(text: str, match: "re.Match[str]") -> Time:
    """A time with its day: behind it, between its verb and it, or in front of it."""
    if "first" in match.re.groupindex:
        moment, own, amid = match["second"], match["day"], None
    else:
        moment, own = match["moment"], days.of(match["moment"])
        amid = days.of(text[match.start("all") : match.start("moment")])
    start, end = match.span()
    if match["ahead"]:
        start = days.begin_of_several(text, start)
    if own:
        end = days.end_of_several(text, end)
    said = [day for day in (match["ahead"], amid, own) if day]
    is_certain = len(said) <= 1 and (start, end) == match.span()
    return Time(match, start, end, moment, said[0] if said else None, is_certain)
