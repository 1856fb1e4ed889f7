"""What agents, machines and people read: contexts, regions and windows, health, figures, the page."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service import tokens
from service.app import create
from service.settings import ServiceSettings
from tests.service.conftest import TOKEN, Api, instant
from warehouse.database import Database
from warehouse.prepare import prepare

HEADERS = {"Authorization": f"Bearer {TOKEN}"}
CONTEXTS = ("energy", "compute", "head")


@pytest.fixture
def worked(api: Api) -> Api:
    """The service after some work: one task runs on an asset, one waits, one is done."""
    api.asset(api.operator("House", is_default=True), kw=10)
    asked = {"user_email": "researcher@example.com", "power_kw": 2}
    running, done = api.submit(is_deferrable=False, **asked), api.submit("Render a film", **asked)
    api.submit(carbon_cap_gco2_kwh=0, **asked)
    for task, status in ((running, "running"), (done, "running"), (done, "completed")):
        assert api.client.patch(f"/workloads/{task['workload_id']}", json={"status": status}).status_code == 200
    return api


def test_the_energy_agent_reads_the_grid(worked: Api) -> None:
    context = worked.get("/agents/energy/context")
    assert context["grid_status"]["gco2_kwh"] > 0 and context["grid_status"]["intensity_is_synthetic"] is False
    assert [
        row["region_id"] for row in sorted(context["regional_opportunities"], key=lambda row: row["region_id"])
    ] == [*range(1, 15)]
    assert context["compute_windows"] and all(row["window_id"] for row in context["compute_windows"])
    assert context["prices"] and all(row["is_synthetic"] is False for row in context["prices"])
    forecast = context["forecast_24h"]
    assert {row["region_id"] for row in forecast} == {*range(1, 15), 18} and len(forecast) >= 15 * 48
    assert all(row["forecast_gco2_kwh"] is not None for row in forecast)


def test_the_compute_agent_reads_patterns_preferences_and_limits(worked: Api) -> None:
    worked.query("update app.users set preferences = '{\"carbon_to_cost_weight\": 0.9}'")
    context = worked.get("/agents/compute/context")
    assert {row["workload_type"]: row["workloads"] for row in context["workload_patterns"]} == {
        "training": 2,
        "rendering": 1,
    }
    assert all(row["mean_power_kw"] == 2 for row in context["workload_patterns"])
    assert [row["preferences"] for row in context["preferences"]] == [{"carbon_to_cost_weight": 0.9}]
    assert [(row["operator_name"], row["user_count"], row["active_workloads"]) for row in context["operators"]] == [
        ("House", 1, 1)
    ]
    assert [(row["name"], row["rated_power_kw"], row["taken_now_kw"]) for row in context["assets"]] == [("rack", 10, 2)]
    assert [row["status"] for row in context["waiting"]] == ["pending"]


def test_the_head_agent_reads_the_whole(worked: Api) -> None:
    context = worked.get("/agents/head/context")
    history = context["workload_history"]
    assert [row["status"] for row in history] == ["pending", "completed", "running"], "the newest first"
    assert [(row["user_email"], row["total_workloads"], row["completed_workloads"]) for row in context["users"]] == [
        ("researcher@example.com", 3, 1)
    ]
    assert len(context["operators"]) == 1 and len(context["waiting"]) == 1 and context["grid_status"]["gco2_kwh"] > 0
    negotiations = context["negotiations"]
    assert [row["agent"] for row in negotiations] == ["head", "compute", "energy"] * 3
    assert all(row["reasons"] for row in negotiations)


def test_a_user_s_preference_decides_where_the_task_says_nothing(worked: Api) -> None:
    worked.query("update app.users set preferences = '{\"carbon_to_cost_weight\": 0.9}'")
    asked = {"user_email": "researcher@example.com", "power_kw": 1, "duration_minutes": 30}
    assert worked.submit(**asked)["carbon_to_cost_weight"] == 0.9
    assert worked.submit(**asked, carbon_to_cost_weight=1)["carbon_to_cost_weight"] == 1


def test_limits_of_the_histories_are_kept(worked: Api) -> None:
    head = worked.get("/agents/head/context", params={"limit": 1})
    assert [len(head[name]) for name in ("workload_history", "users", "negotiations", "waiting")] == [1] * 4
    for path in ("compute", "head"):
        for limit in (0, 501):
            worked.get(f"/agents/{path}/context", 422, params={"limit": limit})


def test_every_context_and_grid_route_says_how_old_and_how_synthetic_the_data_is(worked: Api) -> None:
    paths = [f"/agents/{agent}/context" for agent in CONTEXTS]
    for path in (*paths, "/regions/opportunities", "/windows/best", "/workloads", "/readyz"):
        data = worked.get(path)["data"]
        assert 0 <= data["age_seconds"] < 3600 and data["synthetic_share"] == 0
        assert data["in_words"].startswith("Every value is real: the newest real forecast is ")


def test_the_fourteen_regions_are_ranked(api: Api) -> None:
    rows = api.get("/regions/opportunities")["regions"]
    assert len(rows) == 14 and {row["region_id"] for row in rows} == {*range(1, 15)}
    assert [row["best_4h_gco2_kwh"] for row in rows] == sorted(row["best_4h_gco2_kwh"] for row in rows)
    assert rows[0]["rank"] == 1
    for row in rows:
        assert row["now_gco2_kwh"] is not None and row["region_name"] and 0 <= row["data_age_seconds"] < 3600
        assert row["saving_4h_gco2_kwh"] == pytest.approx(row["now_4h_gco2_kwh"] - row["best_4h_gco2_kwh"], abs=0.1)
        assert all(row[f"saving_{hours}h_gco2_kwh"] >= 0 for hours in (1, 2, 4, 8))


def test_the_best_windows_are_sorted_and_keep_every_limit(api: Api) -> None:
    api.price()
    earliest = datetime.now(UTC) + timedelta(hours=2)
    asked = {"earliest": earliest.isoformat(), "deadline": (earliest + timedelta(hours=9)).isoformat()}
    rows = api.get(
        "/windows/best", params={**asked, "duration_minutes": 90, "region_id": [3, 13], "limit": 7}
    )["windows"]  # fmt: skip
    assert len(rows) == 7 and [row["rank"] for row in rows] == [*range(1, 8)]
    assert [row["mean_gco2_kwh"] for row in rows] == sorted(row["mean_gco2_kwh"] for row in rows)
    for row in rows:
        assert row["region_id"] in (3, 13) and earliest <= instant(row["starts_at"])
        assert instant(row["ends_at"]) <= earliest + timedelta(hours=9)
        assert instant(row["ends_at"]) - instant(row["starts_at"]) == timedelta(minutes=90)
    by_cost = api.get("/windows/best", params={**asked, "carbon_to_cost_weight": 0})["windows"]
    assert by_cost and [row["mean_price_gbp_mwh"] for row in by_cost] == sorted(
        row["mean_price_gbp_mwh"] for row in by_cost
    )


def test_there_is_a_reason_where_there_is_no_window(api: Api) -> None:
    answer = api.get("/windows/best", params={"duration_minutes": 60, "earliest": "2050-01-01T00:00:00Z"})
    assert (answer["windows"], answer["why_none"]) == ([], "no window of this length lies within the forecast")
    assert "before the soonest end" in api.get(
        "/windows/best", 422, params={"earliest": "2050-01-01T00:00:00Z", "deadline": "2050-01-01T01:00:00Z"}
    )["detail"]  # fmt: skip
    far = {"earliest": "2050-01-01T00:00:00Z", "deadline": "2050-03-01T00:00:00Z"}
    assert "31 days" in api.get("/windows/best", 422, params=far)["detail"]


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


CAPTURES = "update intermediate.int_carbon_intensity__captures set "


@pytest.mark.parametrize(
    ("change", "verdict", "words"),
    [
        ("fetched_at = fetched_at", "verdict ", r"Every value is real: the newest real forecast is .+ old\."),
        (
            "is_synthetic = true",
            "verdict bad",
            r"EVERY VALUE IS SYNTHETIC: do not decide by it; the newest real forecast is .+ old\.",
        ),
        (
            "is_synthetic = region_id = 1",
            "verdict warn",
            r"7\.1 % of the values are synthetic; the newest real forecast is .+ old, synthetic values stand in since\.",
        ),
        (
            "known_at = known_at - interval '2 hours'",
            "verdict warn",
            r"newest real forecast is 2 hours old\.[^<]*It is older than it",
        ),
    ],
)
def test_the_page_says_in_words_how_synthetic_and_how_old(
    grid: Database, change: str, verdict: str, words: str
) -> None:
    with grid.connect() as connection:
        connection.execute(CAPTURES + change)  # type: ignore[arg-type]
    with TestClient(create(grid, ServiceSettings())) as client:
        answer = client.get("/")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/html")
    assert f'class="{verdict}"' in answer.text and re.search(words, answer.text)
    assert "London" in answer.text and "carbon intensity" in answer.text
    assert not re.search(r"https?://|<script", answer.text), "it loads nothing from elsewhere"


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
    told = answer.json()
    assert answer.status_code == status, told
    assert told.get("reason") is None if reason is None else told["reason"].startswith(reason)
    age = re.search(r"^energy_data_age_seconds (\S+)$", figures, flags=re.M)
    assert age and float(age[1]) == pytest.approx(told["data"]["age_seconds"], abs=30)
    if "4 hours" in change:
        assert 4 * 3600 <= told["data"]["age_seconds"] < 5 * 3600, "a young synthetic value does not make it younger"


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


def test_a_database_that_hangs_up_is_told_as_such_and_found_again(api: Api) -> None:
    api.get("/workloads")
    for _ in range(3):
        api.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'energy-service'")
        answers = [api.client.get("/workloads") for _ in range(12)]
        assert {answer.status_code for answer in answers} <= {200, 503} and answers[-1].status_code == 200
