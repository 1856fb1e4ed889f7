"""The grid region of a region of a cloud provider, by the city that the provider names: `aws:eu-west-2`, `azure:uksouth`."""

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

from service.places.place import Place, UnknownPlace


class CloudRegion(NamedTuple):
    """A row of `cloud_regions.csv`."""

    name: str
    """`provider:region`"""
    city: str
    region_id: int
    coordinates_region_id: int | None
    """The region in which the provider's own coordinates lie, if that is another"""
    source: str


@cache
def cloud_regions() -> dict[str, CloudRegion]:
    """The table, by `provider:region`."""
    with Path(__file__).with_name("cloud_regions.csv").open(newline="") as file:
        rows = [
            CloudRegion(
                f"{row['provider']}:{row['cloud_region']}",
                row["city"],
                int(row["region_id"]),
                int(row["coordinates_region_id"]) if row["coordinates_region_id"] else None,
                row["source"],
            )
            for row in csv.DictReader(file)
        ]
    return {row.name: row for row in rows}


def find(text: str) -> Place:
    """The region of a cloud region, with or without its provider (`eu-west-2`). Raises UnknownPlace."""
    wanted = text.strip().lower()
    found = [row for name, row in cloud_regions().items() if wanted in (name, name.partition(":")[2])]
    if len(found) != 1:
        raise UnknownPlace(f"this is not a cloud region in Great Britain; known: {', '.join(cloud_regions())}")
    row = found[0]
    other = row.coordinates_region_id
    return Place(
        row.name, "cloud_region", row.region_id, f"its provider names {row.city}: {row.source}",
        is_certain=other is None, other_region_id=other,
    )  # fmt: skip
