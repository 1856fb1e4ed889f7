"""Where the sentences of a request begin and end."""

import bisect
import re
from collections.abc import Callable

# a question ends none: "in London? No."; nor does "e.g.", an ellipsis, or a mark before "or"
_MARK = re.compile(
    r"(?<!\.)[.!;]+(?=\s|$)(?!\s*(?:or|nor)\b)|\n[^\S\n]*\n(?=\s*(?-i:[A-Z]))|\n(?=\s*(?:[-*\u2022]|[0-9]+[.)])\s)",
    re.IGNORECASE,
)
_LISTED = re.compile(r";\s*(?:and|in|at|on|near|after|before|between|for|from|by)\b", re.IGNORECASE)
_ABBREVIATION = re.compile(r"(?:\b[a-z]\.[a-z]|\b(?:etc|approx|incl|excl|esp|vs|ca|cf|min|max|say|no))$", re.IGNORECASE)
_COLON = re.compile(r":(?![0-9])")
_NEW_SENTENCE = re.compile(r"[ap]\.m\.\s+[A-Z]")


class Sentences:
    """The sentences of a text. A list below a colon belongs to the sentence that ends in the colon."""

    def __init__(self, text: str):
        self._text = text
        self._ends = [0, *(match.end() for match in _MARK.finditer(text) if _ends_one(text, match)), len(text)]

    def begin(self, at: int) -> int:
        """Where the sentence at a position begins."""
        return self._ends[max(0, bisect.bisect_right(self._ends, at) - 1)] if at < len(self._text) else self._ends[-2]

    def end(self, at: int, is_enough: Callable[[int], bool]) -> int:
        """The first end of a sentence behind a position that is enough, or that of a list that begins in it."""
        for end in self._ends[bisect.bisect_right(self._ends, at) :]:
            if _COLON.search(self._text, at, end):
                return len(self._text)
            if is_enough(end):
                return end
        return len(self._text)


def _ends_one(text: str, match: "re.Match[str]") -> bool:
    mark = match[0]
    if mark.startswith("."):
        head = text[max(0, match.start() - 8) : match.start()]
        is_noon = bool(_NEW_SENTENCE.match(text, max(0, match.start() - 3)))
        return len(mark) == 1 and (is_noon or not _ABBREVIATION.search(head))
    return not (mark == ";" and _LISTED.match(text, match.start()))
