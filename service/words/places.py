"""Where a run may run ("in London", "in Leeds or Hull", "region 13"): licence areas 1 to 14, by `places.csv`.

A place counts only where it is said of the run: "train the model in Leeds" is, "simulate traffic in Leeds" may not be.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from service.words.phrases import MASK, Claims, Found, Phrase, Unread, before


@dataclass(frozen=True)
class Place:
    """A place by its name: the licence areas that it is, or why it is none."""

    name: str
    region_ids: tuple[int, ...]
    at: tuple[float, float] | None
    """latitude and longitude of a city"""
    why_not: str


@cache
def places() -> dict[str, Place]:
    """The table, by the name in small letters."""
    with Path(__file__).with_name("places.csv").open(newline="") as file:
        return {
            row["name"].lower(): Place(
                name=row["name"],
                region_ids=tuple(int(region) for region in row["region_ids"].split("|") if region),
                at=(float(row["latitude"]), float(row["longitude"])) if row["latitude"] else None,
                why_not=row["why_not"],
            )
            for row in csv.DictReader(file)
        }


@cache
def _patterns() -> tuple["re.Pattern[str]", "re.Pattern[str]"]:
    names = "|".join(re.escape(name).replace(r"\ ", r"\s+") for name in sorted(places(), key=len, reverse=True))
    joined = r"\s*,\s*(?:or\s+|and\s+)?|\s+(?:or|and)\s+(?:in\s+)?|\s*/\s*"
    return (
        re.compile(
            rf"\b(?:in|at|near|around|within)\s+(?P<names>(?:{names})(?:(?:{joined})(?:{names}))*)(?![\w-])",
            re.IGNORECASE,
        ),
        re.compile(rf"(?<![\w-])(?:{names})(?![\w-])", re.IGNORECASE),
    )


_REGIONS = re.compile(
    r"\b(?:in\s+)?regions?\s+(?P<ids>[0-9]{1,2}(?:(?:\s*,\s*|\s+(?:or|and)\s+)[0-9]{1,2})*)(?![\w.:%])", re.IGNORECASE
)
_OF_THE_RUN = re.compile(
    rf"(?:^|[,;(.!?\n{MASK}]|\S*[0-9]\S*|\b(?:run|runs|running|run\s+it|execute|executed|schedule|scheduled|place|placed|host|hosted|"
    r"compute|only|somewhere|anywhere|it|this|that|them|model|models|network|job|jobs|task|tasks|workload|workloads|training|build|"
    r"pipeline|cluster|nodes?|servers?|machines?|gpus?|dat(?:a\s?)?cent(?:re|er)s?|imagenet))\s*$",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(r"\b(?:in|near)\s+(?P<name>[A-Z][a-z]{2,}(?:\s[A-Z][a-z]+)?)(?![\w-])")
_NO_PLACES = re.compile(
    r"(?:Python|Julia|Rust|Java|Docker|Kubernetes|Fortran|Blender|Spark|Keras|Slurm|Jupyter|Excel)\b"
)


def find(text: str, _now: object = None) -> Iterator[Phrase]:
    """Licence areas by name, city or number."""
    in_places, any_place = _patterns()
    claims = Claims(text)
    for match in _REGIONS.finditer(text):
        claims.take(match)
        ids = tuple(sorted({int(number) for number in re.findall(r"[0-9]+", match["ids"])}))
        if all(1 <= region <= 14 for region in ids):
            yield Found("region_ids", ids, *match.span())
        else:
            yield Unread(*match.span(), "licence areas are numbered 1 to 14")
    for match in in_places.finditer(text):
        if not claims.take(match):
            continue
        named = [places()[re.sub(r"\s+", " ", found[0].lower())] for found in any_place.finditer(match["names"])]
        reasons = [place.why_not for place in named if place.why_not]
        if reasons:
            yield Unread(*match.span(), reasons[0])
        elif _OF_THE_RUN.search(before(text, match.start())):
            ids = tuple(sorted({region for place in named for region in place.region_ids}))
            yield Found("region_ids", ids, *match.span())
        else:
            yield Unread(*match.span(), "is this where it is to run? then give region_ids")
    for match in _UNKNOWN.finditer(text):
        if not _NO_PLACES.match(match["name"]) and claims.take(match):
            yield Unread(*match.span(), "if that is a place, it is not known here: give region_ids")
