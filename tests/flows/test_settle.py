"""Receipts of workloads whose figures were worked out by hand: 10 kW, so an hour is 10 kWh and 100 g are 1 kg."""

import random
import threading
import time
from typing import Any

import psycopg
import pytest

from flows.settle import settle_all
from tests.flows.settling import HOUR, SETTINGS, Past, a_past, a_past_database, actuals, at, figures  # noqa: F401  (fixtures)
from warehouse import receipts
from warehouse.database import Role, existing_roles
from warehouse.errors import OutageError

COMPARED = ("realised", "at_once", "first_plan", "foresight")


def test_a_split_run(past: Past) -> None:
    """Two hours of work in two pieces, the second begins with half an hour of resumption.

    g/kWh by hour from midnight 300 100 200 250 50 60 400 400; GBP/MWh 100 50 80 90 20 30 70 70.
    Ran 01:00-02:00 (10 kWh x 100 g = 1 kg, 0.50 GBP) and 04:00-05:30 (10 x 50 = 0.5 kg, 0.20; 5 x 60 = 0.3 kg, 0.15).
    At once 00:00-02:00: 10 x 300 + 10 x 100 = 4 kg, 1.00 + 0.50 GBP. Best by what came: 04:00-06:00, 0.5 + 0.6 kg, 0.20 + 0.30.
    """
    day = at("2025-10-20 00:00")
    actuals(past.db, day, [300, 100, 200, 250, 50, 60, 400, 400], [100, 50, 80, 90, 20, 30, 70, 70])
    this = past.workload(day, is_interruptible=True, max_chunks=2, resume_overhead_minutes=30, min_chunk_minutes=60)
    pieces = ((day + HOUR, day + 2 * HOUR), (day + 4 * HOUR, day + 5.5 * HOUR))
    past.place(this, *pieces, energy_kwh=25)
    past.run(this, day + HOUR, day + 5.5 * HOUR)
    assert past.settle()["kept"] == 1
    row = past.receipt(this)
    assert figures(row, *COMPARED) == [(1.8, 0.85), (4.0, 1.5), (1.8, 0.85), (1.1, 0.5)]
    assert figures(row, "at_once_here", "at_once_elsewhere") == [(4.0, 1.5), (4.0, 1.5)], "it might run in London alone"
    assert (row["chunks"], float(row["energy_kwh"]), float(row["work_kwh"]), row["half_hours"]) == (2, 25, 20, 5)
    silent = "When its pieces started and stopped was not reported: the times of its placement are taken."
    assert (row["is_final"], row["coverage"], row["notes"], row["version"]) == (True, 1, [silent], 1)
    assert (row["foresight_region_id"], row["foresight_starts_at"]) == (13, day + 4 * HOUR)
    assert row["method"] == "average, attributional" and row["based_on"]["method"].endswith("average_and_marginal.md")


def test_a_run_across_a_clock_change(past: Past) -> None:
    """The clocks go back at 01:00 UTC: 00:30-02:30 UTC are two hours, though London's clock shows 01:30 to 02:30.

    g/kWh from midnight 100 200 300 50 60: 5 kWh x 100 + 10 x 200 + 5 x 300 = 4 kg.
    GBP/MWh 10 20 30 0 -10: 0.05 + 0.2 + 0.15 = 0.40 GBP.
    At once 00:00-02:00: 1 + 2 = 3 kg, 0.1 + 0.2. Best 03:00-05:00: 0.5 + 0.6 kg, 0 - 0.1 GBP: a price below zero is real.
    """
    day = at("2025-10-26 00:00")
    actuals(past.db, day, [100, 200, 300, 50, 60], [10, 20, 30, 0, -10])
    this = past.workload(day, hours=5)
    past.place(this, (day + HOUR / 2, day + 2.5 * HOUR))
    past.run(this, day + HOUR / 2, day + 2.5 * HOUR)
    past.settle()
    row = past.receipt(this)
    assert figures(row, *COMPARED) == [(4.0, 0.4), (3.0, 0.3), (4.0, 0.4), (1.1, -0.1)]
    assert (row["half_hours"], float(row["energy_kwh"]), row["slack_minutes"]) == (4, 20, 180)


