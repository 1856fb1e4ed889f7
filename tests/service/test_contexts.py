"""The contexts of the three agents: what they hold, how they are narrowed, and what was known at an instant."""

import re
from datetime import UTC, datetime, timedelta

from tests.service.conftest import CONTEXTS, TOKEN, Api, instant

HEADERS = {"Authorization": f"Bearer {TOKEN}"}


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
