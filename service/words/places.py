"""Where a run may run ("in Leeds or Hull", "postcode EH1 1AA", "in aws eu-west-2", "region 13"): licence areas 1 to 14.

A place counts only where it is said of the run: "train the model in Leeds" is, "simulate traffic in Leeds" may not be.
"""

import re
from collections.abc import Iterator
from functools import cache

from service.places import areas
from service.places.names import names
from service.places.place import BadPlace, UnknownPlace
from service.words import atlas
from service.words.days import HOLIDAYS
from service.words.phrases import MASK, Claims, Found, Phrase, Unread, before

ASK = "is this where it is to run? then give region_ids"
_JOINED = r"\s*,\s*(?:or\s+|and\s+)?|\s+(?:or|and)\s+(?:in\s+)?|\s*/\s*"


@cache
def _patterns() -> tuple["re.Pattern[str]", ...]:
    place = atlas.place()
    code = r"[A-Z]{1,2}[0-9][A-Z0-9]?(?:\s?[0-9][A-Z]{2})?(?!\w)"
    ahead = (
        r"\b(?:in|at|near|around|within)\s+(?:(?:the\s+)?(?:cloud\s+|city\s+of\s+|(?:data\s?)?regions?\s+)(?![0-9]))?"
    )
    return tuple(
        re.compile(pattern, re.IGNORECASE)
        for pattern in (
            rf"(?:\b(?:in|at|near|around|within)\s+)?(?:the\s+)?\b(?:postcodes?|postal\s+(?:code|district)s?):?\s+"
            rf"(?P<codes>{code}(?:(?:{_JOINED}){code})*)",
            rf"(?:{ahead}|\bon\s+(?=(?:{atlas.PROVIDER})\b))(?P<names>{place}(?:(?:{_JOINED}){place})*)(?![\w-])",
            rf"(?<![\w-])(?:{place})",
            code,
        )
    )


_REGIONS = re.compile(
    r"\b(?:in\s+)?regions?\s+(?P<ids>[0-9]{1,2}(?:(?:\s*,\s*|\s+(?:or|and)\s+)[0-9]{1,2})*)(?![\w.:%]|\s*[-–]\s*[0-9]|\s+(?:to|through)\s+[0-9])",
    re.IGNORECASE,
)
_DEGREES = r"-?[0-9]{1,3}(?:\.[0-9]+)?"
_POINT = re.compile(
    rf"(?:\b(?:in|at|near|around)\s+)?\blat(?:itude)?\.?\s*[:=]?\s*(?P<lat>{_DEGREES})\s*,?\s*(?:and\s+)?"
    rf"lon(?:g|gitude)?\.?\s*[:=]?\s*(?P<lon>{_DEGREES})(?![\w.])"
    r"|\b(?:at|near|around)\s+(?:(?:the\s+)?(?:coordinates?|point|position)\s+)?\(?-?[0-9]{1,2}\.[0-9]+\s*,\s*-?[0-9]{1,3}\.[0-9]+\)?",
    re.IGNORECASE,
)
_OF_THE_RUN = re.compile(
    rf"(?:^|[,;(.!?\n{MASK}]|\S*[0-9]\S*|\b(?:run|runs|running|run\s+it|execute|executed|schedule|scheduled|place|placed|host|hosted|"
    r"compute|only|somewhere|anywhere|it|this|that|them|model|models|network|job|jobs|task|tasks|workload|workloads|training|build|"
    r"pipeline|cluster|nodes?|servers?|machines?|gpus?|dat(?:a\s?)?cent(?:re|er)s?|imagenet))\s*$",
    re.IGNORECASE,
)
_PARTS = r"(?:(?:north|south|east|west)(?:[- ]?(?:east|west))?(?:ern)?|(?:mid|central|inner|outer|greater)(?=\s[A-Z]))"
_UNKNOWN = re.compile(
    r"\b(?:[Ii]n|[Nn]ear|[Aa]round|[Ww]ithin|[Aa]cross|[Aa]t)\s+"
    rf"(?P<name>(?:the\s+)?(?i:{_PARTS})(?:\s+of\s+[A-Z][a-z]+|\s+[A-Z][a-z]+)?(?!\s+[a-z]+(?:ing|ed)\b)"
    r"|(?:the\s+)?[A-Z][a-z]{2,}(?:\s[A-Z][a-z]+)?)(?![\w-])"
)
_NO_PLACES = re.compile(
    r"(?:the\s+)?(?:Python|Julia|Rust|Java|Docker|Kubernetes|Fortran|Blender|Spark|Keras|Slurm|Jupyter|Excel)\b"
    rf"|(?i:{HOLIDAYS}|(?:january|february|march|april|may|june|july|august|september|october|november|december|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?)\b)"
)
# sets of data, and a word that is more often a ship's
_NAMES_OF_OTHERS = re.compile(
    r"[\s-]+(?:iiit|housing|data\s?sets?|corpus|flowers|pets|times|university|benchmark|robotcar)\b", re.IGNORECASE
)


