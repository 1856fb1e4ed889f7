"""The licence area that holds a point, by outlines that are simplified to about 500 m.

Points are WGS84 degrees. Distances are on a plane that is true to scale at the point: right to a per cent within 50 km.
"""

import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.places.place import BadPlace, Place, UnknownPlace

Points = NDArray[np.float64]

KM_PER_DEGREE = 111.32
COAST_KM = 1.5
"""A point that is this near to land counts as on land: a pier, a quay, an outline that cuts a corner"""
BORDER_KM = 1.0
"""Twice what the outlines are simplified by: nearer to another area than this, the answer is not certain"""
NORTHERN_IRELAND = np.array(
    [(-8.2, 54.45), (-7.9, 54.2), (-7.3, 54.1), (-6.6, 54.03), (-5.9, 54.0), (-5.35, 54.25), (-5.4, 54.75),
     (-5.95, 55.25), (-6.4, 55.32), (-6.95, 55.25), (-7.35, 55.0), (-7.6, 54.72), (-8.2, 54.45)]
)  # fmt: skip
"""Roughly: only to say why there is no region there"""


class Outline(NamedTuple):
    """An area as the sides of all its rings, each from one point to the next; shape (sides, 2), longitude first."""

    region_id: int
    begins: Points
    ends: Points


@cache
def outlines() -> tuple[Outline, ...]:
    """The fourteen licence areas."""
    document = json.loads(Path(__file__).with_name("licence_areas.geojson").read_text())
    return tuple(_outline(feature) for feature in document["features"])


def _outline(feature: dict) -> Outline:  # type: ignore[type-arg]
    rings = [np.array(ring) for polygon in feature["geometry"]["coordinates"] for ring in polygon]
    begins, ends = (np.concatenate([ring[part] for ring in rings]) for part in (slice(None, -1), slice(1, None)))
    return Outline(feature["properties"]["region_id"], begins, ends)


def at(latitude: float, longitude: float) -> Place:
    """The licence area that holds a point.

    Raises BadPlace for what is no point on Earth, UnknownPlace (in words) for the sea, Northern Ireland and other countries.
    """
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise BadPlace("lat is from -90 to 90 and lon from -180 to 180 degrees")
    asked, point = f"{latitude:g},{longitude:g}", np.array([longitude, latitude])
    inside = [o.region_id for o in outlines() if _holds(o.begins, o.ends, point)]
    distances = sorted((_distance_km(outline, point), outline.region_id) for outline in outlines())
    if inside:
        region_id, because = inside[0], "the point lies inside this licence area"
    elif distances[0][0] <= COAST_KM:
        region_id, because = (
            distances[0][1],
            f"the point is {distances[0][0]:.1f} km off the coast of this licence area",
        )
    else:
        raise UnknownPlace(_why_not(point, *distances[0]))
    # the nearest of the other areas, not of its own border
    km, other = next(found for found in distances if found[1] != region_id)
    return Place(
        asked, "coordinates", region_id, because, is_certain=km > BORDER_KM and bool(inside), other_region_id=other,
        km_to_other=round(km, 1), latitude=latitude, longitude=longitude,
    )  # fmt: skip


def _holds(begins: Points, ends: Points, point: Points) -> bool:
    """Whether a line from the point to the east crosses the outline an odd number of times."""
    crosses = (begins[:, 1] > point[1]) != (ends[:, 1] > point[1])
    (x0, y0), (x1, y1) = begins[crosses].T, ends[crosses].T
    where = x0 + (point[1] - y0) * (x1 - x0) / (y1 - y0)
    return bool(np.count_nonzero(where > point[0]) % 2)


def _distance_km(outline: Outline, point: Points) -> float:
    scale = KM_PER_DEGREE * np.array([np.cos(np.radians(point[1])), 1.0])
    begins, along = (outline.begins - point) * scale, (outline.ends - outline.begins) * scale
    length = np.maximum((along**2).sum(axis=1), 1e-12)
    part = np.clip(-(begins * along).sum(axis=1) / length, 0, 1)
    nearest = begins + along * part[:, None]
    return float(np.sqrt((nearest**2).sum(axis=1).min()))


def _why_not(point: Points, km: float, nearest: int) -> str:
    longitude, latitude = point
    if _holds(NORTHERN_IRELAND[:-1], NORTHERN_IRELAND[1:], point):
        return "this point is in Northern Ireland, whose grid is not that of Great Britain: there is no region for it"
    if 49.5 <= latitude <= 61.5 and -9.5 <= longitude <= 2.5:
        return f"this point is in no licence area of Great Britain: in the sea or abroad, {km:.0f} km from region {nearest}"
    return "this point is outside Great Britain"