def test_a_gap_in_the_actuals_gives_no_total(past: Past) -> None:
    """An hour of the run has no intensity, and another a synthetic one alone: neither is zero, and neither is guessed."""
    day = at("2025-10-21 00:00")
    actuals(past.db, day, [300, 100, None, 100], [100, 50, 80, 90], is_synthetic=[3])
    this = past.workload(day, minutes=180, hours=4)
    past.place(this, (day + HOUR, day + 4 * HOUR))
    past.run(this, day + HOUR, day + 4 * HOUR)
    past.settle()
    row = past.receipt(this)
    assert figures(row, "realised", "foresight") == [(None, None), (None, None)]
    assert (row["half_hours"], row["half_hours_without_intensity"], row["half_hours_synthetic"]) == (6, 4, 2)
    assert (row["half_hours_without_price"], float(row["coverage"]), row["is_final"]) == (2, 0.3333, False)
    assert "4 of the 6 half-hours in which it ran have no actual intensity (2 of them a synthetic" in row["notes"][0]
    assert "2 of the 6 half-hours in which it ran have no price" in row["notes"][1]
    assert "perfect foresight" in row["notes"][2] and len(row["notes"]) == 3
    assert past.settle()["kept"] == 0, "nothing new is known"
    past.db.execute("delete from carbon_intensity_regional where is_synthetic")
    actuals(past.db, day + 2 * HOUR, [200, 100], [80, 90])
    past.db.execute("update wholesale_prices set is_synthetic = false, fetched_at = now()")
    past.db.execute("update carbon_intensity_regional set updated_at = now(), fetched_at = now()")
    assert past.settle()["kept"] == 1, "a backfill has filled the gap"
    _, filled = past.receipts(this)
    assert figures(filled, "realised") == [(4.0, 2.2)] and filled["is_final"] and filled["notes"] == []


def test_an_actual_that_is_revised_later_makes_the_next_version(past: Past) -> None:
    """100 g for two hours are 2 kg; one of the hours was 140 g after all: 2.4 kg."""
    day = at("2025-10-22 00:00")
    actuals(past.db, day, [300, 300, 100, 100], [50, 50, 50, 50])
    this = past.workload(day, hours=4)
    first = past.place(this, (day, day + 2 * HOUR), carbon_kg=6, cost_gbp=1)
    past.move(this, first, (day + 2 * HOUR, day + 4 * HOUR), carbon_kg=1.9, cost_gbp=0.9)
    past.run(this, day + 2 * HOUR, day + 4 * HOUR)
    assert past.settle()["kept"] == 1
    before = past.receipt(this)
    assert figures(before, *COMPARED) == [(2.0, 1.0), (6.0, 1.0), (6.0, 1.0), (2.0, 1.0)]
    assert figures(before, "promised", "first_promised") == [(1.9, 0.9), (6.0, 1.0)] and before["moves"] == 1
    assert past.settle() == {**past.settle(), "looked_at": 0, "kept": 0}, "settled again, it says nothing else"
    revised = (
        "update carbon_intensity_regional set forecast_gco2_kwh = 140, updated_at = now() where period_start >= %s"
    )
    past.db.execute(revised, [day + 3 * HOUR])
    assert past.settle()["kept"] == 1
    old, new = past.receipts(this)
    assert old == {**before, "is_newest": False, "again_at": old["again_at"], "checked_at": old["checked_at"]}
    assert figures(new, *COMPARED) == [(2.4, 1.0), (6.0, 1.0), (6.0, 1.0), (2.4, 1.0)]
    assert (new["version"], new["is_newest"], new["is_final"]) == (2, True, True)
    past.db.execute("update carbon_intensity_regional set updated_at = now() where period_start = %s", [day + 3 * HOUR])
    assert past.settle()["kept"] == 0, "looked at, and the same"


def test_a_cancelled_workload_saves_nothing(past: Past) -> None:
    """Cancelled before it began: nothing. Cancelled after an hour of two: that hour, 10 kWh x 100 g = 1 kg, and no saving."""
    day = at("2025-10-23 00:00")
    actuals(past.db, day, [300, 300, 100, 100], [50, 50, 50, 50])
    never, begun, unplaced, failed = (past.workload(day, hours=4) for _ in range(4))
    for this in (never, begun, failed):
        past.place(this, (day + 2 * HOUR, day + 4 * HOUR))
    past.run(begun, day + 2 * HOUR, day + 3 * HOUR, "cancelled")
    past.db.execute("update app.compute_workloads set actual_end = %s where workload_id = %s", [day + 3 * HOUR, begun])
    past.run(failed, day + 2 * HOUR, day + 4 * HOUR, "failed")
    for this in (never, unplaced):
        past.db.execute("update app.compute_workloads set status = 'cancelled' where workload_id = %s", [this])
    assert past.settle()["kept"] == 3
    row = past.receipt(never)
    assert figures(row, *COMPARED) == [(0.0, 0.0), (None, None), (None, None), (None, None)]
    assert (row["status"], float(row["energy_kwh"]), row["coverage"], row["is_final"]) == ("cancelled", 0, None, True)
    assert row["notes"] == ["It was cancelled before it began: nothing ran, and nothing was saved."]
    row = past.receipt(begun)
    assert figures(row, *COMPARED) == [(1.0, 0.5), (3.0, 0.5), (1.0, 0.5), (1.0, 0.5)], "of the hour that it ran"
    assert float(row["energy_kwh"]) == 10 and "it saved nothing" in row["notes"][0] and "60 minutes" in row["notes"][1]
    assert figures(past.receipt(failed), "realised") == [(2.0, 1.0)]
    assert past.receipts(unplaced) == [], "it never had a place"
    assert past.settle()["looked_at"] == 0


