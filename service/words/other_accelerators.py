"""Accelerators that `accelerators.csv` has no figure for ("a GB200", "TPU v4-8", "Gaudi 3"), and "on GPUs": not understood."""

import re
from collections.abc import Iterator

from service.words.numbers import NUMBER
from service.words.phrases import BEGINS, Claims, Phrase, Unread

NOT_KNOWN = "no figure is known for this: give power_kw"
_COUNT = rf"(?:{BEGINS}(?:{NUMBER}|an?\b)(?:\s?(?:x|×|\*)\s?|\s+|-))"
_NOUN = r"(?:\s+(?:GPUs?|TPUs?|CPUs?|IPUs?|cards?|accelerators?|(?:super)?chips?|processors?|nodes?|pods?|servers?|machines?)\b)"
_FAMILIES = (
    r"(?:TPU[ -]?v?[0-9]\w*(?:-[0-9]+)?|(?:RTX|GTX)\s?[A-Z]?[0-9]{3,4}(?:\s?(?:Ti|Super|Ada|Max-Q|SE|D))*"
    r"|Radeon(?:\s+\w+)?\s+[0-9]{3,4}\w*|(?:AWS\s+)?(?:Trainium|Inferentia)[ -]?[0-9]?|Gaudi[ -]?[0-9]?|MI[0-9]{2,3}[A-Z]?"
    r"|Grace[ -](?:Hopper|Blackwell)|Jetson(?:\s+[A-Z]\w+)*"
    r"|(?:Apple\s+)?M[1-9]\s(?:Pro|Max|Ultra)|Cerebras(?:\s\w+-[0-9])?|Graphcore|Groq|SambaNova|Xeons?|EPYC|Threadripper|Quadro(?:\s\w+)?"
    r"|Titan\s(?:RTX|X|V|Xp)|(?:GB|GH|HGX[ -]?[A-Z])[0-9]{3}|DGX(?:[ -]?\w+)?|A10G|K80|M60|P40)"
)
# two letters and two or three figures are many things: only with a count, an article or a noun
_MODEL = r"(?-i:[A-Z]{1,2}[0-9]{2,3}[A-Z]{0,3})"
_ANY = re.compile(
    rf"{_COUNT}?(?<![\w-]){_FAMILIES}s?(?![\w-]){_NOUN}?"
    rf"|(?:(?:\b(?:on|with|using)\s+){_COUNT}|{_COUNT}(?<!\ba\s)(?<!\ban\s)){_MODEL}s?(?![\w-]){_NOUN}?"
    rf"|(?:\ban?\s)?(?<![\w-]){_MODEL}s?{_NOUN}",
    re.IGNORECASE,
)
_BARE = re.compile(
    r"\b(?:on|with|using)\s+(?:the\s+|our\s+|some\s+|several\s+|many\s+|all\s+|few\s+){0,2}(?:GPUs?|TPUs?|accelerators?|graphics\s+cards)\b",
    re.IGNORECASE,
)


def find(text: str, claims: Claims) -> Iterator[Phrase]:
    """Those that nothing else has claimed."""
    for match in _ANY.finditer(text):
        if claims.take(match):
            yield Unread(*match.span(), NOT_KNOWN)
    for match in _BARE.finditer(text):
        if claims.take(match):
            yield Unread(*match.span(), "how many, of which kind? or give power_kw")
