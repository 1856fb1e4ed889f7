"""Which region a place lies in: against the outlines in full detail, the recorded answers of the upstream, and a map."""

import csv
import json
import re
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import make_valid
from shapely.geometry import Point, shape

from service.places import areas, cloud, names, postcodes
from service.places.place import LICENCE_AREAS, BadPlace, Place, UnknownPlace
from service.places.search import search
from tests.conftest import RECORDED_DIR, needs_recorded
from warehouse.settings import PROJECT_ROOT

CITIES = {
    "Inverness": (1, 57.478, -4.225), "Glasgow": (2, 55.864, -4.252), "Manchester": (3, 53.481, -2.242),
    "Newcastle": (4, 54.978, -1.613), "Leeds": (5, 53.801, -1.549), "Liverpool": (6, 53.408, -2.992),
    "Cardiff": (7, 51.482, -3.179), "Birmingham": (8, 52.486, -1.890), "Nottingham": (9, 52.954, -1.158),
    "Norwich": (10, 52.630, 1.297), "Plymouth": (11, 50.375, -4.143), "Southampton": (12, 50.910, -1.404),
    "London": (13, 51.507, -0.128), "Brighton": (14, 50.823, -0.137),
}  # fmt: skip
GSP_GROUPS = {17: 1, 18: 2, 16: 3, 15: 4, 23: 5, 13: 6, 21: 7, 14: 8, 11: 9, 10: 10, 22: 11, 20: 12, 12: 13, 19: 14}
FOUR_OF_EACH = (
    "AB10", "IV1", "KW1", "PH1", "G1", "EH1", "KA1", "TD1", "M1", "PR1", "CA1", "BL1", "NE1", "SR1",
    "DL1", "TS1", "LS1", "HD1", "YO1", "S1", "L1", "LL11", "CH41", "SY20", "CF10", "SA1", "NP10", "LD1",
    "B1", "WV1", "ST1", "WR1", "NG1", "LE1", "DE1", "NN1", "CB1", "NR1", "IP1", "EN2", "BS1", "EX1",
    "PL1", "TR1", "SO14", "PO1", "OX1", "BH1", "EC1A", "SW1A", "SE1", "W2", "BN3", "ME1", "CT1", "TN1",
)  # fmt: skip
BY_THE_UPSTREAM = {"EN2": 10, "BS16": 11, "BS7": 11, "BN3": 14}
"""What the Carbon Intensity API gives for these; where it contradicts itself (EN2: 9 or 10, BN3: 13 or 14), what the map says"""


@cache
def in_full_detail() -> dict[int, object]:
    assert RECORDED_DIR
    document = json.loads((RECORDED_DIR / "geography" / "dno_license_areas.geojson").read_text())
    return {GSP_GROUPS[int(f["properties"]["ID"])]: make_valid(shape(f["geometry"])) for f in document["features"]}


@pytest.mark.parametrize("city", CITIES)
def test_fourteen_cities_lie_in_the_fourteen_areas(city: str) -> None:
    region_id, latitude, longitude = CITIES[city]
    assert areas.at(latitude, longitude).region_id == region_id
    assert names.city(city).region_id == region_id
    (found,) = search(f" {city.upper()} ")
    assert (found.region_id, found.basis) == (region_id, "city")


def test_every_city_of_the_table_lies_where_the_outlines_say() -> None:
    for named in names.names().values():
        if named.at:
            assert (areas.at(*named.at).region_id,) == named.region_ids, named.name


@pytest.mark.parametrize(
    ("point", "words"),
    [
        ((54.597, -5.930), "Northern Ireland"),
        ((55.0, -7.32), "Northern Ireland"),
        ((55.5, 3.0), "outside Great Britain"),
        ((53.5, 1.5), "in the sea or abroad"),
        ((50.2, -0.5), "in the sea or abroad"),
        ((54.15, -4.48), "in the sea or abroad"),
        ((53.35, -6.26), "in the sea or abroad"),
        ((48.857, 2.352), "outside Great Britain"),
        ((-33.9, 151.2), "outside Great Britain"),
    ],
)
def test_the_sea_and_other_countries_have_no_region_and_are_said_why(point: tuple[float, float], words: str) -> None:
    with pytest.raises(UnknownPlace, match=words):
        areas.at(*point)


@needs_recorded
@given(st.floats(49.8, 60.9), st.floats(-7.8, 1.8))
def test_a_point_lies_where_the_outlines_in_full_detail_say_or_is_not_certain(
    latitude: float, longitude: float
) -> None:
    point = Point(longitude, latitude)
    really = {region_id for region_id, area in in_full_detail().items() if area.contains(point)}  # type: ignore[attr-defined]
    try:
        found: Place | None = areas.at(latitude, longitude)
    except UnknownPlace:
        found = None
    if found is None:
        assert not really or all(in_full_detail()[r].boundary.distance(point) < 0.02 for r in really)  # type: ignore[attr-defined]
    elif found.is_certain and really:
        assert found.region_id in really
    else:
        assert in_full_detail()[found.region_id].distance(point) < 0.03  # type: ignore[attr-defined]


@given(st.floats(-91, 91), st.floats(-181, 181))
def test_a_point_anywhere_is_in_an_area_or_refused_in_words(latitude: float, longitude: float) -> None:
    try:
        assert areas.at(latitude, longitude).region_id in LICENCE_AREAS
    except (UnknownPlace, BadPlace) as error:
        assert str(error)


