"""Names of places: those of the Carbon Aware SDK's file that are British, and every other that this service knows."""

from dataclasses import dataclass

from service.gsf.problems import Refused
from service.gsf.shapes import NamedLocation
from service.places.cloud import cloud_regions
from service.places.place import BadPlace, UnknownPlace
from service.places.search import search

OF_THE_SDK = {"uksouth": (50.941, -0.799), "ukwest": (53.427, -3.084)}
"""Latitude and longitude as in the SDK's own file of Azure regions. The city that Azure names decides the region, not these."""


@dataclass(frozen=True)
class Named:
    """A location as it was asked for, and its region."""

    name: str
    region_id: int


def of(name: str) -> Named:
    """The region of a location. Raises Refused for a name that is not known."""
    try:
        found = search(name)
    except (UnknownPlace, BadPlace) as error:
        raise Refused(f"Unknown Location: {error}", location=str(error)) from None
    if len(found) > 1:
        raise Refused("Unknown Location: this name covers several regions", location="name one region by its number")
    return Named(name, found[0].region_id)


def every(region_names: dict[int, str]) -> dict[str, NamedLocation]:
    """Names that can be asked for; postcodes, coordinates and cities can be asked for too."""
    names = [*OF_THE_SDK, *cloud_regions(), *(str(region_id) for region_id in sorted(region_names))]
    return {
        name: NamedLocation(latitude=at[0], longitude=at[1], name=name)
        for name in names
        for at in [OF_THE_SDK.get(name, (None, None))]
    }
