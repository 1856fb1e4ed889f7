"""`/gsf`: the shapes that the Carbon Aware SDK describes, with the values that the database has."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from tests.service.conftest import Api, instant

EMISSIONS = {"location": str, "time": str, "rating": float, "duration": str}
POINT = {"location": str, "timestamp": str, "duration": int, "value": float}
FORECAST = {
    "generatedAt": str, "requestedAt": str, "location": str, "dataStartAt": str, "dataEndAt": str, "windowSize": int,
    "optimalDataPoints": list, "forecastData": list,
}  # fmt: skip
AVERAGE = {"location": str, "startTime": str, "endTime": str, "carbonIntensity": float}


def has_shape(found: dict[str, Any], shape: dict[str, type]) -> None:
    assert {name: type(value) for name, value in found.items()} == shape


def half_hours(api: Api, region_id: int, start: datetime, end: datetime) -> list[tuple[Any, ...]]:
    return api.query(
        "select period_start, forecast_gco2_kwh from carbon_intensity_regional where region_id = %s and period_end > %s "
        "and period_start < %s and period_start <= now() and not coalesce(is_isolated, false) order by 1",
        region_id, start, end,
    )  # fmt: skip


def test_observed_half_hours_of_one_and_of_several_locations(api: Api) -> None:
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    start = end - timedelta(hours=12)
    span = {"time": start.isoformat(), "toTime": end.isoformat()}
    rows = api.get("/gsf/emissions/bylocation", params={"location": "uksouth", **span})
    for row in rows:
        has_shape(row, EMISSIONS)
    assert [(instant(row["time"]), row["rating"]) for row in rows] == half_hours(api, 13, start, end)
    assert {row["location"] for row in rows} == {"uksouth"} and {row["duration"] for row in rows} == {"00:30:00"}

    several = api.get("/gsf/emissions/bylocations", params={"location": ["uksouth", "ukwest", "1"], **span})
    expected = [pair for region_id in (13, 7, 1) for pair in half_hours(api, region_id, start, end)]
    assert [(instant(row["time"]), row["rating"]) for row in several] == expected
    best = api.get("/gsf/emissions/bylocations/best", params={"location": ["uksouth", "ukwest", "1"], **span})
    assert best == [row for row in several if row["rating"] == min(one["rating"] for one in several)]

    (now,) = api.get("/gsf/emissions/bylocation?location=aws:eu-west-2")
    assert instant(now["time"]) <= datetime.now(UTC) < instant(now["time"]) + timedelta(minutes=31)
    gone = api.client.get("/gsf/emissions/bylocation?location=uksouth&time=2001-01-01&toTime=2001-01-02")
    assert (gone.status_code, gone.content) == (204, b"")


def test_the_average_weighs_each_half_hour_by_the_time_that_it_covers(api: Api) -> None:
    end = datetime.now(UTC).replace(minute=10, second=0, microsecond=0) - timedelta(hours=2)
    start = end - timedelta(hours=3, minutes=7)
    answer = api.client.get(
        "/gsf/emissions/average-carbon-intensity",
        params={"location": "uksouth", "startTime": start.isoformat(), "endTime": end.isoformat()},
    )
    found = answer.json()
    has_shape(found, AVERAGE)
    weighed = [
        (value, (min(at + timedelta(minutes=30), end) - max(at, start)).total_seconds())
        for at, value in half_hours(api, 13, start, end)
    ]
    assert found["carbonIntensity"] == pytest.approx(sum(v * w for v, w in weighed) / sum(w for _, w in weighed))
    assert answer.headers["energy-synthetic-share"] == "0.0000" and int(answer.headers["energy-data-age-seconds"]) >= 0
    assert float(answer.headers["energy-coverage"]) == 1

    spans = [(start, end), (start, start + timedelta(hours=1))]
    body = [{"location": "uksouth", "startTime": f"{a:%Y-%m-%dT%H:%M:%S}", "endTime": b.isoformat()} for a, b in spans]
    batch = api.client.post("/gsf/emissions/average-carbon-intensity/batch", json=body)
    assert batch.status_code == 200 and batch.json()[0] == found and len(batch.json()) == 2
    body[1]["location"] = "ukwest"
    refused = api.client.post("/gsf/emissions/average-carbon-intensity/batch", json=body)
    assert refused.status_code == 400 and "location" in refused.json()["errors"]
    days = timedelta(days=200)
    body = [{"location": "uksouth", "startTime": (end - days).isoformat(), "endTime": end.isoformat()}] * 2
    refused = api.client.post("/gsf/emissions/average-carbon-intensity/batch", json=body)
    assert refused.status_code == 400 and "366 days together" in refused.json()["errors"]["endTime"][0]


def test_the_current_forecast_and_its_best_window(api: Api) -> None:
    (whole,) = api.get("/gsf/emissions/forecasts/current?location=ukwest")
    has_shape(whole, FORECAST)
    for point in (*whole["forecastData"], *whole["optimalDataPoints"]):
        has_shape(point, POINT)
    known = dict(
        api.query(
            "select period_start, forecast_gco2_kwh from carbon_intensity_as_of(now(), 7::smallint) "
            "where forecast_gco2_kwh is not null"
        )
    )
    assert {instant(p["timestamp"]): p["value"] for p in whole["forecastData"]}.items() <= known.items()
    assert len(whole["forecastData"]) >= 90 and whole["windowSize"] == 30
    assert {p["value"] for p in whole["optimalDataPoints"]} == {min(p["value"] for p in whole["forecastData"])}

    start = instant(whole["forecastData"][4]["timestamp"])
    end = start + timedelta(hours=12)
    scoped = {"dataStartAt": start.isoformat(), "dataEndAt": end.isoformat(), "windowSize": 240}
    two = api.get("/gsf/emissions/forecasts/current", params={"location": ["ukwest", "13"], **scoped})
    assert [one["location"] for one in two] == ["ukwest", "13"]
    values = [known[start + n * timedelta(minutes=30)] for n in range(24)]
    means = [sum(values[n : n + 8]) / 8 for n in range(17)]
    assert [p["value"] for p in two[0]["forecastData"]] == pytest.approx(means)
    assert {p["duration"] for p in two[0]["forecastData"]} == {240}
    best = two[0]["optimalDataPoints"][0]
    assert best["value"] == pytest.approx(min(means)) and instant(best["timestamp"]) >= start


def test_a_batch_gives_what_was_known_then_and_nothing_later(api: Api) -> None:
    api.query(  # as if what is known now had been known for a day, and were revised since
        "update intermediate.int_carbon_intensity__captures set known_at = known_at - interval '20 hours', "
        "first_period_start = first_period_start - interval '20 hours'"
    )
    then = api.query("select max(known_at) from carbon_intensity_captures where region_id = 13")[0][0] + timedelta(
        minutes=5
    )
    before = api.query("select * from carbon_intensity_as_of(%s, 13::smallint)", then)
    api.query(
        "insert into intermediate.int_carbon_intensity__captures "
        "select (jsonb_populate_record(c, to_jsonb(c) || jsonb_build_object("
        "'known_at', c.known_at + interval '10 hours', 'payload_id', gen_random_uuid(), 'forecasts_gco2_kwh', "
        "array(select 1 from unnest(c.forecasts_gco2_kwh))))).* from intermediate.int_carbon_intensity__captures as c "
        "where region_id = 13"
    )
    assert api.query("select * from carbon_intensity_as_of(%s, 13::smallint)", then) == before
    asked = [{"requestedAt": at.isoformat(), "location": "uksouth"} for at in (then, then + timedelta(hours=11))]
    answer = api.client.post("/gsf/emissions/forecasts/batch", json=asked)
    assert answer.status_code == 200, answer.text
    old, new = answer.json()
    has_shape(old, FORECAST)
    expected = {row[1]: row[2] for row in before if row[2] is not None and row[1] > then - timedelta(minutes=30)}
    assert {instant(p["timestamp"]): p["value"] for p in old["forecastData"]} == expected
    assert instant(old["generatedAt"]) <= then and instant(old["requestedAt"]) == then
    assert {p["value"] for p in new["forecastData"]} == {1.0}
    nothing = api.client.post(
        "/gsf/emissions/forecasts/batch", json=[{**asked[0], "requestedAt": "2010-01-01T00:00:00Z"}]
    )
    assert nothing.status_code == 400


def test_locations_are_those_of_the_sdk_and_ours_and_each_can_be_asked_for(api: Api) -> None:
    found = api.get("/gsf/locations")
    assert found["uksouth"] == {"latitude": 50.941, "longitude": -0.799, "name": "uksouth"}
    assert {"ukwest", "aws:eu-west-2", "gcp:europe-west2", "13", "18"} <= set(found)
    for name in found:
        assert api.get("/gsf/emissions/bylocation", params={"location": name})[0]["location"] == name
    for place in ("EN2 6AB", "51.5,-0.1", "Leeds"):
        assert len(api.get("/gsf/emissions/bylocation", params={"location": place})) == 1
    assert api.client.get("/gsf/health").text == "Healthy"


@pytest.mark.parametrize(
    ("path", "name", "words"),
    [
        ("bylocation", "location", "was not provided"),
        ("bylocations", "location", "was not provided"),
        ("bylocation?location=eastus", "location", "not"),
        ("bylocation?location=uksouth&toTime=2026-01-01", "time", "time must be defined if toTime is defined"),
        ("bylocation?location=uksouth&time=2026-01-02&toTime=2026-01-01", "time", "time must be before toTime"),
        ("bylocation?location=uksouth&time=2020-01-02&toTime=2026-01-01", "toTime", "31 days"),
        ("bylocation?location=uksouth&time=0001-01-01T00:00:00%2B14:00", "time", "between 2000 and 2100"),
        ("bylocation?location=uksouth&time=soon", "time", "date"),
        ("forecasts/current?location=uksouth&windowSize=0", "windowSize", "greater"),
        (
            "forecasts/current?location=uksouth&dataStartAt=2020-01-01",
            "dataStartAt",
            "within time range of the forecasted data",
        ),
        (
            "forecasts/current?location=uksouth&dataEndAt=2020-01-01",
            "dataStartAt",
            "dataStartAt must be earlier than dataEndAt",
        ),
        ("average-carbon-intensity?location=uksouth", "startTime", "was not provided"),
        ("forecasts/current?location=uksouth&duration=2h", "duration", "is not a parameter of this route"),
        ("bylocation?location=uksouth&location=ukwest", "location", "is given more than once"),
        (
            "average-carbon-intensity?location=uksouth&startTime=2026-01-02&endTime=2026-01-01",
            "startTime",
            "startTime must be before endTime",
        ),
    ],
)
def test_errors_have_the_form_of_the_sdk(api: Api, path: str, name: str, words: str) -> None:
    answer = api.client.get(f"/gsf/emissions/{path}")
    found = answer.json()
    assert answer.status_code == 400 and answer.headers["content-type"].startswith("application/problem+json")
    assert found["status"] == 400 and found["title"] and found["traceId"]
    assert any(words in one for one in found["errors"][name]), found


@pytest.mark.parametrize(
    ("path", "more", "name"),
    [
        ("forecasts/batch", {"windowSize": True}, "0.windowSize"),
        ("forecasts/batch", {"windowSize": "30"}, "0.windowSize"),
        ("forecasts/batch", {"duration": 30}, "0.duration"),
        ("average-carbon-intensity/batch", {"endtime": "2026-01-02T00:00:00Z"}, "0.endtime"),
    ],
)
def test_a_body_with_another_type_or_an_unknown_field_is_refused_in_the_form_of_the_sdk(
    api: Api, path: str, more: dict[str, object], name: str
) -> None:
    instants = ("requestedAt",) if "forecasts" in path else ("startTime", "endTime")
    body = [{"location": "uksouth", **dict.fromkeys(instants, "2026-01-01T00:00:00Z"), **more}]
    answer = api.client.post(f"/gsf/emissions/{path}", json=body)
    assert answer.status_code == 400 and answer.headers["content-type"].startswith("application/problem+json")
    assert set(answer.json()["errors"]) == {name}, answer.text


def test_it_needs_no_token_and_its_base_address_is_all_that_changes(api: Api) -> None:
    answer = api.client.get("/gsf/emissions/bylocation?location=uksouth", headers={"Authorization": ""})
    assert answer.status_code == 200
    described = api.get("/gsf/swagger/v1/swagger.json")
    assert set(described["paths"]) == {
        "/emissions/bylocation", "/emissions/bylocations", "/emissions/bylocations/best", "/emissions/forecasts/current",
        "/emissions/forecasts/batch", "/emissions/average-carbon-intensity", "/emissions/average-carbon-intensity/batch",
        "/locations",
    }  # fmt: skip
    assert described["servers"] == [{"url": "/gsf"}]


@pytest.mark.slow
def test_every_response_is_as_its_description_says_and_none_is_a_server_error(served: httpx.Client) -> None:
    description = schemathesis.openapi.from_url(f"{served.base_url}/gsf/swagger/v1/swagger.json")
    checks = [not_a_server_error, response_schema_conformance, status_code_conformance]
    for result in description.get_all_operations():
        operation = result.ok()
        takes = (operation.query, operation.body)
        for mode in schemathesis.GenerationMode if any(map(len, takes)) else [schemathesis.GenerationMode.POSITIVE]:

            @settings(
                max_examples=20, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def fuzz(case: schemathesis.Case) -> None:
                case.call_and_validate(checks=checks)

            fuzz()
