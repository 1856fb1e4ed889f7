"""A task on its way in: its user, its size, its place; once for each idempotency key."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from service.app import create
from service.settings import ServiceSettings
from tests.service.conftest import TOKEN, Api, instant
from warehouse.database import Database, Role, existing_roles

ADDRESS = "researcher@example.com"
UNTRACKED = {
    "tracked": False,
    "reason": "user tracking is not available; the task is accepted without its user",
}


def hours(count: float) -> str:
    """So many hours from now."""
    return (datetime.now(UTC) + timedelta(hours=count)).isoformat()


def on_the_hour() -> datetime:
    """A whole hour, some three from now."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=3)


def test_the_readme_s_example_is_one_row_of_the_summary(api: Api) -> None:
    answer = api.submit("Train ResNet-50 on ImageNet", user_email=ADDRESS)
    rows = api.query(
        "select user_name, operator_name, total_workloads, pending_workloads, total_energy_kwh::float8, "
        "total_carbon_kg::float8 from user_workload_summary where user_email = %s",
        ADDRESS,
    )
    assert rows == [(None, "Default operator", 1, 1, answer["energy_kwh"], answer["placement"]["carbon_kg"])]
    assert api.query("select user_count, asset_count, workload_count, active_workloads from operator_summary") == [
        (1, 0, 1, 0)
    ]


def test_a_new_address_makes_a_user_and_a_known_one_links_in_whatever_case(api: Api) -> None:
    first = api.submit(user_email=ADDRESS, user_name="Ada")["user"]
    again = api.submit(user_email="Researcher@Example.COM")["user"]
    assert first["tracked"] and first["is_new"]
    assert again == {"tracked": True, "user_id": first["user_id"], "is_new": False}
    assert api.query("select email, name from app.users") == [(ADDRESS, "Ada")]
    assert api.query("select count(*) from app.compute_workloads where user_id = %s", first["user_id"]) == [(2,)]


def test_a_domain_maps_to_its_operator_and_any_other_to_the_default_one(api: Api) -> None:
    lab, house = api.operator("Lab", domains=("lab.example.org",)), api.operator("House", is_default=True)
    assert api.submit(user_email="ada@LAB.example.org")["operator_id"] == lab
    assert api.submit(user_email="ada@sub.lab.example.org")["operator_id"] == house
    assert api.submit()["operator_id"] == house
    assert api.query("select operator_id::text from app.users order by email") == [(lab,), (house,)]


def test_an_operator_s_token_puts_users_under_that_operator(api: Api) -> None:
    api.operator("Lab", domains=("lab.example.org",))
    cloud = api.operator("Cloud")
    answer = api.submit(user_email="ada@lab.example.org", headers=api.token("Cloud"))
    assert (answer["operator_id"], answer["user"]["tracked"]) == (cloud, True)
    assert api.query("select operator_id::text from app.users") == [(cloud,)]


def test_an_operator_cannot_tell_an_address_of_another_from_a_new_one_nor_take_it(api: Api) -> None:
    api.operator("Lab", domains=("example.com",))
    api.operator("Cloud")
    theirs = api.submit(user_email=ADDRESS, headers=api.token("Lab"))["user"]
    known, new = (api.submit(user_email=a, headers=api.token("Cloud"))["user"] for a in (ADDRESS, "new@example.com"))
    assert {**known, "user_id": None} == {**new, "user_id": None}
    assert known["user_id"] != theirs["user_id"]
    again = api.submit(user_email="new@example.com", headers=api.token("Lab"))["user"]
    assert again["tracked"] and again["is_new"], "that Cloud used it first takes nothing from Lab"


def test_a_domain_belongs_to_the_operator_that_named_it_first(api: Api) -> None:
    api.operator("Lab", domains=("lab.example.org", "lab.example.com"))
    with pytest.raises(psycopg.errors.UniqueViolation, match="belongs to another operator"):
        api.operator("Cloud", domains=("cloud.example.org", "lab.example.org"))
    api.query("update app.operators set email_domains = '{lab.example.org}'")


@pytest.mark.parametrize(
    "statement",
    ["revoke select, insert on app.users from energy_service", "alter table app.users rename to people"],
)
def test_a_task_is_accepted_where_users_cannot_be_kept(api: Api, statement: str) -> None:
    if "revoke" in statement and Role.SERVICE not in existing_roles(api.database):
        pytest.skip("the role energy_service does not exist: nothing can be revoked from it")
    api.query(statement)
    answer = api.submit(user_email=ADDRESS)
    assert answer["user"] == UNTRACKED and answer["placement"]
    assert api.query("select user_id, status from app.compute_workloads") == [(None, "scheduled")]


