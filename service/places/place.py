"""A place, the region that it lies in, and why."""

from dataclasses import dataclass
from typing import Literal

Basis = Literal["region_id", "postcode", "coordinates", "cloud_region", "city", "name"]

LICENCE_AREAS = range(1, 15)
"""Regions with an outline; 15 to 18 are England, Scotland, Wales and Great Britain"""
REGIONS = range(1, 19)


class UnknownPlace(LookupError):
    """A place that lies in no region, or is not known here; the message says which, in words for a person."""


class BadPlace(ValueError):
    """What was given is not the kind of place that it should be."""


@dataclass(frozen=True)
class Place:
    """Where something is: one region, and on what that rests."""

    asked: str
    """As it was given, spelled the usual way"""
    basis: Basis
    region_id: int
    """1 to 18"""
    because: str
    """One sentence"""
    is_certain: bool = True
    """False if another region is near enough, or if the table had to guess"""
    other_region_id: int | None = None
    """The region that it may lie in instead"""
    km_to_other: float | None = None
    latitude: float | None = None
    longitude: float | None = None


def of_region(region_id: int) -> Place:
    """A region by its number. Raises UnknownPlace for one that does not exist."""
    if region_id not in REGIONS:
        raise UnknownPlace(f"there is no region {region_id}: regions are numbered 1 to 18")
    return Place(str(region_id), "region_id", region_id, "the region was given by its number")
