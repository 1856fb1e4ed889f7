"""savings_daily and decision_quality against sums by hand, and how fast they answer."""

import time
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from psycopg.rows import dict_row

from tests.flows.settling import HOUR, PAYLOAD, Past, a_past, a_past_database, actuals, at  # noqa: F401  (fixtures)
from warehouse.database import Role, existing_roles

DAY = at("2025-07-14 00:00")  # summer time: a run that ends at 23:00 UTC ends on the next settlement day


def view(past: Past, name: str, *, speaking_for: object = "all") -> list[dict[str, Any]]:
    """Rows as the service sees them."""
    role = Role.SERVICE if Role.SERVICE in existing_roles(past.database) else None
    with past.database.connect(role=role) as connection, connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute("select set_config('energy.operator_id', %s, false)", [str(speaking_for)])
        return cursor.execute(f"select * from {name}").fetchall()  # type: ignore[arg-type]


@pytest.fixture
def ran(past: Past) -> Past:
    """Five workloads of a day, 2 hours of 10 kW each. g/kWh by hour: 300 300 100 200 50 50; GBP/MWh 60 60 40 20 10 10.

    - saved:  ran 02:00-04:00, 1 + 2 = 3 kg and 0.60 GBP; at once 6 kg and 1.20 GBP; best 04:00-06:00, 1 kg
    - moved:  first placed at 01:00, 3 + 1 = 4 kg, ran 04:00-06:00: 1 kg and 0.20 GBP; at once 6 kg, 1.20 GBP
    - worse:  starts no sooner than 02:00 and ran 03:00-05:00: 2 + 0.5 kg, 0.30 GBP; at once 3 kg, 0.60 GBP; best 1 kg
    - failed: 02:00-03:00: 1 kg, 0.40 GBP
    - by cost: ran 02:00-04:00, 3 kg and 0.60 GBP; at once 6 kg and 1.20 GBP; best 0.20 GBP
    """
    actuals(past.db, DAY, [300, 300, 100, 200, 50, 50], [60, 60, 40, 20, 10, 10])

    def span(begins: float, ends: float) -> tuple[Any, Any]:
        return DAY + begins * HOUR, DAY + ends * HOUR

    saved, moved, failed = (past.workload(DAY, hours=6) for _ in range(3))
    worse = past.workload(DAY + 2 * HOUR, hours=4)
    by_cost = past.workload(DAY, hours=6, carbon_to_cost_weight=0)
    first = past.place(moved, span(1, 3))
    past.move(moved, first, span(4, 6))
    for this, where in ((saved, (2, 4)), (worse, (3, 5)), (failed, (2, 4)), (by_cost, (2, 4))):
        past.place(this, span(*where))
    for this, where in ((saved, (2, 4)), (moved, (4, 6)), (worse, (3, 5)), (by_cost, (2, 4))):
        past.run(this, *span(*where))
    past.run(failed, *span(2, 3), "failed")
    past.settle()
    return past


def test_savings_are_the_sums_of_the_receipts(ran: Past) -> None:
    late = ran.workload(DAY + 21 * HOUR, hours=3)
    actuals(ran.db, DAY + 21 * HOUR, [100, 200, 300], [None, 10, 10])
    ran.place(late, (DAY + 21 * HOUR, DAY + 23 * HOUR))
    ran.run(late, DAY + 21 * HOUR, DAY + 23 * HOUR)
    ran.settle()
    today, tomorrow = sorted(view(ran, "savings_daily"), key=lambda row: row["settlement_date"])
    counted = {name: today[name] for name in today if name.endswith("workloads")}
    assert counted == {
        "workloads": 5, "completed_workloads": 4, "failed_workloads": 1, "cancelled_workloads": 0, "final_workloads": 5,
        "carbon_unknown_workloads": 0, "cost_unknown_workloads": 0, "carbon_compared_workloads": 4, "by_time_workloads": 4,
        "by_place_workloads": 4, "cost_compared_workloads": 4,
    }  # fmt: skip
    sums = {name: float(value) for name, value in today.items() if name.endswith(("_kg", "_gbp", "_kwh"))}
    assert sums == pytest.approx(
        {
            "energy_kwh": 90, "realised_carbon_kg": 3 + 1 + 2.5 + 1 + 3, "realised_cost_gbp": 0.6 + 0.2 + 0.3 + 0.4 + 0.6,
            "at_once_carbon_kg": 6 + 6 + 3 + 6, "saved_carbon_kg": 3 + 5 + 0.5 + 3, "saved_by_time_carbon_kg": 11.5,
            "saved_by_place_carbon_kg": 0, "at_once_cost_gbp": 1.2 + 1.2 + 0.6 + 1.2, "saved_cost_gbp": 0.6 + 1.0 + 0.3 + 0.6,
        }
    )  # fmt: skip
    assert tomorrow["settlement_date"].isoformat() == "2025-07-15"
    assert (tomorrow["realised_carbon_kg"], tomorrow["realised_cost_gbp"]) == (3, None), "a price is missing: no total"
    assert (tomorrow["cost_unknown_workloads"], tomorrow["saved_cost_gbp"]) == (1, None)