@pytest.mark.parametrize(
    ("began", "ended", "is_known"),
    [
        (1, 5.5, True),
        (1, 2, True),
        (2.5, 3.5, False),
        (1, 3, False),
        (1.5, 6, False),
        (4.5, 5, False),
        (1.05, 2.05, True),
    ],
)
def test_what_ran_when_its_pieces_were_not_due_is_not_known_and_never_zero(
    past: Past, began: float, ended: float, is_known: bool
) -> None:
    day = at("2025-10-20 00:00")
    actuals(past.db, day, [300, 100, 200, 250, 50, 60, 400, 400], [100, 50, 80, 90, 20, 30, 70, 70])
    this = past.workload(day, is_interruptible=True, max_chunks=2, min_chunk_minutes=60)
    past.place(this, (day + HOUR, day + 2 * HOUR), (day + 4 * HOUR, day + 5 * HOUR))
    past.run(this, day + began * HOUR, day + ended * HOUR)
    assert past.settle()["kept"] == 1
    row = past.receipt(this)
    assert (None not in figures(row, "realised")[0]) == is_known == (row["energy_kwh"] is not None), row
    if not is_known:
        assert "its pieces were due at other times: what it drew, emitted and cost is not known" in row["notes"][0]
        assert row["notes"][1] == "Its runner did not report when each piece started and stopped."
    assert past.settle()["looked_at"] == 0


def test_a_workload_that_cannot_be_settled_keeps_no_other_from_its_receipt(past: Past) -> None:
    day = at("2025-10-20 00:00")
    actuals(past.db, day, [300, 100, 200], [100, 50, 80])
    several = [past.workload(day, minutes=60) for _ in range(3)]
    for this in several:
        past.place(this, (day + HOUR, day + 2 * HOUR))
        past.run(this, day + HOUR, day + 2 * HOUR)
    past.db.execute(f"alter table app.receipts add constraint refused check (workload_id <> '{several[1]}')")
    try:
        done = past.settle()
    finally:
        past.db.execute("alter table app.receipts drop constraint refused")
    assert done["kept"] == 2 and [len(past.receipts(this)) for this in several] == [1, 0, 1]
    assert len(done["failed"]) == 1 and done["failed"][0].startswith(f"workload {several[1]}: CheckViolation: ")
    assert past.settle()["kept"] == 1, "the next time"


def test_no_comparison_rests_on_a_value_that_stands_apart(past: Past) -> None:
    day = at("2025-10-20 00:00")
    actuals(past.db, day, [300, 100, 5, 100, 100], [100, 50, 80, 80, 80])
    past.db.execute("update carbon_intensity_regional set is_isolated = true where forecast_gco2_kwh = 5")
    this = past.workload(day, minutes=60)
    past.place(this, (day + HOUR, day + 2 * HOUR))
    past.run(this, day + HOUR, day + 2 * HOUR)
    past.settle()
    row = past.receipt(this)
    assert figures(row, "realised", "at_once", "foresight") == [(1.0, 0.5), (3.0, 1.0), (None, None)]
    assert "perfect foresight would have given is not known" in row["notes"][0]


def test_a_receipt_is_preliminary_until_its_actuals_are_final(past: Past) -> None:
    day = at("2025-10-24 00:00")
    actuals(past.db, day, [300, 300, 100, 100], [50, 50, 50, 50], fetched_after=HOUR)
    this = past.workload(day, hours=4)
    past.place(this, (day + 2 * HOUR, day + 4 * HOUR))
    past.run(this, day + 2 * HOUR, day + 4 * HOUR)
    past.settle()
    row = past.receipt(this)
    assert not row["is_final"] and row["final_at"] == day + 52 * HOUR, "fetched when it could still be revised"
    past.db.execute("update carbon_intensity_regional set fetched_at = now()")
    assert past.settle()["kept"] == 1
    assert [one["is_final"] for one in past.receipts(this)] == [False, True]
    assert figures(past.receipts(this)[1], *COMPARED) == figures(row, *COMPARED)


def test_a_run_of_seconds_is_said_to_have_run_for_a_part_of_a_minute(past: Past) -> None:
    day = at("2025-10-24 00:00")
    actuals(past.db, day, [300, 300, 100, 100], [50, 50, 50, 50], fetched_after=HOUR)
    this = past.workload(day, hours=4, minutes=60)
    past.place(this, (day + 2 * HOUR, day + 3 * HOUR))
    past.run(this, day + 2 * HOUR, day + 2 * HOUR + HOUR / 200)
    past.settle()
    assert "It ran for 0.3 minutes, not for 60: " in " ".join(past.receipt(this)["notes"])


