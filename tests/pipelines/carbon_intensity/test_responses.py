"""The door: what was recorded goes through, what is not of the documented shape does not."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.carbon_intensity import generation, national, regional
from pipelines.dataset import BodyRejected
from tests.conftest import RECORDED_DIR, needs_recorded

BODIES = (RECORDED_DIR or Path()) / "carbon_intensity/recorded_responses/bodies"
REGIONAL = {
    "data": [
        {
            "from": "2024-01-01T00:00Z",
            "to": "2024-01-01T00:30Z",
            "regions": [
                {
                    "regionid": n,
                    "shortname": "x",
                    "intensity": {"forecast": 1, "index": "low"},
                    "generationmix": [
                        {"fuel": f, "perc": 11}
                        for f in ("biomass", "coal", "imports", "gas", "nuclear", "other", "hydro", "solar", "wind")
                    ],
                }
                for n in range(1, 19)
            ],
        }
    ]
}


@needs_recorded
@pytest.mark.parametrize(
    ("validate_body", "name", "half_hours"),
    [
        (national.validate, "intensity_2020-01-01T0000Z_2020-01-02T2359Z.json", 96),
        (national.validate, "intensity_date_2020-04-01.json", 48),
        (national.validate, "intensity.json", 1),
        (generation.validate, "generation_2019-04-01T0000Z_2019-04-07T2359Z.json", 336),
        (regional.validate, "regional_intensity_2020-01-01T0000Z_2020-01-02T2359Z.json", 96),
        (regional.validate, "regional.json", 1),
    ],
)
def test_recorded_bodies_pass_in_full(validate_body, name: str, half_hours: int) -> None:
    contents = validate_body((BODIES / name).read_bytes())
    assert contents.named == contents.complete
    assert len(contents.complete) == half_hours


@needs_recorded
@pytest.mark.parametrize(
    ("validate_body", "name"),
    [
        (generation.validate, "generation.json"),  # data is an object here
        (regional.validate, "regional_regionid_13.json"),
        (regional.validate, "regional_england.json"),
        (national.validate, "intensity_factors.json"),
        (generation.validate, "intensity_2020-01-01T0000Z_2020-01-02T2359Z.json"),
    ],
)
def test_the_shape_of_another_route_is_refused(validate_body, name: str) -> None:
    with pytest.raises(BodyRejected):
        validate_body((BODIES / name).read_bytes())


def test_a_half_hour_without_all_regions_is_named_but_not_complete() -> None:
    body = json.loads(json.dumps(REGIONAL))
    del body["data"][0]["regions"][4]
    contents = regional.validate(json.dumps(body).encode())
    assert (len(contents.named), len(contents.complete)) == (1, 0)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{}", "empty object"),
        (b"<html>", "HTML"),
        (b'{"error":{"code":"500"}}', "error object"),
        (b'{"data":{}}', "documented shape"),
        (b'{"data":[{"from":"2024-01-01T00:00Z"}]}', "missing required field"),
        (
            b'{"data":[{"from":"2024-01-01T00:00Z","to":"2024-01-01T01:00Z","intensity":{"forecast":1,"actual":1,"index":""}}]}',
            "not a half-hour",
        ),
        (
            b'{"data":[{"from":"2024-01-01T00:10Z","to":"2024-01-01T00:40Z","intensity":{"forecast":1,"actual":1,"index":""}}]}',
            "timestamp",
        ),
        (
            b'{"data":[{"from":"2024-01-01T00:00Z","to":"2024-01-01T00:30Z","intensity":{"forecast":1e99,"actual":1,"index":""}}]}',
            "documented shape",
        ),
        (b"\xff\xfe", "not JSON"),
        (b"", "not JSON"),
    ],
)
def test_the_reason_is_in_words(body: bytes, words: str) -> None:
    with pytest.raises(BodyRejected, match=words):
        national.validate(body)


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=5).map(
        lambda v: json.dumps({"data": v}).encode()
    )
)
def test_no_body_breaks_the_door(body: bytes) -> None:
    for validate_body in (national.validate, generation.validate, regional.validate):
        try:
            validate_body(body)
        except BodyRejected as reason:
            assert str(reason)
