"""Regions, windows and the page: ranked, within every limit, as old and as synthetic as they are."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from service.app import create
from service.settings import ServiceSettings
from tests.service.conftest import CAPTURES, CONTEXTS, Api, instant
from warehouse.database import Database


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
