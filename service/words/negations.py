"""What a negation denies. A phrase that it may deny is not understood: never read as if the negation were not there.

Behind a negator all is denied up to the end of the sentence or a word that turns it ("but", "instead"); a comma alone ends nothing
("don't run, if you can help it, in London"). In front of it are denied: what its verb says something of ("London is not allowed"),
what a sentence begins with ("In London, never run it") and what it answers ("in London? No."). In doubt it is denied: a phrase
too many that is listed costs a glance, one that is read as its opposite costs a run at the wrong time or place.
"""

import re
from collections.abc import Iterable

from service.words import negators
from service.words.negators import Negator
from service.words.numbers import NUMBER
from service.words.phrases import BEGINS, Found, Phrase, Unread
from service.words.sentences import Sentences

LONGEST_GAP = 60
"""Between a negator and a phrase that are listed as one"""

_FILLER = r"(?:ever|please|under|any|circumstances?|conditions?|at|all|in|case|even|only|just|really|say)"
_CONTENT = re.compile(rf"\b(?!{_FILLER}\b)\w+", re.IGNORECASE)
# "don't run, please, no later than 9am": nothing else is denied before the second negation
_OTHER = re.compile(
    rf"\b(?!(?:{_FILLER}|run|use|train|start|do|it|this|that|of|the|job|and|or|but)\b)\w+", re.IGNORECASE
)
_TURNS = re.compile(
    r"\bbut\b|\binstead\b(?!\s+of)|,\s*rather\b(?!\s+than)|,\s*only\b|"
    r",\s*(?:it|we|I)\s+(?:must|should|needs?|takes?|will|has|can|may|would)\b",
    re.IGNORECASE,
)
# behind a time that has its own negation ("must not start before 22:00, finish by 6:00")
_GOES_ON = re.compile(
    r"(?:,|\band\b|\bthen\b)\s*(?:then\s+)?(?:it\s+)?(?:must|should|has\s+to|needs?|finish\w*|complet\w*|ends?|be|ready|done|takes?|lasts?|use)\b"
    rf"|,\s*(?:for\s+)?(?={BEGINS}(?:{NUMBER}|an?\b|half\b))",
    re.IGNORECASE,
)
_ALTERNATIVE = re.compile(r"\b(?:or|nor|neither)\b", re.IGNORECASE)
_JOINED = re.compile(r"\s*,?\s*(?:(?:or|nor)\b|and\s+(?:in|at|near|on|around|for)\b)", re.IGNORECASE)
_ONE_OF_SEVERAL = re.compile(r"(?:[,;.!?]|\b(?:and|or|but))\s*$", re.IGNORECASE)
_ADVERB = re.compile(r"\s+(?:before|after|until|till|later|earlier|sooner|past)\b", re.IGNORECASE)

# "without dropout for 3 hours", "no dropout, 3 hours": it denies its object and no more
_OBJECT = re.compile(
    r"\s+(?:(?:an?|the|any)\s+)?(?P<object>[^\W\d_][\w-]*(?:\s+[^\W\d_][\w-]*){0,2}?)"
    rf"(?:(?P<comma>\s*,\s*)(?:on\s+|for\s+|at\s+)?(?={BEGINS}{NUMBER})|(?=\s+(?:for|on|in|at|by|before|after|within|from|until|between|using)\b))",
    re.IGNORECASE,
)
_NO_OBJECT = re.compile(
    r"\b(?:\w+ing|\w+ly|please|perhaps|maybe|however|though|also|again|then|train|fine-?tune|render|build|simulate|execute|process|(?:run|job|task|workload|node|server|machine|gpu|tpu|card|accelerator|chip|site|region|place|location|city|"
    r"cit(?:y|ies)|resource|cluster|cent(?:er|re)|hour|time|use|start)s?|work|compute|capacity|hardware|usage|access|power|energy|"
    r"electricity|cloud|any\w*|every\w*|some\w*|all|both|each|either|of|to|in|on|at|for|by|it|this|that|them|these|those|the|an?|even|"
    r"ever|more|less|say|being|before|after|within|from|until|between|using|and|or)\b",
    re.IGNORECASE,
)

_CLAUSE_BEGINS = re.compile(
    r"[,:;(\u2013\u2014]|\s-\s|\b(?:and|but|or|so|which|that|who|because|since|while|as|if|when|it|we|i|you|they|please|then)\b",
    re.IGNORECASE,
)
_FRONTED = re.compile(
    r"\s*(?:[-*\u2022]\s*)?(?:please\s+)?(?:in|at|on|near|around|within|before|after|by|until|till|from|between|for|during|with|using|"
    r"over|under|regions?|running|starting|placing|training|any\w*|every\w*|runs|jobs)\b",
    re.IGNORECASE,
)
_CONTRAST = re.compile(
    r"\s+(?:in|at|on|near|around|within|before|after|by|until|from|between|for|during|to)\b", re.IGNORECASE
)
_DISMISSED = re.compile(
    r"\s+(?:\w+ly\s+)?(?:allowed|available|ok(?:ay)?|acceptable|permitted|possible|an\s+option|good|fine|wanted|suitable|supported|"
    r"happen|work|do)\b",
    re.IGNORECASE,
)
_IS_ALL = re.compile(r"\s*(?:(?:please|thank\s+you|thanks|way|ever|at\s+all)\b)?\s*(?:$|[,.;!?:)\n])", re.IGNORECASE)


