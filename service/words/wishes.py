"""Wishes in no plain words ("only when carbon is low", "before Christmas", "anywhere but there"): not understood.

The task has fields for most of them; the reason names the field.
"""

import re
from collections.abc import Iterator

from service.words.days import HOLIDAYS
from service.words.phrases import MASK, Claims, Phrase, Unread

_SHORT = rf"[^,.;:!?\n{MASK}]{{0,60}}"
_GRID = (
    r"(?:carbon|co2|emissions?|intensity|footprint|renewables?|wind|solar|fossil|coal|gas|grid|electricity|prices?|tariffs?|costs?|"
    r"energy|power|demand)"
)
_LOW = (
    r"(?:low(?:er|est)?|high(?:er|est)?|cheap(?:er|est|ly)?|green(?:er|est)?|clean(?:er|est)?|dirt(?:y|ier|iest)|expensive|windy|sunny|"
    r"wind|sun|blow\w*|shin\w*)"
)
_OF_THE_YEAR = (
    rf"(?:{HOLIDAYS}|spring|summer|autumn|winter|lunch(?:\s?time)?|breakfast|dinner(?:\s?time)?|bed\s?time|"
    r"dusk|dawn|sunrise|sunset|dark|daylight|daytime|night\s?(?:time|fall)|(?:office|business|working|peak|quiet|core)\s+hours|rush\s+hour|peaks?)"
)
_EVENT = r"(?:meeting|demo|presentation|launch|release|conference|exam|review|stand-?up)"
_PATTERNS: tuple[tuple["re.Pattern[str]", str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), why)
    for pattern, why in (
        (
            rf"\b(?:only\s+)?(?:when|whenever|while|if|once|as\s+long\s+as|unless|until)\s+(?:{_SHORT}?\b{_GRID}\b{_SHORT}?\b{_LOW}\b|"
            rf"(?:it|the|there)\s?(?:'s|is|are)?\s+(?:\w+\s+){{0,2}}?{_LOW}\b)(?:\s+{_GRID}\b)?",
            "a condition cannot be given: give carbon_cap_gco2_kwh, price_cap_gbp_mwh or carbon_to_cost_weight",
        ),
        (
            rf"\bonly\s+(?:when|whenever|while|if|once|where|during|between)\b{_SHORT}",
            "a condition that is not used: say it in fields",
        ),
        (
            r"\bas\s+(?:green|clean|cheap|cheaply|low|late|early|fast|quick|quickly)(?:\s+\w+)?\s+as\s+(?:possible|you\s+can)\b"
            rf"|\b(?:prefer(?:ably|red)?|prioriti[sz]e|favou?r)\s+(?:\w+\s+){{0,2}}?(?:{_LOW}|{_GRID})\b(?:[- ]{_GRID}\b)?"
            r"|\b(?:minimi[sz]e|reduce|save|cut)\s+(?:the\s+|its\s+|my\s+|our\s+)?(?:carbon|co2|emissions?|footprint|"
            r"electricity|bills?|money)\b"
            rf"|\b{_LOW}(?:[- ](?:carbon|price|cost))?\s+(?:electricity|energy|power|"
            r"hours?|times?|slots?|periods?|windows?|tariffs?|grid)\b"
            r"|\b(?:greenest|cheapest|cleanest|lowest[- ](?:carbon|price|cost))\b",
            "a wish that is not used here: give carbon_to_cost_weight",
        ),
        (
            rf"\b(?:avoid(?:ing)?|except|outside)\s+(?:of\s+|during\s+|in\s+|at\s+)?(?:the\s+|any\s+)?(?:\w+\s+)?"
            rf"(?:{_GRID}|{_OF_THE_YEAR}|rush|congestion)\b(?:\s+(?:{_GRID}|hours?|times?|periods?)\b)?"
            r"|\bavoid(?:ing)?\s+(?:running|starting|placing|scheduling|hosting)\b(?:\s+\w+)?",
            "what is to be avoided is not used: say what it is to be instead, in fields",
        ),
        (
            r"\b(?:(?:by|before|after|until|till|around|over|during|at|on|in|since|from)\s+(?:the\s+|this\s+|next\s+|my\s+|our\s+)?"
            rf"(?:end\s+of\s+)?{_OF_THE_YEAR}|(?:by|before|after|until|till)\s+(?:the\s+|this\s+|next\s+|my\s+|our\s+)?{_EVENT})\b",
            "no plain start, deadline or duration",
        ),
        (
            r"\b(?:(?:any|every)(?:where|place|time|\s+(?:region|city|place|time|day|hour|site|area))|no\s?where|"
            rf"all\s+(?:regions|cities|places|areas|days|hours))(?:\s+else)?\s+(?:but|except|besides|other\s+than)\b{_SHORT}",
            "what is excluded is not used: name what it is to be instead, in fields",
        ),
    )
)


def find(text: str, _now: object = None) -> Iterator[Phrase]:
    """Wishes, the most telling first."""
    claims = Claims(text)
    for pattern, why in _PATTERNS:
        for match in pattern.finditer(text):
            if claims.take(match):
                yield Unread(*match.span(), why)