def test_the_last_refresh_of_a_half_hour_makes_it_final(past: Past) -> None:
    """Refreshes request a half-hour until its third day ends: the last of a day half an hour before it is 48 hours old."""
    day = at("2025-10-24 20:00")
    actuals(past.db, day, [300, 300, 100, 100], [50, 50, 50, 50], fetched_after=47.5 * HOUR)
    past.place(this := past.workload(day, hours=4), (day + 2 * HOUR, day + 4 * HOUR))
    past.run(this, day + 2 * HOUR, day + 4 * HOUR)
    past.settle()
    assert past.receipt(this)["is_final"]


def test_what_was_fetched_before_its_half_hour_had_ended_is_no_actual(past: Past) -> None:
    day = at("2025-10-25 00:00")
    actuals(past.db, day, [300, 300, 100, 100], [50, 50, 50, 50], fetched_after=-HOUR)
    this = past.workload(day, hours=4)
    past.place(this, (day + 2 * HOUR, day + 4 * HOUR))
    past.run(this, day + 2 * HOUR, day + 4 * HOUR)
    past.settle()
    assert figures(past.receipt(this), "realised") == [(None, 1.0)] and float(past.receipt(this)["coverage"]) == 0


def test_an_operator_sees_its_own_receipts_alone_and_none_is_changed(past: Past) -> None:
    if Role.SERVICE not in existing_roles(past.database):
        pytest.skip("the user of this server may make no roles: its rights cannot be tried")
    day = at("2025-10-27 00:00")
    actuals(past.db, day, [300, 300, 100, 100], [50, 50, 50, 50])
    other = Past(past.database, past.db)
    for one in (past, other):
        this = one.workload(day, hours=4)
        one.place(this, (day + 2 * HOUR, day + 4 * HOUR))
        one.run(this, day + 2 * HOUR, day + 4 * HOUR)
    past.settle()
    with past.database.connect(role=Role.SERVICE) as connection:
        seen = "select operator_id from app.receipts"
        assert connection.execute(seen).fetchall() == []
        connection.execute("select set_config('energy.operator_id', %s, false)", [str(other.operator)])
        assert connection.execute(seen).fetchall() == [(other.operator,)]
        for change in ("set realised_carbon_kg = 0", "set is_final = false"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"update app.receipts {change}")  # type: ignore[arg-type]
    with pytest.raises(psycopg.errors.CheckViolation, match="a receipt does not change"):
        past.db.execute("update app.receipts set realised_carbon_kg = 0")


def test_of_two_settlements_at_once_one_is_skipped(past: Past) -> None:
    day = at("2025-10-28 00:00")
    actuals(past.db, day, [300, 100], [50, 50])
    past.place(this := past.workload(day, minutes=60, hours=2), (day + HOUR, day + 2 * HOUR))
    past.run(this, day + HOUR, day + 2 * HOUR)
    with past.database.connect(role=Role.SERVICE, autocommit=False) as other:
        other.execute(receipts.LOCK, [str(past.operator)])
        assert past.settle()["skipped"] == "being settled elsewhere" and past.receipts(this) == []
    assert past.settle()["kept"] == 1 and past.receipt(this)["version"] == 1


def test_a_settlement_that_is_killed_leaves_whole_receipts_and_the_next_one_goes_on(past: Past) -> None:
    day = at("2025-10-29 00:00")
    actuals(past.db, day, [300, 100], [50, 50])
    for _ in range(60):
        past.place(this := past.workload(day, minutes=60, hours=2), (day + HOUR, day + 2 * HOUR))
        past.run(this, day + HOUR, day + 2 * HOUR)
    dice, killed = random.Random(5), 0
    for _ in range(5):
        result: list[Any] = []

        def run(into: list[Any] = result) -> None:
            try:
                into.append(settle_all(past.database, SETTINGS))
            except (psycopg.Error, OutageError) as error:  # the latter if it was about to connect
                into.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        time.sleep(dice.uniform(0.02, 0.15))
        while thread.is_alive():
            past.db.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'energy settle'"
            )
            time.sleep(0.01)
        thread.join()
        killed += isinstance(result[0], psycopg.Error | OutageError)
        rows = past.db.execute(
            "select count(*), count(distinct workload_id), max(version) from app.receipts"
        ).fetchall()
        assert rows[0][0] == rows[0][1] and rows[0][2] in (None, 1)
    assert killed >= 2
    past.settle()
    rows = past.db.execute(
        "select count(*), count(distinct workload_id), sum(realised_carbon_kg) from app.receipts"
    ).fetchall()
    assert rows == [(60, 60, 60)], "each an hour of 10 kW by 100 g"
