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


def test_a_limit_bounds_the_lists_that_it_names_and_no_others(worked: Api) -> None:
    for number in range(3):
        of_operator = worked.operator(f"Lab {number}", domains=(f"lab{number}.example.org",))
        worked.asset(of_operator, kw=10)
        worked.submit(user_email=f"ada@lab{number}.example.org", power_kw=1)
        worked.submit(user_email=f"ada@lab{number}.example.org", carbon_cap_gco2_kwh=0)
    described = worked.get("/openapi.json")["paths"]["/agents/head/context"]["get"]["parameters"]
    (said,) = [one["schema"]["description"] for one in described if one["name"] == "limit"]
    named, compared = re.findall(r"[a-z_]+(?=[,.])", said), set()
    for agent in CONTEXTS:
        whole, one = (worked.get(f"/agents/{agent}/context", params={"limit": limit}) for limit in (500, 1))
        for name in (name for name, rows in whole.items() if isinstance(rows, list) and len(rows) > 1):
            moved = 15 if len(whole[name]) > 50 else 0  # a half-hour may begin meanwhile
            assert abs(len(one[name]) - (1 if name in named else len(whole[name]))) <= moved * (name not in named), name
            compared.add(name)
    assert compared >= set(named) - {"places"} and "forecast_24h" in compared
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
        ("fetched_at = fetched_at", "status live", r"Every value is real: the newest real forecast is .+ old\."),
        (
            "is_synthetic = true",
            "status synthetic",
            r"EVERY VALUE IS SYNTHETIC: do not decide by it; the newest real forecast is .+ old\.",
        ),
        (
            "is_synthetic = region_id = 1",
            "status mixed",
            r"7\.1 % of the values are synthetic; the newest real forecast is .+ old, synthetic values stand in since\.",
        ),
        (
            "known_at = known_at - interval '2 hours'",
            "status old",
            r"These figures are old\. [^<]*newest real forecast is 2 hours old\.[^<]*The schedule may have stopped",
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
    assert "London" in answer.text and "Carbon intensity" in answer.text
    assert not re.search(r"https?://|<script(?! src=\"/assets/)", answer.text), "it loads nothing from elsewhere"


def test_no_part_of_the_grid_now_is_young_because_of_a_synthetic_half_hour(api: Api) -> None:
    for table in (
        *("carbon_intensity_national", "generation_mix_national", "demand_actual_national", "demand_forecast_national"),
        "wholesale_prices",
    ):
        api.query(f"update {table} set is_synthetic = true where period_start > now() - interval '3 hours'")
    for agent in ("energy", "head"):
        grid = api.get(f"/agents/{agent}/context")["grid_status"]
        synthetic = [name.removesuffix("_is_synthetic") for name in grid if grid[name] is True and "synthetic" in name]
        assert {"intensity", "mix"} <= set(synthetic)
        for part in synthetic:
            assert grid[f"{part}_age_seconds"] is None or grid[f"{part}_age_seconds"] > 9000, (agent, part)
            assert 0 <= grid[f"{part}_synthetic_age_seconds"] < 10_800 and grid[f"{part}_synthetic_age_in_words"]
        assert grid["intensity_age_seconds"] > 9000 and grid["intensity_age_in_words"]
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "grid_now", "arguments": {}}}
    accept = {"Accept": "application/json, text/event-stream", "Host": "localhost"}
    answer = api.client.post("/mcp", json=call, headers=accept)
    now = answer.json()["result"]["structuredContent"]
    for part in ("intensity", "demand", "price"):
        for name in ("age_seconds", "synthetic_age_seconds"):
            assert now[part][name] == pytest.approx(grid[f"{part}_{name}"], abs=60), (part, name)


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


BRIEF_BYTES = 8192
OF_EVERY_AREA = [
    "AB1", "G1", "M1", "NE1", "LS1", "L1", "CF10", "B1", "NG1", "NR1", "BS1", "BH2", "EC1A", "BN1", "EH1", "LS2", "CB1", "EX1",
]  # fmt: skip
CITIES = ["Leeds", "London", "Manchester"] * 6


def test_a_brief_context_fits_a_prompt_whatever_there_is(worked: Api) -> None:
    for number in range(60):
        worked.submit(
            f"Render film {number}", user_email=f"user{number}@example.com", power_kw=0.1, duration_minutes=30
        )
        worked.query(
            "insert into app.compute_assets (operator_id, name, region_id, rated_power_kw) "
            "select operator_id, 'a rack with quite a long name ' || %s, 13, 10 from app.operators limit 1",
            str(number),
        )
    for agent in CONTEXTS:
        for asked in (
            {},
            {"hours": 48, "limit": 500},
            {"city": ["Leeds", "London"], "postcode": ["M1", "EH1"]},
            {"postcode": ["SW13"] * 18},
            {"postcode": OF_EVERY_AREA, "hours": 48},
            {
                "postcode": OF_EVERY_AREA,
                "city": CITIES,
                "cloud_region": ["aws:eu-west-2"] * 18,
                "lat": 51.5,
                "lon": -0.1,
            },
        ):
            answer = worked.client.get(f"/agents/{agent}/context", params={"detail": "brief", **asked})  # type: ignore[dict-item]
            assert answer.status_code == 200 and len(answer.content) < BRIEF_BYTES, (agent, asked, len(answer.content))
            body = answer.json()
            assert body["data"]["in_words"] and body.get("regions", True), (agent, asked)
    head = worked.get("/agents/head/context", params={"detail": "brief", "limit": 500})
    assert head["left_out"] and head["workload_history"], "it says what did not fit"