class Negations:
    """The negations of a request, and which of its phrases they deny."""

    def __init__(self, text: str, phrases: Iterable[Phrase]):
        self._text = text
        self._phrases = sorted(phrases, key=lambda phrase: (phrase.start, phrase.end))
        self._sentences = Sentences(text)
        self._own: dict[Negator, Phrase] = {}
        self._ends: dict[Negator, int] = {}
        self._negators = list(negators.find(text))
        for negator in self._negators:
            for phrase in self._phrases:
                if phrase.start <= negator.start < phrase.end:
                    self._own[negator] = phrase
            self._ends[negator] = self._end(negator)
        self._with_own = {(phrase.start, phrase.end) for phrase in self._own.values()}

    def phrases(self) -> list[Phrase]:
        """The phrases; those that are denied are not understood."""
        return [self._unless_denied(phrase) for phrase in self._phrases]

    def _unless_denied(self, phrase: Phrase) -> Phrase:
        for negator in reversed(self._negators):
            if self._denies(negator, phrase):
                start, end = self._with(negator, phrase)
                return Unread(start, end, _why(phrase) if isinstance(phrase, Found) else phrase.why)
        return phrase

    def _denies(self, negator: Negator, phrase: Phrase) -> bool:
        own = self._own.get(negator)
        if own is not None and (own.start, own.end) == (phrase.start, phrase.end):
            return False
        if negator.start < phrase.start:
            between = self._text[negator.end : phrase.start]
            has_own = (phrase.start, phrase.end) in self._with_own
            if has_own and _OTHER.search(between) and _ONE_OF_SEVERAL.search(between):
                return False
            return phrase.start < self._ends[negator]
        return own is None and self._denies_before(negator, phrase)

    def _end(self, negator: Negator) -> int:
        """Up to where a negator denies what stands behind it."""
        text = self._text
        own = self._own.get(negator)
        begin = negator.end if own is None else own.end
        end = self._sentences.end(begin, lambda at: bool(_CONTENT.search(text, negator.end, at)))
        rest = text[begin:end]
        if own is not None and negator.kind != "exclusion":
            is_adverb = negator.kind in ("word", "state") and _ADVERB.match(text, negator.end)
            if is_adverb and not _JOINED.match(rest):
                return begin
            goes_on = _GOES_ON.search(rest)
            if goes_on and not _ALTERNATIVE.search(rest):
                return begin + goes_on.start()
        elif own is None and (spent := self._spent(negator, rest)) is not None:
            return spent
        for turn in _TURNS.finditer(text, begin, end):
            if _CONTENT.search(text, negator.end, turn.start()):
                return turn.start()
        return end

    def _spent(self, negator: Negator, rest: str) -> int | None:
        """Where a negator that denies its object alone ends; None where it may deny more."""
        word = self._text[negator.start : negator.end].lower()
        found = _OBJECT.match(rest)
        if found is None or not (negator.kind == "exclusion" or word == "no"):
            return None
        if found["comma"] is None and not word.startswith("w"):  # without, w/o, with no
            return None
        end = negator.end + found.end()
        is_of_the_run = any(
            phrase.start < negator.end + found.end("object") and phrase.end > negator.end for phrase in self._phrases
        )
        if is_of_the_run or _NO_OBJECT.search(found["object"]) or _ALTERNATIVE.search(rest):
            return None
        if found["comma"] and re.search(r"\band\b", rest, re.IGNORECASE):
            return None
        return end

    def _denies_before(self, negator: Negator, phrase: Phrase) -> bool:
        text = self._text
        begin = self._sentences.begin(negator.start)
        is_all = bool(_IS_ALL.match(text, negator.end))
        if is_all and not re.search(r"\w", text[begin : negator.start]):
            begin = self._sentences.begin(max(0, begin - 1))  # "In London? Never."
        if phrase.start < begin or negator.kind == "exclusion":
            return False
        if negator.kind == "verdict" or is_all:
            return True
        if negator.kind in ("verb", "state"):
            between = text[phrase.end : negator.start]
            if _DISMISSED.match(text, negator.end) or not _CLAUSE_BEGINS.search(between):
                return True
        return bool(_FRONTED.match(text, begin)) and not _CONTRAST.match(text, negator.end)

    def _with(self, negator: Negator, phrase: Phrase) -> tuple[int, int]:
        """The phrase with its negator, as it is listed: together if they are close and no other phrase stands between."""
        start, end = min(negator.start, phrase.start), max(negator.end, phrase.end)
        low, high = sorted((negator.end, phrase.start)) if negator.start < phrase.start else (phrase.end, negator.start)
        is_apart = any(one.start < high and one.end > low for one in self._phrases if one != phrase)
        return (phrase.start, phrase.end) if is_apart or high - low > LONGEST_GAP else (start, end)


def _why(phrase: Found) -> str:
    field = "power_kw" if phrase.field == "accelerators" else phrase.field
    return f"it is negated: say what it is to be instead, or give {field}"
