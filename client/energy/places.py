"""Where a machine stands, as parameters of the service."""

from __future__ import annotations

import re

from energy.answers import PlacesFound
from energy.api import Api, Budget

REGIONS = range(1, 15)


def given(region: int | None, postcode: str | None, at: str | None) -> str | None:
    """The one place that was given. Raises ValueError for more than one, or for what is no place."""
    named = [str(one) for one in (region, postcode, at) if one is not None]
    if len(named) > 1:
        raise ValueError("give one of --region, --postcode and --at")
    if region is not None and region not in REGIONS:
        raise ValueError(f"--region is a number of {REGIONS[0]} to {REGIONS[-1]}")
    if at is not None and not re.fullmatch(r"\s*-?\d+(\.\d+)?\s*,\s*-?\d+(\.\d+)?\s*", at):
        raise ValueError("--at is LAT,LON in degrees, such as 51.5,-0.1")
    return named[0] if named else None


def region_ids(api: Api, place: str | None, budget: Budget | None = None) -> list[int] | None:
    """The licence areas of a place; None for any. Raises Trouble if the service knows none."""
    if place is None:
        return None
    if place.strip().isdigit():
        return [int(place)]
    found: PlacesFound = api.get("/places", budget, q=place)
    return list(dict.fromkeys(one["region_id"] for one in found["places"]))
