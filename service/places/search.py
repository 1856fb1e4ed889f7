"""A place from one text, whatever kind of place it names."""

import re

from service.places import areas, cloud, names, postcodes
from service.places.place import BadPlace, Place, UnknownPlace, of_region

_POINT = re.compile(r"(-?\d{1,3}(?:\.\d+)?)\s*[,; ]\s*(-?\d{1,3}(?:\.\d+)?)")
_REGION = re.compile(r"(?:region\s*)?(\d{1,4})")


def search(text: str) -> tuple[Place, ...]:
    """The regions that a text names: `13`, `51.5,-0.1`, `EN2 6AB`, `aws:eu-west-2`, `Leeds`, `Scotland`.

    More than one only for a name that covers several. Raises UnknownPlace or BadPlace, with the reason in words.
    """
    text = text.strip()
    if match := _REGION.fullmatch(text.lower()):
        return (of_region(int(match[1])),)
    if match := _POINT.fullmatch(text):
        return (areas.at(float(match[1]), float(match[2])),)
    if ":" in text or text.lower() in {name.partition(":")[2] for name in cloud.cloud_regions()}:
        return (cloud.find(text),)
    if re.search(r"\d", text):
        try:
            return (postcodes.find(text),)
        except BadPlace:
            raise UnknownPlace(
                "this is no region, postcode, latitude and longitude, cloud region or name that is known here"
            ) from None
    return names.find(text)
