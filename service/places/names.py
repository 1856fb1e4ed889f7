"""Cities and regions by their names, and names of places that are no single region, from `names.csv`."""

import csv
import difflib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from service.places.place import Place, UnknownPlace


@dataclass(frozen=True)
class Named:
    """A place by its name: the licence areas that it is, or why it is none."""

    name: str
    region_ids: tuple[int, ...]
    at: tuple[float, float] | None
    """latitude and longitude of a city"""
    why_not: str


@cache
def names() -> dict[str, Named]:
    """The table, by the name in small letters."""
    with Path(__file__).with_name("names.csv").open(newline="") as file:
        return {
            row["name"].lower(): Named(
                name=row["name"],
                region_ids=tuple(int(region) for region in row["region_ids"].split("|") if region),
                at=(float(row["latitude"]), float(row["longitude"])) if row["latitude"] else None,
                why_not=row["why_not"],
            )
            for row in csv.DictReader(file)
        }


def find(text: str) -> tuple[Place, ...]:
    """The regions that a name stands for: one for a city, two for Scotland. Raises UnknownPlace."""
    wanted = " ".join(text.lower().replace("&", "and").split())
    named = names().get(wanted) or names().get(" ".join(text.lower().split()))
    if named is None:
        near = difflib.get_close_matches(wanted, [name for name, one in names().items() if one.region_ids], 3, 0.75)
        hint = f"; did you mean {' or '.join(names()[name].name for name in near)}?" if near else ""
        raise UnknownPlace(f"this place is not known by its name{hint}: give region_id, postcode, or lat and lon")
    if not named.region_ids:
        raise UnknownPlace(f"{named.name} is no region: {named.why_not}")
    return tuple(_place(named, region_id) for region_id in named.region_ids)


def city(text: str) -> Place:
    """The region of a city. Raises UnknownPlace, also for a name of several regions."""
    found = find(text)
    if len(found) > 1:
        regions = " and ".join(str(place.region_id) for place in found)
        raise UnknownPlace(f"{found[0].asked} is more than one region: give region_id {regions}")
    return found[0]


def _place(named: Named, region_id: int) -> Place:
    if named.at is None:
        because = "the name is that of this region" if len(named.region_ids) == 1 else "the name covers this region"
        return Place(named.name, "name", region_id, because)
    latitude, longitude = named.at
    because = f"{named.name} lies in this licence area"
    return Place(named.name, "city", region_id, because, latitude=latitude, longitude=longitude)