@pytest.mark.parametrize(
    "statement",
    [
        "insert into app.users (email, operator_id) select 'researcher@example.com', operator_id from app.operators",
        "lock table app.users in share mode",
    ],
    ids=["row", "table"],
)
def test_a_task_does_not_wait_long_for_users_that_are_locked(api: Api, statement: str) -> None:
    api.operator("House", is_default=True)
    with api.database.connect(autocommit=False) as other:
        other.execute(statement)
        other.execute("set local idle_in_transaction_session_timeout = '15s'")  # lets go, were it waited for
        begun = time.perf_counter()
        answer = api.submit(user_email=ADDRESS)
        assert time.perf_counter() - begun < 10
    assert answer["user"] == UNTRACKED


def test_a_task_without_an_address_has_no_user_and_says_so(api: Api) -> None:
    assert api.submit()["user"] == {"tracked": False, "reason": "no user_email was given"}
    assert api.query("select count(*) from app.users") == [(0,)]


SIZE = {"power_kw", "duration_minutes", "energy_kwh"}


@pytest.mark.parametrize(
    ("given", "estimated"),
    [
        ({}, SIZE),
        ({"power_kw": 2.0}, SIZE - {"power_kw"}),
        ({"duration_minutes": 90}, SIZE - {"duration_minutes"}),
        ({"energy_kwh": 3.0}, SIZE - {"energy_kwh"}),
        ({"energy_kwh": 3.0, "power_kw": 2.0}, set()),
        ({"energy_kwh": 3.0, "duration_minutes": 90}, set()),
        ({"power_kw": 2.0, "duration_minutes": 90}, set()),
        ({"power_kw": 2.0, "duration_minutes": 90, "energy_kwh": 3.0}, set()),
    ],
    ids=lambda value: "+".join(sorted(value)) or "nothing",
)
def test_what_was_estimated_is_named_and_nothing_else(api: Api, given: dict[str, Any], estimated: set[str]) -> None:
    answer = api.submit("Train a model", **given)
    assert set(answer["estimated"]) == estimated | {"workload_type", "deadline", "is_deferrable"}
    assert answer["energy_kwh"] == pytest.approx(answer["power_kw"] * answer["duration_minutes"] / 60)
    if not given:
        assert (answer["workload_type"], answer["power_kw"], answer["duration_minutes"]) == ("training", 6.5, 480)
    if not estimated:
        assert (answer["power_kw"], answer["duration_minutes"], answer["energy_kwh"]) == (2, 90, 3)
    rest = {"workload_type": "build", "deadline": hours(40), "is_deferrable": True}
    assert set(api.submit("Train a model", **given, **rest)["estimated"]) == estimated


def test_a_contradiction_is_refused_with_what_to_do(api: Api) -> None:
    detail = api.submit(power_kw=2, duration_minutes=60, energy_kwh=3, status=422)["detail"]
    assert detail == "energy_kwh (3) is not power_kw x duration_minutes / 60 (2); leave one of the three out"
    assert "before the soonest end" in api.submit(duration_minutes=120, deadline=hours(1), status=422)["detail"]
    assert "has passed" in api.submit(earliest_start=hours(-1), status=422)["detail"]


def test_carbon_and_cost_are_those_of_the_half_hours_of_the_placement(api: Api) -> None:
    api.price()
    answer = api.submit(
        power_kw=4,
        duration_minutes=75,
        region_ids=[3, 9],
        carbon_to_cost_weight=0.5,
        earliest_start=on_the_hour().isoformat(),
    )
    placed = answer["placement"]
    starts, ends = instant(placed["starts_at"]), instant(placed["ends_at"])
    assert placed["region_id"] in (3, 9) and ends - starts == timedelta(minutes=75)
    assert instant(answer["earliest_start"]) <= starts and ends <= instant(answer["deadline"])
    rows = api.query(
        "select i.forecast_gco2_kwh::float8, p.price_gbp_mwh::float8 from carbon_intensity_regional i "
        "join wholesale_prices p using (period_start) where p.market = 'n2ex_day_ahead' and region_id = %s "
        "and period_start >= %s and period_start < %s order by period_start",
        placed["region_id"], starts, ends,
    )  # fmt: skip
    energy = [2.0, 2.0, 1.0]  # kWh in each half-hour; the third is used by half
    assert placed["carbon_kg"] == pytest.approx(
        sum(i * e for (i, _), e in zip(rows, energy, strict=True)) / 1000, abs=1e-4
    )
    assert placed["cost_gbp"] == pytest.approx(
        sum(p * e for (_, p), e in zip(rows, energy, strict=True)) / 1000, abs=1e-4
    )
    kept = api.query("select carbon_kg::float8, cost_gbp::float8, starts_at, released_at from app.workload_placements")
    assert kept == [(placed["carbon_kg"], placed["cost_gbp"], starts, None)]


