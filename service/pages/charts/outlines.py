"""The fourteen licence areas as paths of a map, simplified so that neighbours still share their border.

Outlines are cut where three areas, or two and the sea, meet; each piece between two such points is simplified once, whichever
area it is asked for (Ramer, Douglas, Peucker). Small islands are left out.
"""

import itertools
import json
from collections import Counter
from functools import cache
from math import cos, radians
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service.places import areas

Point = tuple[float, float]
Ring = list[Point]

NORTH, WEST, SCALE = 60.9, -7.75, 60.0
"""Top left of the map in degrees, and units per degree of latitude"""
NARROWER = cos(radians(55.5))
"""Length of a degree of longitude in degrees of latitude, in the middle of the map"""
WIDTH, HEIGHT = 330, 662
TOLERANCE = 0.016
"""Degrees of latitude by which a simplified border may differ: one unit of the map"""
LEAST_AREA = 0.012
"""Square degrees: a smaller island is left out, unless it is the largest part of its area"""


@cache
def paths() -> dict[int, str]:
    """The `d` of each area's path, by region, in units of the map."""
    document = json.loads((Path(areas.__file__).parent / "licence_areas.geojson").read_text())
    rings = {
        feature["properties"]["region_id"]: [
            [(point[0], point[1]) for point in polygon[0]] for polygon in feature["geometry"]["coordinates"]
        ]
        for feature in document["features"]
    }
    corners = _corners(rings)
    return {region_id: _path(found, corners) for region_id, found in rings.items()}


def _corners(rings: dict[int, list[Ring]]) -> set[Point]:
    """Points at which a border begins or ends: where the areas that share a point change."""
    owners: Counter[Point] = Counter(point for found in rings.values() for ring in found for point in set(ring))
    return {
        point
        for found in rings.values()
        for ring in found
        for before, point, after in zip(ring[-2:-1] + ring[:-1], ring, ring[1:] + ring[1:2], strict=True)
        if owners[point] != owners[before] or owners[point] != owners[after] or owners[point] > 2
    }


def _path(rings: list[Ring], corners: set[Point]) -> str:
    largest = max(_area(ring) for ring in rings)
    kept = [ring for ring in rings if _area(ring) >= min(LEAST_AREA, largest)]
    return "".join(_drawn(_simplified(ring, corners)) for ring in kept)


def _drawn(ring: Ring) -> str:
    placed = [(round((x - WEST) * NARROWER * SCALE), round((NORTH - y) * SCALE)) for x, y in ring]
    kept = [point for n, point in enumerate(placed) if n == 0 or point != placed[n - 1]]
    steps = [f"{x - a},{y - b}" for (a, b), (x, y) in itertools.pairwise(kept)]
    return f"M{kept[0][0]},{kept[0][1]}l{' '.join(steps)}z" if len(steps) > 2 else ""


def _area(ring: Ring) -> float:
    x, y = np.array(ring).T
    return float(abs(np.dot(x[:-1], y[1:]) - np.dot(x[1:], y[:-1])) / 2)


def _simplified(ring: Ring, corners: set[Point]) -> Ring:
    """The ring, piece by piece between its corners; one without corners between its two farthest points."""
    ring = ring[:-1]
    cuts = [n for n, point in enumerate(ring) if point in corners] or [0]
    if len(cuts) == 1:
        start = np.array(ring[cuts[0]])
        cuts = sorted({cuts[0], int(np.argmax(((np.array(ring) - start) ** 2).sum(axis=1)))})
    around = ring[cuts[0] :] + ring[: cuts[0] + 1]
    ends = [cut - cuts[0] for cut in cuts] + [len(ring)]
    simplified: Ring = []
    for first, last in itertools.pairwise(ends):
        piece = around[first : last + 1]
        is_turned = piece[0] > piece[-1]  # the neighbour goes the other way along it
        points = _thinned(np.array(piece[::-1] if is_turned else piece))
        simplified += (points[::-1] if is_turned else points)[:-1]
    return [*simplified, simplified[0]]


def _thinned(points: NDArray[np.float64]) -> Ring:
    keep = np.zeros(len(points), dtype=bool)
    keep[[0, -1]] = True
    plane = points * np.array([NARROWER, 1.0])
    waiting = [(0, len(points) - 1)]
    while waiting:
        first, last = waiting.pop()
        if last - first < 2:
            continue
        begin, along = plane[first], plane[last] - plane[first]
        off = plane[first + 1 : last] - begin
        length = float(np.hypot(*along))
        far = np.abs(off[:, 0] * along[1] - off[:, 1] * along[0]) / length if length else np.hypot(off[:, 0], off[:, 1])
        at = int(np.argmax(far))
        if far[at] > TOLERANCE:
            middle = first + 1 + at
            keep[middle] = True
            waiting += [(first, middle), (middle, last)]
    return [(float(x), float(y)) for x, y in points[keep]]
