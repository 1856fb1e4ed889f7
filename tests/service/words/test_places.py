"""Places by the tables that the fields use: read where they lie in one region for certain, listed otherwise, never dropped."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.places import cloud, postcodes
from service.task_places import InPlaces
from service.words.reading import read
from tests.service.words.test_reading import FRIDAY


def regions(request: str) -> tuple[int, ...] | None:
    found = read(request, FRIDAY, 60).found.get("region_ids")
    return None if found is None else found[0]


@given(st.sampled_from(sorted(postcodes.districts())), st.sampled_from(["1AA", "2HR", "9ZZ", ""]))
def test_a_postcode_says_what_the_field_says(district: str, inward: str) -> None:
    for code in {f"{district} {inward}".strip(), f"{district}{inward}".lower()}:
        request = f"run it at postcode {code}"
        place = postcodes.find(code)
        assert InPlaces(postcode=[code]).region_ids == [place.region_id]
        if place.is_certain:
            assert regions(request) == (place.region_id,)
        reading = read(request, FRIDAY, 60)
        assert ("region_ids" in reading.found) != bool(reading.unread), request
        assert set(reading.found) <= {"region_ids"}


@given(st.sampled_from(sorted(postcodes.districts())), st.sampled_from(["1AA", "2HR", "9ZZ"]))
def test_a_full_postcode_needs_no_word_before_it(district: str, inward: str) -> None:
    place = postcodes.find(district)
    reading = read(f"3 hours on 8 H100s in {district} {inward}", FRIDAY, 60)
    assert reading.found["duration_minutes"][0] == 180 and reading.found["accelerators"][0].count == 8
    if place.is_certain:
        assert reading.found["region_ids"][0] == (place.region_id,) and not reading.unread
    else:
        assert "region_ids" not in reading.found and reading.unread


@pytest.mark.parametrize("name", sorted(cloud.cloud_regions()))
def test_a_cloud_region_says_what_the_field_says(name: str) -> None:
    place = cloud.find(name)
    provider, _, region = name.partition(":")
    for words in (name, region, f"{provider} {region}", f"{provider.upper()} region {region}"):
        request = f"run it in {words}"
        assert regions(request) == ((place.region_id,) if place.is_certain else None), request
        assert bool(read(request, FRIDAY, 60).unread) != place.is_certain


@pytest.mark.parametrize(
    ("request_words", "expected"),
    [
        ("run it in EH1 1AA or in London", (2, 13)), ("run on aws eu-west-2", (13,)), ("run in eu-west-2a", (13,)),
        ("in postcode M1", (3,)), ("run it at lat 57.15, lon -2.1", (1,)), ("in the city of Leeds", (5,)),
        ("Train it near SW1A 1AA", (13,)), ("run in Google Cloud europe-west2", (13,)),
    ],
)  # fmt: skip
def test_a_place_that_is_certain_is_read(request_words: str, expected: tuple[int, ...]) -> None:
    assert regions(request_words) == expected
    assert read(request_words, FRIDAY, 60).unread == ()


@pytest.mark.parametrize(
    ("request_words", "listed"),
    [
        ("run in M1", "in M1"), ("near EH1", "near EH1"), ("run in the North West", "in the North West"),
        ("run it in the north of England", "in the north of England"), ("run in azure uksouth", "in azure uksouth"),
        ("in uk south", "in uk south"), ("in us-east-1", "in us-east-1"), ("in azure eu-west-2", "in azure eu-west-2"),
        ("store the data in eu-west-2", "in eu-west-2"), ("run at 51.51, -0.12", "at 51.51, -0.12"),
        ("at lat 48.8, lon 2.3", "at lat 48.8, lon 2.3"), ("at BT1 1AA", "at BT1 1AA"), ("in M1 or EH1 1AA", "in M1 or EH1 1AA"),
        ("postcode ZZ1 1AA", "postcode ZZ1 1AA"), ("EH1 1AA is where our office is", "EH1 1AA"), ("at Harwell", "at Harwell"),
        ("run in the Lake District", "in the Lake District"), ("a London-based cluster", "London"),
    ],
)  # fmt: skip
def test_what_looks_like_a_place_and_is_not_read_is_listed(request_words: str, listed: str) -> None:
    reading = read(request_words, FRIDAY, 60)
    assert reading.found == {}
    assert any(listed in words and why for words, why in reading.unread), reading.unread


@pytest.mark.parametrize(
    "request_words",
    ["the F1 score in F1", "Train it in PyTorch", "use FP16", "in parallel", "in Python", "quantize to INT8"],
)
def test_what_is_no_place_makes_no_noise(request_words: str) -> None:
    reading = read(request_words, FRIDAY, 60)
    assert (reading.found, reading.unread) == ({}, ())