def left_over(text: str, claims: Claims) -> Iterator[Phrase]:
    """Places that nothing has read."""
    for match in _patterns()[2].finditer(text):
        if (
            match[0] == "hull"
            or atlas.is_outward(match[0])
            or _NAMES_OF_OTHERS.match(text, match.end())
            or not claims.take(match)
        ):
            continue
        named = names().get(re.sub(r"\s+", " ", match[0].lower()))
        why = named.why_not if named else ""
        yield Unread(*match.span(), why or "a place that is not used: give region_ids to say where it is to run")


def find(text: str, _now: object = None) -> Iterator[Phrase]:
    """Licence areas by name, city, postcode, region of a cloud, point or number."""
    in_codes, in_places, one, code = _patterns()
    claims = Claims(text)
    for match in _REGIONS.finditer(text):
        claims.take(match)
        ids = tuple(sorted({int(number) for number in re.findall(r"[0-9]+", match["ids"])}))
        if all(1 <= region <= 14 for region in ids):
            yield Found("region_ids", ids, *match.span())
        else:
            yield Unread(*match.span(), "licence areas are numbered 1 to 14")
    for match in _POINT.finditer(text):
        if claims.take(match):
            yield _phrase(text, match, [_at(match)])
    for match in in_codes.finditer(text):
        if claims.take(match):
            found = [atlas.looked_up(word[0], is_postcode=True) for word in code.finditer(match["codes"])]
            yield _phrase(text, match, found)
    for match in in_places.finditer(text):
        said = [word[0] for word in one.finditer(match["names"])]
        if any(atlas.looks_like_one(word) for word in said) and claims.take(match):
            yield _phrase(text, match, [atlas.looked_up(word) for word in said])
    for match in _UNKNOWN.finditer(text):
        if not _NO_PLACES.match(match["name"]) and claims.take(match):
            yield Unread(*match.span(), "if that is a place, it is not known here: give region_ids")


def _phrase(text: str, match: "re.Match[str]", found: list[tuple[int, ...] | str]) -> Phrase:
    reasons = [one for one in found if isinstance(one, str)]
    if reasons:
        return Unread(*match.span(), reasons[0])
    if not _OF_THE_RUN.search(before(text, match.start())):
        return Unread(*match.span(), ASK)
    return Found("region_ids", tuple(sorted({region for one in found for region in one})), *match.span())


def _at(match: "re.Match[str]") -> tuple[int, ...] | str:
    if match["lat"] is None:
        return "if that is a point, give lat and lon"
    try:
        place = areas.at(float(match["lat"]), float(match["lon"]))
    except (BadPlace, UnknownPlace) as error:
        return str(error)
    return (place.region_id,) if place.is_certain else "it is near the border of its region: give lat and lon"
