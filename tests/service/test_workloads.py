"""What becomes of a workload: its steps, what it emitted in the end, and how its place was agreed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from tests.service.conftest import Api, instant

STATUSES = ("pending", "scheduled", "running", "completed", "failed", "cancelled")
ALLOWED = {
    ("pending", "cancelled"),
    ("scheduled", "pending"),
    ("scheduled", "running"),
    ("scheduled", "cancelled"),
    ("running", "completed"),
    ("running", "failed"),
    ("running", "cancelled"),
}
WAY = {
    "pending": ("pending",),
    "scheduled": (),
    "running": ("running",),
    "completed": ("running", "completed"),
    "failed": ("running", "failed"),
    "cancelled": ("cancelled",),
}
STEPS = [(one, other) for one in STATUSES for other in STATUSES if one != other]


def step(api: Api, workload_id: str, status: str, expect: int = 200, **more: Any) -> dict[str, Any]:
    """Take a step and expect this answer."""
    answer = api.client.patch(f"/workloads/{workload_id}", json={"status": status, **more})
    assert answer.status_code == expect, answer.text
    return dict(answer.json())


def brought_to(api: Api, status: str) -> str:
    """A workload of this status."""
    workload_id = str(api.submit()["workload_id"])
    for taken in WAY[status]:
        assert step(api, workload_id, taken)["status"] == taken
    return workload_id


def test_only_the_allowed_steps_are_taken_and_others_are_refused_with_a_reason(api: Api) -> None:
    for before, after in STEPS:
        workload_id = brought_to(api, before)
        if (before, after) in ALLOWED:
            assert step(api, workload_id, after)["status"] == after
            continue
        detail = step(api, workload_id, after, 409)["detail"]
        assert f"a workload that is {before} cannot become {after}" in detail
        assert api.get(f"/workloads/{workload_id}")["status"] == before


def test_the_database_itself_takes_only_the_allowed_steps(api: Api) -> None:
    for before, after in STEPS:
        workload_id = brought_to(api, before)
        change = (
            "update app.compute_workloads set status = %s, actual_start = coalesce(actual_start, now()), "
            "actual_end = case when %s then now() + interval '1 minute' end where workload_id = %s"
        )
        values = (after, after in ("completed", "failed"), workload_id)
        if (before, after) in ALLOWED:
            api.query(change, *values)
        else:
            with pytest.raises(psycopg.errors.CheckViolation):
                api.query(change, *values)
        kept = api.query("select status from app.compute_workloads where workload_id = %s", workload_id)
        assert kept == [(after if (before, after) in ALLOWED else before,)]


def test_a_pending_workload_is_scheduled_with_a_placement_and_only_then(api: Api) -> None:
    workload_id = brought_to(api, "pending")
    with api.database.connect(autocommit=False) as connection:
        connection.execute(
            "insert into app.workload_placements (workload_id, operator_id, venue, region_id, starts_at, ends_at, power_kw, "
            "capacity_kw, energy_kwh, mean_intensity_gco2_kwh, carbon_kg, synthetic_share, known_at) select workload_id, "
            "operator_id, 'region:' || operator_id || '/1', 1, earliest_start, "
            "earliest_start + make_interval(mins => duration_minutes), "
            "power_kw, 1000, energy_kwh, 100, 1, 0, now() from app.compute_workloads where workload_id = %s",
            [workload_id],
        )
        connection.execute(
            "update app.compute_workloads set status = 'scheduled', placement_id = (select placement_id "
            "from app.workload_placements where released_at is null) where workload_id = %s",
            [workload_id],
        )
    assert api.get(f"/workloads/{workload_id}")["status"] == "scheduled"


def test_a_workload_begins_as_pending_or_scheduled(api: Api) -> None:
    api.submit()
    columns = (
        "operator_id, request, workload_type, energy_kwh, power_kw, duration_minutes, earliest_start, deadline, "
        "actual_start, actual_end"
    )
    for status in ("running", "completed", "failed", "cancelled"):
        with pytest.raises(psycopg.errors.CheckViolation, match="begins as pending or scheduled"):
            api.query(
                f"insert into app.compute_workloads ({columns}, status) select {columns}, %s from app.compute_workloads",
                status,
            )


@pytest.mark.parametrize("status", STATUSES)
def test_a_step_that_is_said_twice_does_not_move_when_it_was_taken(api: Api, status: str) -> None:
    workload_id = brought_to(api, status)
    before = api.query("select actual_start, actual_end, actual_carbon_kg from app.compute_workloads")
    answer = api.client.patch(f"/workloads/{workload_id}", json={"status": status, "at": "2035-01-01T00:00:00Z"})
    assert answer.status_code == 422, "that instant has not come"
    if status != "pending":
        answer = api.client.patch(f"/workloads/{workload_id}", json={"status": status, "at": "2020-01-01T00:00:00Z"})
        assert answer.status_code == (409 if before[0][0] else 200), answer.text
    assert api.client.patch(f"/workloads/{workload_id}", json={"status": status}).status_code == 200
    assert api.query("select actual_start, actual_end, actual_carbon_kg from app.compute_workloads") == before


def test_what_a_run_emitted_is_counted_over_the_half_hours_that_it_ran_in(api: Api) -> None:
    api.price()
    placed = api.submit(power_kw=3, duration_minutes=120, carbon_to_cost_weight=0.5)
    api.query("update app.compute_workloads set created_at = created_at - interval '1 day'")
    begun = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=3) + timedelta(minutes=10)
    ended = begun + timedelta(minutes=107, seconds=30)
    step(api, placed["workload_id"], "running", at=begun.isoformat())
    done = step(api, placed["workload_id"], "completed", at=ended.isoformat())
    values = {
        start: (float(gco2), float(gbp))
        for start, gco2, gbp in api.query(
            "select i.period_start, i.forecast_gco2_kwh, p.price_gbp_mwh from carbon_intensity_regional i "
            "join wholesale_prices p using (period_start) where p.market = 'n2ex_day_ahead' and i.region_id = %s",
            placed["placement"]["region_id"],
        )
    }
    kg = gbp = 0.0
    for minute in range(0, 24 * 60, 30):
        starts = begun.replace(minute=0) + timedelta(minutes=minute)
        ends = starts + timedelta(minutes=30)
        hours = max(0.0, (min(ends, ended) - max(starts, begun)).total_seconds() / 3600)
        if hours:
            kg += values[starts][0] * 3 * hours / 1000
            gbp += values[starts][1] * 3 * hours / 1000
    assert done["actual_carbon_kg"] == pytest.approx(kg, abs=1e-4) and kg > 0
    assert done["actual_cost_gbp"] == pytest.approx(gbp, abs=1e-4)
    assert (instant(done["actual_start"]), instant(done["actual_end"])) == (begun, ended)


def test_what_was_measured_stands_before_what_is_computed_and_the_unknown_stays_null(api: Api) -> None:
    workload_id = brought_to(api, "running")
    done = step(api, workload_id, "completed", actual_carbon_kg=1.25, actual_cost_gbp=-0.5)
    assert (done["actual_carbon_kg"], done["actual_cost_gbp"], done["unknown"]) == (1.25, -0.5, [])
    workload_id = str(api.submit()["workload_id"])
    api.query("update app.compute_workloads set created_at = '2018-12-31'")
    step(api, workload_id, "running", at="2019-01-01T00:00:00Z")
    done = step(api, workload_id, "completed", at="2019-01-01T01:00:00Z")
    assert (done["actual_carbon_kg"], done["actual_cost_gbp"]) == (None, None)
    why = "of the 2 half-hours in which it ran, 2 have no {} and 0 only a synthetic one"
    assert [why.format(of) in said for of, said in zip(("intensity", "price"), done["unknown"], strict=True)] == [
        True
    ] * 2
    assert api.get(f"/workloads/{workload_id}")["unknown"] == done["unknown"]


def test_a_synthetic_half_hour_leaves_the_carbon_unknown_and_the_answer_says_so(api: Api) -> None:
    api.price()
    placed = api.submit(power_kw=3, duration_minutes=60)
    api.query("update app.compute_workloads set created_at = created_at - interval '1 day'")
    begun = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    region = placed["placement"]["region_id"]
    api.query(
        "update carbon_intensity_regional set is_synthetic = true where region_id = %s and period_start = %s",
        region,
        begun,
    )
    step(api, placed["workload_id"], "running", at=begun.isoformat())
    done = step(api, placed["workload_id"], "completed", at=(begun + timedelta(hours=1)).isoformat())
    assert done["actual_carbon_kg"] is None and done["actual_cost_gbp"] is not None
    assert done["unknown"] == [
        "actual_carbon_kg is not known: of the 2 half-hours in which it ran, 0 have no intensity and 1 only a synthetic one, "
        "which is no measurement."
    ]
    user = api.query("select total_carbon_kg::float8, total_cost_gbp::float8 from user_workload_summary")
    assert user in ([], [(placed["placement"]["carbon_kg"], done["actual_cost_gbp"])]), (
        "what was planned counts, not zero"
    )


def test_the_gaps_between_chunks_have_neither_energy_nor_carbon_nor_cost(api: Api) -> None:
    api.price()
    begun = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=8)
    workload_id = str(api.submit(power_kw=6, duration_minutes=120, user_email="ada@example.com")["workload_id"])
    step(api, workload_id, "pending")
    pieces = [(begun, begun + timedelta(hours=1)), (begun + timedelta(hours=6), begun + timedelta(hours=7))]
    with api.database.connect(autocommit=False) as connection:
        connection.execute(
            "update app.compute_workloads set is_interruptible = true, max_chunks = 2, earliest_start = %(begun)s, "
            "created_at = created_at - interval '1 day' where workload_id = %(id)s",
            {"begun": begun, "id": workload_id},
        )
        ((placement_id,),) = connection.execute(
            "insert into app.workload_placements (workload_id, operator_id, venue, region_id, starts_at, ends_at, power_kw, "
            "capacity_kw, energy_kwh, mean_intensity_gco2_kwh, carbon_kg, synthetic_share, known_at, chunks) select "
            "workload_id, operator_id, 'region:' || operator_id || '/13', 13, %s, %s, power_kw, 1000, energy_kwh, 100, 1, 0, "
            "now(), 2 from app.compute_workloads where workload_id = %s returning placement_id",
            [pieces[0][0], pieces[1][1], workload_id],
        ).fetchall()
        for number, piece in enumerate(pieces, start=1):
            connection.execute(
                "insert into app.placement_chunks (placement_id, number, operator_id, starts_at, ends_at, power_kw) "
                "select placement_id, %s, operator_id, %s, %s, power_kw from app.workload_placements where placement_id = %s",
                [number, *piece, placement_id],
            )
        connection.execute(
            "update app.compute_workloads set status = 'scheduled', placement_id = %s where workload_id = %s",
            [placement_id, workload_id],
        )
    step(api, workload_id, "running", at=begun.isoformat())
    done = step(api, workload_id, "completed", at=(begun + timedelta(hours=7)).isoformat())
    values = api.query(
        "select i.forecast_gco2_kwh::float8, p.price_gbp_mwh::float8 from carbon_intensity_regional i join wholesale_prices p "
        "using (period_start) where p.market = 'n2ex_day_ahead' and i.region_id = 13 and (period_start >= %s and "
        "period_start < %s or period_start >= %s and period_start < %s)",
        *pieces[0],
        *pieces[1],
    )
    assert len(values) == 4
    assert done["actual_energy_kwh"] == 12 and done["inconsistent"] == []
    assert done["actual_carbon_kg"] == pytest.approx(sum(kg for kg, _ in values) * 3 / 1000, abs=1e-4)
    assert done["actual_cost_gbp"] == pytest.approx(sum(gbp for _, gbp in values) * 3 / 1000, abs=1e-4)
    summed = api.query("select total_energy_kwh::float8 from user_workload_summary where total_workloads = 1")
    assert summed == [(12,)]


def test_a_run_does_not_end_before_it_began(api: Api) -> None:
    workload_id = brought_to(api, "running")
    assert "cannot become completed at 2019" in step(
        api, workload_id, "completed", 409, at="2019-01-01T00:00:00Z"
    )["detail"]  # fmt: skip


@pytest.mark.parametrize("status", ["pending", "completed", "failed", "cancelled"])
def test_the_place_is_given_back(api: Api, status: str) -> None:
    brought_to(api, status)
    assert api.query("select released_at is not null from app.workload_placements") == [(True,)]


def test_three_rounds_of_negotiation_are_kept_with_reasons(api: Api) -> None:
    api.asset(api.operator("House", is_default=True), kw=10)
    for kw in (6, 11):
        answer = api.submit(power_kw=kw)
        kept = api.query(
            "select agent, stance, reasons, jsonb_array_length(proposals) from app.agent_negotiations "
            "where workload_id = %s order by round",
            answer["workload_id"],
        )
        assert [row[0] for row in kept] == ["energy", "compute", "head"]
        assert all(reasons and all(reasons) for _, _, reasons, _ in kept)
        assert (kept[2][1], kept[2][3]) == (("decided", 1) if kw == 6 else ("refused", 0))
        rounds = api.get(f"/workloads/{answer['workload_id']}")["negotiation"]
        assert [(said["agent"], said["stance"], said["reasons"]) for said in rounds] == [row[:3] for row in kept]


@pytest.mark.parametrize("weight", [1.0, 0.5, 0.0])
def test_a_decision_is_made_again_from_what_was_known_then(api: Api, weight: float) -> None:
    api.asset(api.operator("House", is_default=True), kw=10)
    more = {"power_kw": 6, "duration_minutes": 120, "carbon_to_cost_weight": weight}
    api.price()
    # known for long enough that two tasks of two hours, wherever they are, leave room for a third between them
    api.query("delete from wholesale_prices where period_start > now() + interval '12 hours'")
    tasks = [api.submit(**more) for _ in range(3)]
    api.client.patch(f"/workloads/{tasks[0]['workload_id']}", json={"status": "cancelled"})
    api.query(  # every forecast turned upside down since, and prices that were not known yet
        "insert into intermediate.int_carbon_intensity__captures select (jsonb_populate_record(c, jsonb_build_object("
        "'payload_id', md5(c.payload_id::text)::uuid, 'known_at', clock_timestamp(), 'fetched_at', clock_timestamp(), "
        "'forecasts_gco2_kwh', (select array_agg(500 - f) from unnest(c.forecasts_gco2_kwh) as f)))).* "
        "from intermediate.int_carbon_intensity__captures as c"
    )
    api.price(-50)
    for task in tasks:
        assert task["placement"], task["unplaced_because"]
        again = api.get(f"/workloads/{task['workload_id']}/decision")
        assert again["is_same"], again


def test_a_decision_made_again_says_what_each_constraint_cost(api: Api) -> None:
    api.query(  # the north is clean, and the task may not run there
        "update intermediate.int_carbon_intensity__captures as c set forecasts_gco2_kwh = "
        "array_fill(1::smallint, array[cardinality(c.forecasts_gco2_kwh)]) where region_id = 1"
    )
    task = api.submit("Train a model", power_kw=10, duration_minutes=120, region_ids=[13])
    again = api.get(f"/workloads/{task['workload_id']}/decision")
    assert again["constraints"] == task["constraints"], "what was said when it was placed"
    (regions,) = [one for one in again["constraints"] if one["constraint"] == "regions"]
    assert regions["would_save"]["carbon_kg"] > 0 and regions["candidates_struck_out"] > 0


def test_a_task_that_waits_is_placed_again_when_there_is_room(api: Api) -> None:
    api.asset(api.operator("House", is_default=True), kw=10)
    start = datetime.now(UTC) + timedelta(hours=3)
    more = {
        "power_kw": 6,
        "duration_minutes": 60,
        "is_deferrable": False,
        "earliest_start": start.isoformat(),
        "deadline": (start + timedelta(hours=1)).isoformat(),
    }
    first, second = (api.submit(**more)["workload_id"] for _ in range(2))
    path = f"/workloads/{second}/placement"
    refused = api.client.post(path)
    assert refused.status_code == 409 and "capacity: " in refused.json()["detail"]
    step(api, first, "cancelled")
    placed = api.client.post(path).json()
    assert (placed["status"], placed["unplaced_because"]) == ("scheduled", None)
    assert [said["attempt"] for said in api.get(f"/workloads/{second}")["negotiation"]] == [1] * 3 + [2] * 3
    again = api.client.post(path).json()
    assert again["placement"]["venue"] == placed["placement"]["venue"], "its own place is free for itself"
    assert api.query("select count(*) from app.workload_placements where released_at is null") == [(1,)]
    assert api.get(f"/workloads/{second}/decision")["is_same"]
    step(api, second, "running")
    assert api.client.post(path).status_code == 409


def test_a_task_without_a_placement_has_no_decision_to_make_again(api: Api) -> None:
    workload_id = api.submit(carbon_cap_gco2_kwh=0)["workload_id"]
    assert api.get(f"/workloads/{workload_id}/decision", 409)["detail"] == "this workload has no placement"


def test_a_run_is_credited_with_the_energy_of_the_time_that_it_ran(api: Api) -> None:
    placed = api.submit(power_kw=6, duration_minutes=480, user_email="ada@example.com")
    begun = datetime.now(UTC) - timedelta(seconds=30)
    step(api, placed["workload_id"], "running", at=begun.isoformat())
    done = step(api, placed["workload_id"], "completed", at=(begun + timedelta(seconds=20)).isoformat())
    assert done["actual_energy_kwh"] == pytest.approx(6 * 20 / 3600, abs=1e-6)
    assert any("not for 480" in sentence for sentence in done["inconsistent"])
    assert any("before its place" in sentence for sentence in done["inconsistent"]) == (
        instant(placed["placement"]["starts_at"]) - begun > timedelta(minutes=5)
    )
    summed = api.query("select total_energy_kwh::float8 from user_workload_summary")
    assert summed == [(pytest.approx(done["actual_energy_kwh"], abs=1e-6),)]


def test_a_step_at_an_impossible_time_is_refused(api: Api) -> None:
    workload_id = brought_to(api, "scheduled")
    soon = datetime.now(UTC) + timedelta(minutes=5)
    assert "has not come" in step(api, workload_id, "running", 422, at=soon.isoformat())["detail"]
    early = datetime.now(UTC) - timedelta(days=1)
    assert "before the workload was submitted" in step(api, workload_id, "running", 409, at=early.isoformat())["detail"]
    assert api.get(f"/workloads/{workload_id}")["status"] == "scheduled"


def test_a_workload_of_a_clock_that_was_ahead_may_begin_now(api: Api) -> None:
    workload_id = str(api.submit()["workload_id"])
    api.query(
        "alter table app.compute_workloads disable trigger user; "
        f"update app.compute_workloads set created_at = now() + interval '3 hours' where workload_id = '{workload_id}'; "
        "alter table app.compute_workloads enable trigger user"
    )
    assert step(api, workload_id, "running")["status"] == "running"