def test_quality_is_the_share_of_what_was_possible(ran: Past) -> None:
    """By kg per kWh of work: at once 0.3 0.3 0.15, as placed first 0.15 0.2 0.125, as run 0.15 0.05 0.125, best 0.05 each."""
    rows = {(row["decided_by"], row["slack_hours"], row["policy"]): row for row in view(ran, "decision_quality")}
    assert {row["source"] for row in rows.values()} == {"receipts"} and len(rows) == 8
    carbon = {policy: rows["carbon", 6, policy] for policy in ("start now", "plan once", "as run", "oracle")}
    assert {
        (row["job_hours"], row["is_split"], row["decisions"], row["final_decisions"]) for row in carbon.values()
    } == {(2, False, 3, 3)}
    at_once, oracle = Fraction(75, 100), Fraction(15, 100)
    for policy, score in {
        "start now": at_once, "plan once": Fraction(475, 1000), "as run": Fraction(325, 1000), "oracle": oracle,
    }.items():  # fmt: skip
        wanted = (1 - score / at_once, (at_once - score) / (at_once - oracle), score / oracle - 1)
        found = (carbon[policy][name] for name in ("realised_saving_pct", "captured_pct", "regret_pct"))
        assert [float(value) for value in found] == pytest.approx([float(100 * value) for value in wanted], abs=6e-4)
        assert carbon[policy]["promised_saving_pct"] is None, "no forecast of that time is kept"
    cost = rows["cost", 6, "as run"]
    assert (float(cost["captured_pct"]), float(cost["regret_pct"])) == (60, 200), (
        "0.60 of 1.20 GBP, where 0.20 was possible"
    )


REPLAYED = """
insert into ops.replay_decisions
select kind, region_id, '2026-10-01', 2, 24, false, 1, 'plan once (published)', 10, now(), now(), at_once, realised, oracle,
    10, realised / 2, at_once, 0, 0, 0, 0, 0, 264, %(run_id)s
from (values ('live'), ('simulated')) as forecasts (kind),
    (values (1, 300.0, 150.0, 100.0), (2, 100.0, 90.0, 60.0)) as region (region_id, at_once, realised, oracle)
"""


def test_replays_stand_beside_the_receipts_and_are_never_added_to_them(ran: Past) -> None:
    before = view(ran, "decision_quality")
    ran.db.execute(
        "insert into ops.runs (run_id, flow, status, ended_at) values (%s, 'replay', 'completed', now())", [PAYLOAD]
    )
    ran.db.execute(REPLAYED, {"run_id": PAYLOAD})
    rows = view(ran, "decision_quality")
    ran.db.execute("delete from ops.replay_decisions")
    assert [row for row in rows if row["source"] == "receipts"] == before
    replayed = {row["source"]: row for row in rows if row["source"] != "receipts"}
    assert set(replayed) == {"replay of live forecasts", "replay of simulated forecasts"}
    for row in replayed.values():
        assert (row["decided_by"], row["job_hours"], row["slack_hours"]) == ("carbon", 2, 24)
        assert (row["policy"], row["decisions"]) == ("plan once (published)", 20)
        assert (row["promised_saving_pct"], row["realised_saving_pct"]) == (70, 40)
        assert (row["captured_pct"], row["regret_pct"]) == (Decimal("66.667"), 50)


def test_an_operator_sees_its_own_alone(ran: Past) -> None:
    other = Past(ran.database, ran.db)
    for name in ("savings_daily", "decision_quality"):
        assert view(ran, name, speaking_for=other.operator) == []
        assert view(ran, name, speaking_for=ran.operator) == view(ran, name)


def test_quality_of_many_receipts_answers_at_once(ran: Past) -> None:
    tables = ("compute_workloads", "workload_placements", "receipts")
    columns = {
        table: [
            name
            for (name,) in ran.db.execute(
                "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped "
                "and attidentity = '' and attgenerated = ''",
                [f"app.{table}"],
            )
        ]
        for table in tables
    }
    with ran.db.transaction(force_rollback=True):
        for table in tables:
            ran.db.execute(f"alter table app.{table} disable trigger user")  # type: ignore[arg-type]
        ran.db.execute(
            "create temporary table copy as select gen_random_uuid() as new_id, gen_random_uuid() as placed, r.workload_id "
            "from generate_series(1, 2500) as number, app.receipts as r where r.is_newest"
        )
        swaps = {
            "workload_id": "copy.new_id", "placement_id": "copy.placed", "first_placement_id": "copy.placed",
            "replaces": "null::uuid", "idempotency_key": "null::text",
        }  # fmt: skip
        for table in tables:
            names = columns[table]
            chosen = ", ".join(swaps.get(name, f"old.{name}") for name in names)
            only = "and (old.workload_id, old.placement_id) in (select workload_id, placement_id from app.receipts)"
            ran.db.execute(
                f"insert into app.{table} ({', '.join(names)}) select {chosen} from copy "  # type: ignore[arg-type]
                f"join app.{table} as old on old.workload_id = copy.workload_id {only}"
            )
        ran.db.execute("analyze app.receipts")
        took = []
        for _ in range(3):
            began = time.perf_counter()
            rows = ran.db.execute("select sum(decisions) from decision_quality where policy = 'as run'").fetchall()
            took.append(time.perf_counter() - began)
        assert rows == [(10_004,)] and min(took) < 0.2, took
