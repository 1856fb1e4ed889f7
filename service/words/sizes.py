"""Power ("6.5 kW") and energy ("20 kWh") of a run, in kW and kWh."""

import re
from collections.abc import Iterator

from service.words.numbers import DIGITS, NUMBER, number
from service.words.phrases import (
    AT_LEAST,
    BEGINS,
    MASK,
    RANGE_BEFORE,
    UP_TO,
    Claims,
    Found,
    Phrase,
    Unread,
    after,
    before,
)

LEAST, MOST = 0.001, 1e6
# `mW` is a milliwatt and `w` may be anything: capitals count where a unit is one letter or means two things
_UNITS = {
    "power_kw": [(r"[kK][wW]|[kK]ilowatts?", 1.0), (r"MW|[mM]egawatts?", 1000.0), (r"W|[wW]atts?", 0.001)],
    "energy_kwh": [
        (r"[kK][wW][hH]|[kK]ilowatt[ -]?hours?", 1.0),
        (r"MWh|[mM]egawatt[ -]?hours?", 1000.0),
        (r"Wh|[wW]att[ -]?hours?", 0.001),
    ],
}
_HALF = r"(?P<half>\s+and\s+a\s+half)?"
_SIZE = {
    field: [(re.compile(rf"{BEGINS}((?i:{NUMBER}|an?)){_HALF}[\s-]?(?:{unit})\b"), factor) for unit, factor in units]
    for field, units in _UNITS.items()
}
_RATE = re.compile(
    r"(?:(?:below|under|less than|at most|max(?:imum)?|cap(?:ped)?(?: at)?)\s+)?"
    rf"{BEGINS}(?:[£$€]\s?)?{DIGITS}\s?\S{{0,12}}?\s?(?:/|per\s)\s?[kKM][wW][hH]\b"
)
_INTRODUCED = re.compile(
    r"(?:\b(?:at|using|uses?|draws?|drawing|needs?|consumes?|consuming|takes?|about|around|roughly|approximately|approx\.?|up to|"
    rf"{UP_TO}|at most|maximum|max|under|power|energy|is|total)|[~≈:=])\s*(?:of\s+)?$",
    re.IGNORECASE,
)
_EDGE_BEFORE = re.compile(rf"(?:^|[,;(.!?\n{MASK}]|\b(?:and|for))\s*$", re.IGNORECASE)
_EDGE_AFTER = re.compile(
    rf"\s*(?:$|[,;).!?\n{MASK}])|\s+(?:for|on|before|by|over|and|during|within|total|in total|using|in|after|between|from|"
    r"of (?:energy|power|electricity))\b",
    re.IGNORECASE,
)
_EACH = re.compile(r"\s*(?:each|apiece|per\b|/)", re.IGNORECASE)


def find(text: str, _now: object = None) -> Iterator[Phrase]:
    """Powers and energies that are those of the run; others, such as a battery's, are not understood."""
    claims = Claims(text)
    for match in _RATE.finditer(text):
        claims.take(match)
        yield Unread(*match.span(), "a price or an intensity: give price_cap_gbp_mwh or carbon_cap_gco2_kwh")
    for field, patterns in _SIZE.items():
        for pattern, factor in patterns:
            for match in pattern.finditer(text):
                if claims.take(match):
                    yield _phrase(
                        text, match, field, round((number(match[1]) + (0.5 if match["half"] else 0)) * factor, 9)
                    )


def _phrase(text: str, match: "re.Match[str]", field: str, value: float) -> Phrase:
    start, end = match.span()
    ahead, behind = before(text, start), after(text, end)
    ranged = RANGE_BEFORE.search(ahead)
    if ranged:
        return Unread(start - len(ranged[0]), end, f"a range: give one {field}")
    if AT_LEAST.search(ahead):
        return Unread(start, end, f"a least value: give one {field}")
    if _EACH.match(behind):
        return Unread(start, end, f"each of how many? give {field} in all")
    if not (_EDGE_AFTER.match(behind) and (_INTRODUCED.search(ahead) or _EDGE_BEFORE.search(ahead))):
        return Unread(start, end, f"is this the run's own? give {field}")
    if not LEAST <= value <= MOST:
        return Unread(start, end, f"{field} lies between {LEAST:g} and {MOST:,.0f}")
    return Found(field, value, start, end)
