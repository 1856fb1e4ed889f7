"""The region of a postcode, by its outward code: `EN2`, `en2 6ab`, `EN26AB`.

A licence area does not follow postcodes: the centre of the district decides, and the answer says how far the next area is.
"""

import csv
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from service.places.place import BadPlace, Place, UnknownPlace

_POSTCODE = re.compile(r"([A-Z]{1,2}[0-9][A-Z0-9]?)(?:[0-9][A-Z]{2})?")
NEAR_KM = 3.0
"""Districts are some kilometres wide: with another area this near, part of the district may lie in it"""
ELSEWHERE = {
    "BT": "Northern Ireland, whose grid is not that of Great Britain",
    "JE": "Jersey",
    "GY": "Guernsey",
    "IM": "the Isle of Man",
}
SOURCE = "the shipped table of outward codes of 2017"


class District(NamedTuple):
    """A row of `outward_codes.csv`: the centre of a postcode district, and the licence area that holds it."""

    region_id: int
    latitude: float
    longitude: float
    other_region_id: int
    km_to_other: float


@cache
def districts() -> dict[str, District]:
    """The table, by outward code."""
    with Path(__file__).with_name("outward_codes.csv").open(newline="") as file:
        return {
            row["outward_code"]: District(
                int(row["region_id"]),
                float(row["latitude"]),
                float(row["longitude"]),
                int(row["nearest_other_region_id"]),
                float(row["km_to_other"]),
            )
            for row in csv.DictReader(file)
        }


@cache
def _regions_of_letters() -> dict[str, frozenset[int]]:
    """The regions of all districts whose codes begin with the same letters."""
    found: dict[str, set[int]] = {}
    for code, district in districts().items():
        found.setdefault(_letters(code), set()).add(district.region_id)
    return {letters: frozenset(regions) for letters, regions in found.items()}


def _letters(code: str) -> str:
    return re.match("[A-Z]+", code)[0]  # type: ignore[index]


def outward_code(text: str) -> str:
    """The outward code of a postcode, in capitals. Raises BadPlace for what is no postcode."""
    match = _POSTCODE.fullmatch(re.sub(r"\s+", "", text).upper())
    if match is None:
        raise BadPlace("this is not a British postcode: give one such as EN2 or EN2 6AB")
    return match[1]


def find(text: str) -> Place:
    """The region of a postcode. Raises BadPlace or UnknownPlace."""
    code = outward_code(text)
    letters = _letters(code)
    if letters in ELSEWHERE:
        raise UnknownPlace(f"postcode {code} is in {ELSEWHERE[letters]}: there is no region for it")
    district = districts().get(code)
    if district is not None:
        is_certain = district.km_to_other > NEAR_KM
        because = f"the centre of district {code} lies in this licence area, by {SOURCE}"
        if not is_certain:
            because += f"; region {district.other_region_id} begins {district.km_to_other:g} km from there"
        return _place(code, district, because, is_certain=is_certain)
    wider = districts().get(code[:-1]) if code[-1].isalpha() else None
    if wider is not None:
        because = f"district {code} is not in {SOURCE}, and {code[:-1]} around it lies in this licence area"
        return _place(code, wider, because, is_certain=False)
    regions = _regions_of_letters().get(letters, frozenset())
    if len(regions) == 1:
        because = f"district {code} is not in {SOURCE}, and all its {letters} districts lie in this licence area"
        return Place(code, "postcode", next(iter(regions)), because, is_certain=False)
    raise UnknownPlace(
        f"postcode {code} is not in {SOURCE}"
        + (f", and {letters} districts lie in regions {', '.join(map(str, sorted(regions)))}" if regions else "")
        + ": give region_id, or lat and lon"
    )


def _place(code: str, district: District, because: str, *, is_certain: bool) -> Place:
    return Place(
        code, "postcode", district.region_id, because, is_certain, district.other_region_id, district.km_to_other,
        district.latitude, district.longitude,
    )  # fmt: skip
