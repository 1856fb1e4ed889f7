"""Where a request asks about: parameters that name regions by number, postcode, coordinates, cloud region or city."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query

from service.places import areas, cloud, names, postcodes
from service.places.place import LICENCE_AREAS, REGIONS, BadPlace, Place, UnknownPlace
from service.problems import Problem

MOST_PLACES = 18
Found = TypeVar("Found")

_Text = Annotated[str, Query(min_length=1, max_length=60)]
Postcodes = Annotated[
    list[_Text] | None,
    Query(
        max_length=MOST_PLACES,
        description="Postcode or its outward code; the centre of the district decides.",
        examples=[["EN2"]],
    ),
]
Latitude = Annotated[float | None, Query(ge=-90, le=90, allow_inf_nan=False, description="Degrees north, with lon.")]
Longitude = Annotated[float | None, Query(ge=-180, le=180, allow_inf_nan=False, description="Degrees east, with lat.")]
CloudRegions = Annotated[
    list[_Text] | None,
    Query(
        max_length=MOST_PLACES,
        description="Region of a cloud provider, by the city that the provider names.",
        examples=[["aws:eu-west-2"]],
    ),
]
Cities = Annotated[
    list[_Text] | None, Query(max_length=MOST_PLACES, description="City, by its name.", examples=[["Leeds"]])
]
AreaId = Annotated[int, Query(ge=LICENCE_AREAS[0], le=LICENCE_AREAS[-1])]
RegionId = Annotated[int, Query(ge=REGIONS[0], le=REGIONS[-1])]


@dataclass(frozen=True)
class Where:
    """The regions that a request names; none named is no restriction."""

    region_ids: tuple[int, ...] | None
    """in the order in which they were named, each once"""
    places: tuple[Place, ...]
    """how each place was understood that was not given by its number"""
    asked: dict[str, Any]
    """the parameters as they were given"""

    def as_json(self) -> list[dict[str, Any]]:
        """The places for an answer."""
        return [asdict(place) for place in self.places]


def _where(
    region_id: Sequence[int] | None,
    postcode: Sequence[str] | None,
    lat: float | None,
    lon: float | None,
    cloud_region: Sequence[str] | None,
    city: Sequence[str] | None,
) -> Where:
    if (lat is None) != (lon is None):
        raise Problem(422, f"query.{'lon' if lon is None else 'lat'}: lat and lon belong together; give both")
    places = [looked_up("postcode", postcodes.find, text) for text in postcode or ()]
    places += (
        [looked_up("lat", lambda point: areas.at(*point), (lat, lon))] if lat is not None and lon is not None else []
    )
    places += [looked_up("cloud_region", cloud.find, text) for text in cloud_region or ()]
    places += [looked_up("city", names.city, text) for text in city or ()]
    named = dict.fromkeys([*(region_id or ()), *(place.region_id for place in places)])
    asked = {"region_id": list(named) or None, "postcode": postcode, "lat": lat, "lon": lon}
    asked |= {"cloud_region": cloud_region, "city": city}
    return Where(tuple(named) or None, tuple(places), asked)


def looked_up(parameter: str, look_up: Callable[[Any], Found], given: Any) -> Found:
    """What a look-up of places finds. Raises Problem: 404 for a place that has no region, 422 for what is no such place."""
    try:
        return look_up(given)
    except UnknownPlace as error:
        raise Problem(404, f"query.{parameter}: {error}") from None
    except BadPlace as error:
        raise Problem(422, f"query.{parameter}: {error}") from None


async def _of_areas(
    region_id: Annotated[list[AreaId] | None, Query(max_length=len(LICENCE_AREAS))] = None,
    postcode: Postcodes = None,
    lat: Latitude = None,
    lon: Longitude = None,
    cloud_region: CloudRegions = None,
    city: Cities = None,
) -> Where:
    return _where(region_id, postcode, lat, lon, cloud_region, city)


async def _of_regions(
    region_id: Annotated[list[RegionId] | None, Query(max_length=len(REGIONS))] = None,
    postcode: Postcodes = None,
    lat: Latitude = None,
    lon: Longitude = None,
    cloud_region: CloudRegions = None,
    city: Cities = None,
) -> Where:
    return _where(region_id, postcode, lat, lon, cloud_region, city)


InAreas = Annotated[Where, Depends(_of_areas)]
"""Licence areas, 1 to 14"""
InRegions = Annotated[Where, Depends(_of_regions)]
"""Any region, 1 to 18"""
