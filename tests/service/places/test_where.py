"""Places as parameters of routes."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.service.conftest import Api


def test_places_answers_which_region_and_why(api: Api) -> None:
    found = api.get("/places", params={"q": "sw13 9qq"})
    (place,) = found["places"]
    assert (place["asked"], place["basis"], place["region_id"], place["region_name"]) == (
        "SW13",
        "postcode",
        13,
        "London",
    )
    assert place["other_region_name"] == "Southern England" and place["is_certain"] is False and place["because"]
    assert found["asked"] == {"q": "sw13 9qq"} and found["data"]["in_words"]
    assert [p["region_name"] for p in api.get("/places", params={"q": "Scotland"})["places"]] == [
        "North Scotland", "South and Central Scotland",
    ]  # fmt: skip
    for q, words in {"BT1": "Northern Ireland", "53.5,1.5": "in the sea", "Atlantis": "not known"}.items():
        assert words in api.get("/places", 404, params={"q": q})["detail"]
    api.get("/places", 422)
    api.get("/places", 422, params={"q": "x" * 81})


@pytest.mark.parametrize(
    ("asked", "region_id"),
    [
        ({"postcode": "EN2 6AB"}, 10),
        ({"lat": "51.454", "lon": "-2.588"}, 11),
        ({"cloud_region": "azure:ukwest"}, 7),
        ({"city": "leeds"}, 5),
        ({"region_id": "3"}, 3),
    ],
)
def test_a_route_that_takes_a_region_takes_a_place(api: Api, asked: dict[str, str], region_id: int) -> None:
    windows = api.get("/windows/best", params=asked)
    assert {row["region_id"] for row in windows["windows"]} == {region_id} == set(windows["asked"]["region_id"])
    regions = api.get("/regions/opportunities", params=asked)
    assert [row["region_id"] for row in regions["regions"]] == [region_id]
    for answer in (windows, regions):
        assert [place["region_id"] for place in answer["places"]] == ([] if "region_id" in asked else [region_id])


KINDS = {"postcode", "lat", "lon", "cloud_region", "city"}


def test_every_route_that_takes_a_region_takes_every_kind_of_place(api: Api) -> None:
    described, takers = api.get("/openapi.json"), set()

    def bodies(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The objects of a request body, those in lists too."""
        schema = described["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
        if "properties" in schema:
            yield schema["properties"]
        for part in [*schema.get("properties", {}).values(), *schema.get("anyOf", []), schema.get("items", {})]:
            if part is not schema and ("$ref" in part or "items" in part or "anyOf" in part):
                yield from bodies(part)

    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            query = {one["name"] for one in operation.get("parameters", []) if one["in"] == "query"}
            taken = [query, *map(set, bodies(_body(operation)))]
            for names in (names for names in taken if names & {"region_id", "region_ids"}):
                assert names >= KINDS, (method, path)
                takers.add(path)
    assert takers >= {
        "/windows/best",
        "/series/{name}",
        "/submit_task",
        "/workloads/due",
        "/workloads/claim",
    }


def _body(operation: dict[str, Any]) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {})
    return dict(content.get("application/json", {}).get("schema", {}))


def test_a_runner_takes_what_is_placed_in_its_places(api: Api) -> None:
    made = {
        region: api.submit(is_deferrable=False, power_kw=1, duration_minutes=60, region_ids=[region])["workload_id"]
        for region in (3, 13)
    }
    due = api.get("/workloads/due", params={"city": "London"})
    assert [one["workload_id"] for one in due["workloads"]] == [made[13]] and due["asked"]["region_id"] == [13]
    assert due["places"][0]["because"]
    assert "Northern Ireland" in api.get("/workloads/due", 404, params={"postcode": "BT1"})["detail"]
    asked = {"runner": "r", "limit": 100, "postcode": ["M1"]}
    taken = api.client.post("/workloads/claim", json=asked).json()
    assert [one["workload_id"] for one in taken["claims"]] == [made[3]] and taken["places"][0]["region_id"] == 3
    refused = api.client.post("/workloads/claim", json={"runner": "r", "postcode": ["BT1"]})
    assert refused.status_code == 422 and "Northern Ireland" in refused.json()["detail"]


def test_several_places_are_taken_together_and_each_once(api: Api) -> None:
    asked = [("region_id", "13"), ("postcode", "SW1A"), ("postcode", "M1"), ("city", "Leeds")]
    answer = api.get("/regions/opportunities", params=asked)
    assert answer["asked"]["region_id"] == [13, 3, 5] and len(answer["places"]) == 3
    assert {row["region_id"] for row in answer["regions"]} == {3, 5, 13}


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ({"postcode": "BT1"}, 404, "query.postcode: postcode BT1 is in Northern Ireland"),
        ({"lat": "53.5", "lon": "1.5"}, 404, "query.lat: this point is in no licence area"),
        ({"lat": "53.5"}, 422, "query.lon: lat and lon belong together"),
        ({"lat": "x", "lon": "1"}, 422, "query.lat"),
        ({"lat": "nan", "lon": "1"}, 422, "query.lat"),
        ({"postcode": "nonsense"}, 422, "query.postcode: this is not a British postcode"),
        ({"city": "Atlantis"}, 404, "query.city"),
        ({"city": "Scotland"}, 404, "more than one region"),
        ({"cloud_region": "aws:us-east-1"}, 404, "query.cloud_region"),
    ],
)
def test_a_place_without_a_region_is_refused_in_words(api: Api, asked: dict[str, str], status: int, words: str) -> None:
    for path in ("/windows/best", "/regions/opportunities"):
        assert words in api.get(path, status, params=asked)["detail"]


def test_a_task_runs_where_its_places_are_and_the_answer_says_why(api: Api) -> None:
    for asked, region_id in (
        ({"postcode": ["EN2 6AB"]}, 10),
        ({"lat": 51.454, "lon": -2.588}, 11),
        ({"cloud_region": ["azure:ukwest"]}, 7),
        ({"city": ["leeds"]}, 5),
    ):
        answer = api.submit(duration_minutes=60, **asked)
        assert answer["placement"]["region_id"] == region_id
        (place,) = answer["understood"]["places"]
        assert place["region_id"] == region_id and place["because"]
        assert api.get(f"/workloads/{answer['workload_id']}")["region_ids"] == [region_id]
    several = api.submit(duration_minutes=60, region_ids=[13], postcode=["M1", "SW1A"], city=["Leeds"])
    assert api.get(f"/workloads/{several['workload_id']}")["region_ids"] == [3, 5, 13]
    (one,) = api.client.post(
        "/submit_tasks", json={"tasks": [{"request": "Train", "duration_minutes": 60, "city": ["Leeds"]}]}
    ).json()["results"]
    assert one["answer"]["placement"]["region_id"] == 5


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"postcode": ["BT1"]}, "Northern Ireland"),
        ({"lat": 53.5, "lon": 1.5}, "in no licence area"),
        ({"lat": 53.5}, "lon is missing"),
        ({"city": ["Atlantis"]}, "Atlantis"),
        ({"cloud_region": ["aws:us-east-1"]}, "us-east-1"),
        ({"postcode": "EN2"}, "body.postcode"),
    ],
)
def test_a_task_in_a_place_without_a_region_is_refused_in_words(api: Api, asked: dict[str, object], words: str) -> None:
    assert words in api.submit(status=422, **asked)["detail"]
    assert api.query("select count(*) from app.compute_workloads") == [(0,)]