@needs_recorded
def test_four_outward_codes_of_each_area_lie_where_their_recorded_centres_lie() -> None:
    assert RECORDED_DIR
    with (RECORDED_DIR / "grid_more" / "8_postcodes" / "outcodes_gibbs_cc0.csv").open(newline="") as file:
        centres = {row["postcode"]: (float(row["longitude"]), float(row["latitude"])) for row in csv.DictReader(file)}
    found = {}
    for code in FOUR_OF_EACH:
        found[code] = postcodes.find(code).region_id
        nearest = min(in_full_detail(), key=lambda r: in_full_detail()[r].distance(Point(centres[code])))  # type: ignore[attr-defined]
        assert found[code] == nearest, code
    assert len(found) >= 40 and set(found.values()) == set(LICENCE_AREAS)


@needs_recorded
def test_outward_codes_agree_with_the_recorded_answers_of_the_upstream() -> None:
    assert RECORDED_DIR
    recorded: dict[str, set[int]] = {}
    for path in (RECORDED_DIR / "carbon_intensity" / "recorded_responses").rglob("*.json"):
        body = path.read_text(errors="replace")
        code = re.search(r'"postcode"\s*:\s*"(\w+)"', body)
        if code:
            recorded.setdefault(code[1], set()).update(int(n) for n in re.findall(r'"regionid"\s*:\s*(\d+)', body))
    assert recorded, "there are recorded answers"
    for code, regions in recorded.items():
        if code == "BH1":  # its label says South England, its number South West England: the label is right
            assert postcodes.find(code).region_id == 12
        elif code in BY_THE_UPSTREAM:
            assert postcodes.find(code).region_id == BY_THE_UPSTREAM[code]
        else:
            assert postcodes.find(code).region_id in regions


def test_a_postcode_is_read_however_it_is_written() -> None:
    spellings = ("EN2", "en2", " EN2 6AB ", "EN26AB", "e n 2 6 a b")
    assert {postcodes.outward_code(text) for text in spellings} == {"EN2"}
    assert {postcodes.outward_code(text) for text in ("SW1A1AA", "sw1a 1aa", "SW1A")} == {"SW1A"}
    assert postcodes.outward_code("W11AA") == "W1"
    for text in ("", "EN", "2EN", "EN2 6A", "EN2 6ABC", "123", "EN2;", "ÉN2", "EN2'--"):
        with pytest.raises(BadPlace):
            postcodes.find(text)


def test_a_district_near_a_border_or_not_in_the_table_says_so() -> None:
    assert postcodes.find("EN2").is_certain
    near = postcodes.find("SW13")
    assert (near.region_id, near.other_region_id, near.is_certain) == (13, 12, False)
    assert "region 12 begins 0.6 km from there" in near.because
    new = postcodes.find("W1A")
    assert (new.region_id, new.is_certain) == (13, False) and "is not in" in new.because
    by_letters = postcodes.find("AB99")
    assert (by_letters.region_id, by_letters.is_certain) == (1, False)
    with pytest.raises(UnknownPlace, match="YO districts lie in regions 4, 5"):
        postcodes.find("YO99")


@pytest.mark.parametrize(
    ("code", "words"), [("BT1 5GS", "Northern Ireland"), ("JE2", "Jersey"), ("IM1", "Isle of Man")]
)
def test_postcodes_outside_great_britain_are_said_why(code: str, words: str) -> None:
    with pytest.raises(UnknownPlace, match=words):
        search(code)


def test_cloud_regions_lie_in_the_city_that_their_provider_names() -> None:
    for row in cloud.cloud_regions().values():
        assert names.city(row.city).region_id == row.region_id == cloud.find(row.name.upper()).region_id
    south = cloud.find("azure:uksouth")
    assert (south.region_id, south.other_region_id, south.is_certain) == (13, 12, False)
    assert areas.at(50.941, -0.799).region_id == 12, "where its metadata puts it"
    assert search("eu-west-2")[0].asked == "aws:eu-west-2"
    with pytest.raises(UnknownPlace, match="aws:eu-west-2, azure:uksouth"):
        cloud.find("aws:us-east-1")


@needs_recorded
def test_the_shipped_cloud_regions_are_the_recorded_ones() -> None:
    assert RECORDED_DIR
    with (RECORDED_DIR / "grid_more" / "7_cloud" / "uk_cloud_regions.csv").open(newline="") as file:
        recorded = {(row["region_id"], int(row["carbon_regionid_of_city"])) for row in csv.DictReader(file)}
    assert recorded == {(r.name.partition(":")[2], r.region_id) for r in cloud.cloud_regions().values()}


def test_a_search_says_what_it_does_not_know() -> None:
    assert [place.region_id for place in search("Scotland")] == [1, 2]
    for text, words in {
        "Manchestr": "did you mean Manchester",
        "France": "France is no region",
        "99": "numbered 1 to 18",
        "EN2 6A": "this is no region, postcode",
        "Atlantis": "not known by its name",
    }.items():
        with pytest.raises(UnknownPlace, match=words):
            search(text)


@given(st.text(max_size=80))
def test_any_text_is_found_or_refused_in_words(text: str) -> None:
    try:
        assert all(place.because for place in search(text))
    except (UnknownPlace, BadPlace) as error:
        assert str(error)


def test_the_outlines_are_those_of_the_table_of_regions() -> None:
    csv.field_size_limit(10_000_000)
    with (PROJECT_ROOT / "dbt_project" / "seeds" / "seed_regions.csv").open(newline="") as file:
        coarse = {
            int(row["region_id"]): shape(json.loads(row["geometry"]))
            for row in csv.DictReader(file)
            if int(row["region_id"]) in LICENCE_AREAS
        }
    fine = json.loads((PROJECT_ROOT / "service" / "places" / "licence_areas.geojson").read_text())
    for feature in fine["features"]:
        area = make_valid(shape(feature["geometry"]))
        other = make_valid(coarse[feature["properties"]["region_id"]])
        assert area.symmetric_difference(other).area < 0.12 * area.area
    assert len(fine["features"]) == len(coarse) == 14