def test_a_brief_context_says_what_the_full_one_says(worked: Api) -> None:
    full, brief = (worked.get("/agents/energy/context", params={"detail": detail}) for detail in ("full", "brief"))
    assert brief["grid_now"]["gco2_kwh"] == full["grid_status"]["gco2_kwh"]
    best = {row["region_id"]: row["best_4h_start"] for row in full["regional_opportunities"]}
    in_brief = {row["region_id"]: row["best_4h_start"] for row in brief["regions"]}
    assert in_brief.pop(18) is None and in_brief.keys() == best.keys()
    for region, start in best.items():  # where it is "now", that is an instant of each request's own
        apart = datetime.fromisoformat(start) - datetime.fromisoformat(in_brief[region])
        assert abs(apart) < timedelta(minutes=1)
    assert all(row["region_name"] for row in brief["regions"]) and len(brief["hourly_price_gbp_mwh"]) > 1
    london = [row["forecast_gco2_kwh"] for row in full["forecast_24h"] if row["region_id"] == 13]
    (hourly,) = [row["hourly_gco2_kwh"] for row in brief["regions"] if row["region_id"] == 13]
    assert hourly[: len(london) // 2] == [round((a + b) / 2) for a, b in zip(london[::2], london[1::2], strict=False)]


def test_a_context_can_be_narrowed_to_places_hours_and_rows(worked: Api) -> None:
    narrow = worked.get("/agents/energy/context", params={"postcode": "M1", "city": "London", "hours": 3, "limit": 2})
    assert narrow["asked"]["region_id"] == [3, 13] and [place["asked"] for place in narrow["places"]] == [
        "M1",
        "London",
    ]
    assert {row["region_id"] for row in narrow["regional_opportunities"]} == {3, 13}
    assert {row["region_id"] for row in narrow["forecast_24h"]} == {3, 13} and len(narrow["forecast_24h"]) in (12, 14)
    assert len(narrow["compute_windows"]) <= 2
    longer = worked.get("/agents/energy/context", params={"region_id": 13, "hours": 48})
    assert len(longer["forecast_24h"]) > 48
    assert worked.get("/agents/compute/context", params={"region_id": 5})["assets"] == []
    for path in CONTEXTS:
        for asked in (
            {"hours": 0},
            {"hours": 49},
            {"detail": "none"},
            {"as_of": "2099-01-01T00:00Z"},
            {"region_id": 15},
        ):
            worked.get(f"/agents/{path}/context", 422, params=asked)
        worked.get(f"/agents/{path}/context", 404, params={"postcode": "BT1"})


def test_a_context_as_of_an_instant_is_what_was_known_then(worked: Api) -> None:
    known_at = worked.query("select max(known_at) from carbon_intensity_captures")[0][0]
    context = worked.get("/agents/energy/context", params={"as_of": known_at.isoformat(), "region_id": 13, "hours": 48})
    expected = worked.query(
        "select period_start, forecast_gco2_kwh from carbon_intensity_as_of(%s, 13::smallint)", known_at
    )
    found = [(instant(row["period_start"]), row["forecast_gco2_kwh"]) for row in context["forecast_24h"]]
    assert found == expected[: len(found)] and len(found) >= 90
    assert context["grid_status"] is None and context["regional_opportunities"] == []
    assert context["data"]["known_at"] == context["asked"]["as_of"] and context["data"]["age_seconds"] == 0
    before = worked.get("/agents/head/context", params={"as_of": "2026-01-01T00:00Z"})
    assert before["workload_history"] == [] == before["negotiations"] and before["waiting"] == []
    assert before["data"]["synthetic_share"] is None and before["data"]["in_words"].startswith("There is no forecast")


def test_a_context_as_of_an_instant_has_nothing_that_became_known_later(api: Api) -> None:
    api.asset(api.operator("House", is_default=True), kw=10)
    asked = {"user_email": "researcher@example.com", "power_kw": 1}
    kept, cancelled = (api.submit("Train a model", **asked)["workload_id"] for _ in range(2))
    done = api.submit("Render a film", is_deferrable=False, **asked)["workload_id"]
    then = datetime.now(UTC).isoformat()
    api.client.patch(f"/workloads/{cancelled}", json={"status": "cancelled"})
    for status in ("running", "completed"):
        assert api.client.patch(f"/workloads/{done}", json={"status": status}).status_code == 200
    api.submit("Build a site", **asked)
    api.asset(api.operator("Later"), "later")
    for detail in ("full", "brief"):
        head = api.get("/agents/head/context", params={"as_of": then, "detail": detail})
        rows = {row["workload_id"]: row for row in head["workload_history"]}
        assert {name: row["status"] for name, row in rows.items()} == {kept: "scheduled", cancelled: None, done: None}
        for row in rows.values():
            assert {row.get(f"actual_{name}") for name in ("start", "end", "carbon_kg", "cost_gbp")} == {None}
        if detail == "full":
            reasons = {name: row["actual_cost_unknown_because"] for name, row in rows.items()}
            assert reasons[done] == "the workload has changed since then"
            assert reasons[kept] == "only a completed run has one"
        assert "2 workloads have changed since" in head["as_of_in_words"] and "operators" in head["as_of_in_words"]
        compute = api.get("/agents/compute/context", params={"as_of": then, "detail": detail})
        assert {row["workload_type"]: row["workloads"] for row in compute["workload_patterns"]} == {
            "training": 2,
            "rendering": 1,
        }
        for context in (head, compute):
            of_now = [context.get(name, []) for name in ("users", "operators", "assets", "preferences", "waiting")]
            assert of_now == [[]] * 5 and instant(context["data"]["known_at"]) == instant(then)
            assert "Later" not in str(context)
    now = api.get("/agents/head/context")
    assert {row["status"] for row in now["workload_history"]} == {"scheduled", "cancelled", "completed"}
    assert "as_of_in_words" not in now
