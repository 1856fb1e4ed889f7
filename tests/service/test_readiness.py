"""Health, readiness and figures: over a young database, an old one, one without rows, without tables, or away."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service import tokens
from service.app import create
from service.settings import ServiceSettings
from tests.service.conftest import CAPTURES, CONTEXTS, TOKEN, Api
from warehouse.database import Database
from warehouse.prepare import prepare

HEADERS = {"Authorization": f"Bearer {TOKEN}"}


def test_health_needs_no_token_and_tells_nothing_of_operators(worked: Api) -> None:
    for path in ("/healthz", "/readyz", "/metrics", "/"):
        answer = worked.client.get(path, headers={"Authorization": ""})
        assert answer.status_code == 200
        assert "House" not in answer.text and "example.com" not in answer.text
    assert worked.get("/healthz") == {"status": "ok"} and worked.get("/readyz")["status"] == "ready"


def test_figures_count_requests_by_route_and_tasks_by_outcome(worked: Api) -> None:
    worked.get("/workloads/00000000-0000-0000-0000-000000000000", 404)
    text = worked.client.get("/metrics").text
    assert 'energy_requests_total{method="POST",route="/submit_task",status="201"} 3.0' in text
    assert 'energy_requests_total{method="GET",route="/workloads/{workload_id}",status="404"} 1.0' in text
    assert 'energy_submissions_total{outcome="scheduled"} 2.0' in text
    assert 'energy_submissions_total{outcome="pending"} 1.0' in text
    assert 'energy_request_seconds_count{route="/submit_task"} 3.0' in text
    assert "energy_data_synthetic_ratio 0.0" in text
    age = re.search(r"^energy_data_age_seconds (\S+)$", text, flags=re.M)
    assert age and 0 <= float(age[1]) < 3600


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ("fetched_at = fetched_at", 200, None),
        ("is_synthetic = region_id = 1", 200, None),
        (
            "known_at = known_at - interval '4 hours'",
            503,
            "the newest real forecast is 4 hours old; more than 3 hours is not",
        ),
        (
            "known_at = case when region_id = 1 then known_at else known_at - interval '4 hours' end, "
            "is_synthetic = region_id = 1",
            503,
            "the newest real forecast is 4 hours old",
        ),
        ("is_synthetic = true", 503, "every value is synthetic; the newest real forecast is "),
    ],
)
def test_ready_means_that_the_newest_real_forecast_is_young_enough(
    grid: Database, change: str, status: int, reason: str | None
) -> None:
    with grid.connect() as connection:
        connection.execute(CAPTURES + change)  # type: ignore[arg-type]
    with TestClient(create(grid, ServiceSettings())) as client:
        answer = client.get("/readyz")
        figures = client.get("/metrics").text
    body = answer.json()
    assert answer.status_code == status, body
    assert body.get("reason") is None if reason is None else body["reason"].startswith(reason)
    age = re.search(r"^energy_data_age_seconds (\S+)$", figures, flags=re.M)
    assert age and float(age[1]) == pytest.approx(body["data"]["age_seconds"], abs=30)
    if "4 hours" in change:
        assert 4 * 3600 <= body["data"]["age_seconds"] < 5 * 3600, "a young synthetic value does not make it younger"


@pytest.fixture
def unbuilt(empty_database: Database) -> Iterator[TestClient]:
    """The service over a database with its schemas and no tables of data."""
    prepare(empty_database)
    tokens.register(empty_database, TOKEN, label="tests")
    with TestClient(create(empty_database, ServiceSettings()), headers=HEADERS) as client:
        yield client


def test_over_a_database_without_tables_it_is_alive_not_ready_and_says_why(unbuilt: TestClient) -> None:
    assert unbuilt.get("/healthz").status_code == 200
    answer = unbuilt.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "not ready") and answer.json()["reason"]
    assert "energy_data_age_seconds NaN" in unbuilt.get("/metrics").text
    paths = ["/", "/regions/opportunities", "/windows/best", *(f"/agents/{agent}/context" for agent in CONTEXTS)]
    for answer in (*map(unbuilt.get, paths), unbuilt.post("/submit_task", json={"request": "x"})):
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
        assert answer.json()["detail"] == "the tables are not built yet; run `make run` and try again"


def test_over_tables_without_a_row_nothing_fails_and_nothing_is_invented(database: Database) -> None:
    tokens.register(database, TOKEN, label="tests")
    with TestClient(create(database, ServiceSettings()), headers=HEADERS) as client:
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["reason"]) == (503, "there is no forecast")
        energy: dict[str, Any] = client.get("/agents/energy/context").json()
        assert energy["grid_status"]["gco2_kwh"] is None and energy["forecast_24h"] == energy["prices"] == []
        for path in (
            "/agents/compute/context",
            "/agents/head/context",
            "/regions/opportunities",
            "/windows/best",
            "/workloads",
        ):
            data = client.get(path).json()["data"]
            assert (data["age_seconds"], data["synthetic_share"]) == (None, None)
        page = client.get("/")
        assert page.status_code == 200 and "There is no forecast" in page.text and "not known" in page.text


def test_a_database_that_hangs_up_is_said_as_such_and_found_again(api: Api) -> None:
    api.get("/workloads")
    for _ in range(3):
        api.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'energy-service'")
        answers = [api.client.get("/workloads") for _ in range(12)]
        assert {answer.status_code for answer in answers} <= {200, 503} and answers[-1].status_code == 200
