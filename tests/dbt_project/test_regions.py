"""The coarse areas of `regions` against the true ones."""

import csv
import json

import pytest
import shapely
from shapely.geometry import shape

from tests.conftest import RECORDED_DIR, needs_recorded
from warehouse.settings import PROJECT_ROOT

REGION_OF_AREA = {17: 1, 18: 2, 16: 3, 15: 4, 23: 5, 13: 6, 21: 7, 14: 8, 11: 9, 10: 10, 22: 11, 20: 12, 12: 13, 19: 14}
PLACES = {
    "Cambridge": (0.14, 52.2, 10), "Manchester": (-2.24, 53.48, 3), "London": (-0.12, 51.46, 13), "Edinburgh": (-3.19, 55.95, 2),
    "Bristol": (-2.6, 51.45, 11), "Liverpool": (-2.98, 53.41, 6), "Glasgow": (-4.25, 55.86, 2), "Leeds": (-1.55, 53.8, 5),
    "Inverness": (-4.22, 57.48, 1), "Cardiff": (-3.18, 51.48, 7), "Nottingham": (-1.15, 52.95, 9), "Brighton": (-0.14, 50.84, 14),
}  # fmt: skip


@pytest.fixture(scope="module")
def areas() -> dict[int, shapely.Geometry]:
    with (PROJECT_ROOT / "dbt_project/seeds/seed_regions.csv").open() as file:
        return {int(row["region_id"]): shape(json.loads(row["geometry"])) for row in csv.DictReader(file)}


def test_eighteen_valid_areas_and_no_two_licence_areas_overlap(areas) -> None:
    assert sorted(areas) == list(range(1, 19))
    assert all(area.is_valid and not area.is_empty for area in areas.values())
    for one in range(1, 15):
        for other in range(one + 1, 15):
            assert areas[one].intersection(areas[other]).area < 0.002


@pytest.mark.parametrize("place", PLACES)
def test_cities_lie_where_they_belong(areas, place: str) -> None:
    longitude, latitude, region_id = PLACES[place]
    assert [i for i in range(1, 15) if areas[i].contains(shapely.Point(longitude, latitude))] == [region_id]


@needs_recorded
def test_the_coarse_areas_are_close_to_the_true_ones(areas) -> None:
    assert RECORDED_DIR is not None
    collection = json.loads((RECORDED_DIR / "geography/dno_license_areas.geojson").read_text())
    for feature in collection["features"]:
        region_id = REGION_OF_AREA[feature["properties"]["ID"]]
        true = shapely.make_valid(shape(feature["geometry"]))
        assert true.symmetric_difference(areas[region_id]).area / true.area < 0.11