def test_a_cap_is_a_mean_that_the_placement_does_not_exceed(api: Api) -> None:
    api.price()
    free = api.submit(region_ids=[13], carbon_to_cost_weight=0)["placement"]
    cap = free["mean_gco2_kwh"] - 1
    capped = api.submit(region_ids=[13], carbon_to_cost_weight=0, carbon_cap_gco2_kwh=cap)["placement"]
    assert capped is None or capped["mean_gco2_kwh"] <= cap
    assert capped is None or capped["cost_gbp"] >= free["cost_gbp"]
    cap = free["mean_price_gbp_mwh"] + 0.001
    assert api.submit(region_ids=[13], price_cap_gbp_mwh=cap)["placement"]["mean_price_gbp_mwh"] <= cap


@pytest.mark.parametrize(
    ("constraint", "given"),
    [
        ("carbon_cap", {"carbon_cap_gco2_kwh": 0.001}),
        ("price_cap", {"price_cap_gbp_mwh": -100_000}),
        ("power", {"power_kw": 11}),
        ("regions", {"region_ids": [2]}),
        ("forecast", {"after_minutes": 9 * 24 * 60}),
    ],
)
def test_a_task_that_cannot_be_placed_waits_and_names_the_constraint(
    api: Api, constraint: str, given: dict[str, Any]
) -> None:
    more: dict[str, Any] = {"power_kw": 1, "duration_minutes": 60, **given}
    if "after_minutes" in given:
        more["earliest_start"] = (on_the_hour() + timedelta(minutes=more.pop("after_minutes"))).isoformat()
    api.asset(api.operator("House", is_default=True), kw=10, region_id=13)
    answer = api.submit(**more)
    assert (answer["status"], answer["placement"]) == ("pending", None)
    assert answer["unplaced_because"].startswith(f"{constraint}: ")
    kept = api.query("select status, placement_id, unplaced_because from app.compute_workloads")
    assert kept == [("pending", None, answer["unplaced_because"])]


def test_an_asset_that_waits_for_nobody_takes_a_task_at_once_in_the_middle_of_a_half_hour(api: Api) -> None:
    api.asset(api.operator("House", is_default=True), kw=10, region_id=13, max_deferral_minutes=0)
    ten_past = on_the_hour() + timedelta(minutes=10)
    answer = api.submit(power_kw=1, duration_minutes=60, earliest_start=ten_past.isoformat())
    assert instant(answer["placement"]["starts_at"]) == ten_past
    assert answer["placement"]["saving"]["against_now"]["carbon_kg"] == 0


@pytest.mark.slow
def test_capacity_that_was_given_away_is_gone_until_it_is_given_back(api: Api) -> None:
    asset = api.asset(api.operator("House", is_default=True), kw=10)
    start = on_the_hour()
    more = {
        "power_kw": 6, "duration_minutes": 60, "is_deferrable": False,
        "earliest_start": start.isoformat(), "deadline": (start + timedelta(hours=1)).isoformat(),
    }  # fmt: skip
    first, second = api.submit(**more), api.submit(**more)
    assert (first["status"], first["placement"]["venue"]) == ("scheduled", f"asset:{asset}")
    assert second["status"] == "pending" and second["unplaced_because"].startswith("capacity: ")
    assert api.submit(**{**more, "power_kw": 4})["status"] == "scheduled"
    later = api.submit(**{**more, "is_deferrable": True, "deadline": (start + timedelta(hours=3)).isoformat()})
    assert instant(later["placement"]["starts_at"]) >= start + timedelta(hours=1)
    assert api.client.patch(f"/workloads/{first['workload_id']}", json={"status": "cancelled"}).status_code == 200
    assert api.submit(**more)["status"] == "scheduled"


def test_each_answer_says_how_old_and_how_synthetic_the_data_is(api: Api) -> None:
    data = api.submit()["data"]
    assert 0 <= data["age_seconds"] < 3600 and data["synthetic_share"] == 0
    assert data["in_words"].startswith("Every value is real: the newest real forecast is ")


