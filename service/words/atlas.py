"""A place in words, by the shipped tables: a name, a postcode or a region of a cloud; the last two only if they are certain."""

import re
from collections.abc import Callable
from functools import cache

from service.places import cloud, postcodes
from service.places.names import names
from service.places.place import BadPlace, Place, UnknownPlace

PROVIDER = r"(?:aws|amazon|azure|microsoft|gcp|google(?:\s+cloud)?|oci|oracle|ibm)"
_PROVIDERS = {"amazon": "aws", "microsoft": "azure", "google": "gcp", "oracle": "oci"}
POSTCODE = r"(?-i:[A-Z]{1,2}[0-9][A-Z0-9]?\s?[0-9][A-Z]{2})(?!\w)"
_OUTWARD = r"(?-i:[A-Z]{1,2}[0-9][A-Z0-9]?)(?![\w-])"
# names of regions as AWS, Google and Oracle spell them, with or without a zone ("eu-west-2a"); Azure's are single words
_CLOUD = (
    rf"(?:{PROVIDER}(?:\s*:\s*|\s+)(?:region\s+)?)?"
    r"(?:(?:us|eu|ap|sa|ca|me|af|il|mx|cn|uk|europe|asia|australia|northamerica|southamerica|africa)(?:-[a-z]+){1,3}-?[0-9]{1,2}(?:-?[a-d])?"
    r"|eu-gb|uk\s?(?:south|west)|(?:north|west)\s?europe|(?:east|west|central)us[0-9]?)(?![\w-])"
)
_CERTAIN = "it may lie in region {} or {}: give region_ids, postcode or cloud_region"


@cache
def known() -> str:
    """A pattern of the names in `names.csv`, the longest first."""
    return "|".join(re.escape(name).replace(r"\ ", r"\s+") for name in sorted(names(), key=len, reverse=True))


@cache
def place() -> str:
    """A pattern of one place."""
    return rf"(?:{POSTCODE}|{_CLOUD}|(?:{known()})(?!\w|-(?!based\b))|{_OUTWARD})"


def looked_up(text: str, *, is_postcode: bool = False) -> tuple[int, ...] | str:
    """The regions of a place, or why it is none that can be used."""
    words = re.sub(r"\s+", " ", text.strip())
    if named := names().get(words.lower()):
        return named.region_ids or named.why_not
    if re.fullmatch(POSTCODE, words) or is_postcode:
        return _certain(postcodes.find, words)
    if is_outward(words):
        return f'if that is a postcode, write "postcode {words}", or give postcode'
    return _certain(cloud.find, _cloud_name(words))


def is_outward(text: str) -> bool:
    """Whether this has the form of an outward code alone, which is many things ("M1")."""
    return bool(re.fullmatch(_OUTWARD, text))


def looks_like_one(text: str) -> bool:
    """Whether the text is a place at all: "L2" is a postcode district, "F1" is none."""
    return not is_outward(text) or text in postcodes.districts()


def _cloud_name(words: str) -> str:
    lowered = (
        re.sub(r"-?[a-d]$", "", words.lower()) if re.search(r"[0-9]-?[a-d]$", words, re.IGNORECASE) else words.lower()
    )
    found = re.fullmatch(rf"(?:(?P<provider>{PROVIDER})(?:\s*:\s*|\s+)(?:region\s+)?)?(?P<name>.*)", lowered)
    if found is None or not found["provider"]:
        return lowered.replace(" ", "")
    provider = found["provider"].split()[0]
    return f"{_PROVIDERS.get(provider, provider)}:{found['name'].replace(' ', '')}"


def _certain(find: Callable[[str], Place], text: str) -> tuple[int, ...] | str:
    try:
        place_found = find(text)
    except (BadPlace, UnknownPlace) as error:
        return str(error)
    if not place_found.is_certain:
        other = place_found.other_region_id
        return _CERTAIN.format(place_found.region_id, other) if other else f"{place_found.because}: give region_ids"
    return (place_found.region_id,)