def test_without_any_forecast_a_task_is_accepted_and_waits(database: Database) -> None:
    from fastapi.testclient import TestClient

    from service import tokens

    tokens.register(database, TOKEN, label="tests")
    with TestClient(create(database, ServiceSettings()), headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        answer = Api(client, database).submit()
    assert answer["unplaced_because"].startswith("forecast: ")
    assert answer["data"]["in_words"] == "There is no forecast: nothing is known of the coming half-hours."


def test_a_run_of_less_than_a_tenth_of_a_watt_hour_is_taken_or_refused(api: Api) -> None:
    answer = api.client.post("/submit_task", json={"request": "x", "power_kw": 0.001, "duration_minutes": 1})
    assert answer.status_code in (201, 422)


@pytest.mark.parametrize(("earliest", "deadline"), [(0.000001, 1800.000001), (-600, 1799.999999)])
def test_a_microsecond_makes_no_server_error(api: Api, earliest: float, deadline: float) -> None:
    start = on_the_hour()
    answer = api.submit(
        duration_minutes=30,
        is_deferrable=True,
        earliest_start=(start + timedelta(seconds=earliest)).isoformat(),
        deadline=(start + timedelta(seconds=deadline)).isoformat(),
    )
    if answer["placement"]:
        assert instant(answer["placement"]["starts_at"]) >= start + timedelta(seconds=earliest)
        assert instant(answer["placement"]["ends_at"]) <= start + timedelta(seconds=deadline)


def test_a_milliwatt_too_many_makes_no_server_error(api: Api) -> None:
    api.asset(api.operator("House", is_default=True), kw=100)
    start = on_the_hour().isoformat()
    statuses = [
        api.submit(power_kw=kw, duration_minutes=60, is_deferrable=False, earliest_start=start)["status"]
        for kw in (33, 67.000001)
    ]
    assert statuses == ["scheduled", "pending"]


def test_wishes_in_words_are_kept_and_said_first(api: Api) -> None:
    answer = api.submit("3 hours on 8 H100s before 9am tomorrow, after next Tuesday's review")
    assert next(iter(answer)) == "understood"
    said = answer["understood"]
    assert (answer["duration_minutes"], answer["power_kw"]) == (180, 10.2)
    assert {"power_kw", "energy_kwh"} <= set(answer["estimated"]) and "duration_minutes" not in answer["estimated"]
    assert "deadline" not in answer["estimated"]
    deadline = instant(answer["deadline"]).astimezone(ZoneInfo("Europe/London"))
    assert deadline.hour == 9 and timedelta() < deadline - datetime.now(UTC) < timedelta(hours=48)
    assert instant(answer["placement"]["ends_at"]) <= instant(answer["deadline"])
    assert {read["field"]: read["words"] for read in said["from_words"]} == {
        "duration_minutes": "3 hours", "deadline": "before 9am tomorrow", "accelerators": "8 H100s",
    }  # fmt: skip
    assert said["not_understood"] and "Tuesday" in said["not_understood"][0]["words"]
    for words in ("runs 180 minutes", "before 9am tomorrow", "8 x H100 at 1,275 W", "Not understood: "):
        assert words in said["in_words"]


def test_a_field_counts_before_the_words_and_the_contradiction_is_said(api: Api) -> None:
    answer = api.submit("Train it for 3 hours at 5 kW in Leeds", duration_minutes=60, region_ids=[13])
    assert (answer["duration_minutes"], answer["power_kw"]) == (60, 5)
    assert answer["placement"]["region_id"] == 13
    said = answer["understood"]
    assert {c["field"]: (c["used"], c["words_say"]) for c in said["contradictions"]} == {
        "duration_minutes": (60, 180), "region_ids": ([13], [5]),
    }  # fmt: skip
    assert '"3 hours" says runs 180 minutes' in said["in_words"]
    third = api.submit("for 3 hours", energy_kwh=10, power_kw=5)
    assert third["duration_minutes"] == 120 and third["understood"]["contradictions"][0]["words_say"] == 180


def test_a_negated_wish_is_said_to_be_not_understood_and_never_its_opposite(api: Api) -> None:
    answer = api.submit("Train it for 3 hours. Don't run in London, and never on 8 H100s")
    said = answer["understood"]
    assert [read["field"] for read in said["from_words"]] == ["duration_minutes"]
    assert [one["words"] for one in said["not_understood"]] == ["Don't run in London", "never on 8 H100s"]
    assert "it is negated" in said["in_words"] and "power_kw" in answer["estimated"]


def test_words_that_cannot_be_kept_are_refused_with_what_was_read(api: Api) -> None:
    detail = api.submit("Train it for 3 hours within 2 hours", status=422)["detail"]
    assert "before the soonest end" in detail and '"within 2 hours"' in detail and '"3 hours"' in detail


def test_the_same_key_is_answered_in_the_same_order_of_fields(api: Api) -> None:
    request = {"json": {"request": "Train it for 3 hours"}, "headers": {"Idempotency-Key": "one"}}
    first, again = (api.client.post("/submit_task", **request) for _ in range(2))  # type: ignore[arg-type]
    assert (first.status_code, again.status_code) == (201, 200) and first.text == again.text
