"""Receipts of work in pieces whose starts and stops were reported, worked out by hand: at 10 kW an hour is 10 kWh."""

import random
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from placement.finished import ran_pieces
from tests.flows.settling import HOUR, Past, a_past, a_past_database, actuals, at, figures  # noqa: F401  (fixtures)
from tests.warehouse.app_rows import become
from warehouse.receipts import PIECES, RUNS, Reader

COMPARED = ("realised", "at_once", "first_plan", "foresight")
DAY = at("2025-10-20 00:00")
GRAMS, POUNDS = [300, 100, 200, 250, 50, 60, 400, 400], [100, 50, 80, 90, 20, 30, 70, 70]
"""By hour from midnight: gCO2/kWh, GBP/MWh"""


def split(past: Past) -> UUID:
    """Two hours of work, placed 01:00-02:00 and 04:00-05:30; the second piece begins with half an hour of resumption."""
    actuals(past.db, DAY, GRAMS, POUNDS)
    this = past.workload(DAY, is_interruptible=True, max_chunks=2, resume_overhead_minutes=30, min_chunk_minutes=60)
    past.place(this, (DAY + HOUR, DAY + 2 * HOUR), (DAY + 4 * HOUR, DAY + 5.5 * HOUR), energy_kwh=25)
    return this


def test_what_ran_at_other_times_than_it_was_placed_counts_when_it_ran(past: Past) -> None:
    """Ran 01:30-02:30 (5 kWh x 100 + 5 x 200 = 1.5 kg; 0.25 + 0.40 GBP) and 04:30-06:00 (5 x 50 + 10 x 60 = 0.85 kg; 0.10 + 0.30).

    That is 2.35 kg and 1.05 GBP. At once 00:00-02:00: 3 + 1 kg, 1.00 + 0.50. As placed first 1 + 0.5 + 0.3 = 1.8 kg,
    0.50 + 0.20 + 0.15. Best by what came: 04:00-06:00, 0.5 + 0.6 kg, 0.20 + 0.30.
    """
    this = split(past)
    past.run_in_pieces(this, DAY + 1.5 * HOUR, DAY + 6 * HOUR, (1, 1.5, 2.5), (2, 4.5, None), day=DAY)
    assert past.settle()["kept"] == 1
    row = past.receipt(this)
    assert figures(row, *COMPARED) == [(2.35, 1.05), (4.0, 1.5), (1.8, 0.85), (1.1, 0.5)]
    assert (row["chunks"], float(row["energy_kwh"]), float(row["work_kwh"]), row["half_hours"]) == (2, 25, 20, 5)
    assert (row["is_final"], row["coverage"], row["notes"]) == (True, 1, [])


def test_a_piece_that_was_not_reported_ran_as_it_was_placed_and_that_is_said(past: Past) -> None:
    """The first as above, 1.5 kg and 0.65 GBP; the second as placed, 04:00-05:30: 0.5 + 0.3 kg, 0.20 + 0.15 GBP."""
    this = split(past)
    past.run_in_pieces(this, DAY + 1.5 * HOUR, DAY + 5.5 * HOUR, (1, 1.5, 2.5), day=DAY)
    past.settle()
    row = past.receipt(this)
    assert figures(row, "realised") == [(2.3, 1.0)] and float(row["energy_kwh"]) == 25
    assert row["notes"] == [
        "When 1 of the 2 pieces in which it ran started and stopped was not reported: the times of its placement are taken."
    ]


def test_pieces_without_a_pause_between_them_are_one_that_does_no_resumption(past: Past) -> None:
    """It began late and ran through, 03:00-05:00: 10 kWh x 250 + 10 x 50 = 3 kg, 0.90 + 0.20 GBP, all of it work."""
    this = split(past)
    past.run_in_pieces(this, DAY + 3 * HOUR, DAY + 5 * HOUR, (1, 3, 4), (2, 4, None), day=DAY)
    past.settle()
    row = past.receipt(this)
    assert figures(row, "realised", "at_once") == [(3.0, 1.1), (4.0, 1.5)]
    assert (row["chunks"], float(row["energy_kwh"]), float(row["work_kwh"])) == (1, 20, 20)


def test_a_lost_lease_leaves_the_stop_of_its_piece_unknown_and_that_is_said(past: Past) -> None:
    """Begun at 01:30 and never heard of again; its lease ended at 03:00: 5 x 100 + 10 x 200 = 2.5 kg."""
    this = split(past)
    past.run_in_pieces(this, DAY + 1.5 * HOUR, DAY + 3 * HOUR, (1, 1.5, None), day=DAY, outcome="lost")
    past.settle()
    row = past.receipt(this)
    assert row["status"] == "failed" and figures(row, "realised") == [(2.5, 1.05)]
    assert "When its last piece stopped was not reported: the end of the run is taken." in row["notes"]


def test_a_first_piece_that_nobody_reported_and_that_was_late_is_not_known(past: Past) -> None:
    this = split(past)
    past.run_in_pieces(this, DAY + 1.5 * HOUR, DAY + 6 * HOUR, (2, 4.5, None), day=DAY)
    past.settle()
    row = past.receipt(this)
    assert figures(row, "realised") == [(None, None)] and len(row["notes"]) == 1, row["notes"]
    assert "its pieces were due at other times: what it drew, emitted and cost is not known" in row["notes"][0]


def test_python_and_sql_agree_on_when_the_pieces_ran(past: Past) -> None:
    """Whatever was reported of three pieces, and whenever the run is said to have begun and ended."""
    dice = random.Random(17)
    pieces = [(60, 120), (180, 240), (300, 420)]
    this = past.workload(DAY, minutes=240, is_interruptible=True, max_chunks=3)
    placed = past.place(this, *((minute(begins), minute(ends)) for begins, ends in pieces))
    with past.db.transaction():
        become(past.db, this, "running", at=DAY)
        token = past.claim(this)
    past.db.execute("alter table app.workload_chunk_runs disable trigger user")
    seen = 0
    for _ in range(150):
        past.db.execute("delete from app.workload_chunk_runs")
        instants = sorted(dice.sample(range(30, 480, 5), 6))
        reported = dice.sample([1, 2, 3], dice.randint(0, 3))
        for number in reported:
            begins, ends = instants[2 * number - 2 : 2 * number]
            is_open = number == max(reported) and dice.random() < 0.3
            past.report(placed, number, token, minute(begins), None if is_open else minute(ends))
        began = minute(dice.randrange(0, 400, 5))
        ended = began + timedelta(minutes=dice.randrange(5, 400, 5))
        reader = Reader(past.db)
        rows = {"pieces": reader.rows(PIECES, [placed]), "runs": reader.rows(RUNS, [placed])}
        by_python = [(piece.starts_at, piece.ends_at) for piece in ran_pieces(rows, began, ended)]
        by_sql = [(row["starts_at"], row["ends_at"]) for row in reader.run(placed, began, ended)]
        assert by_python == by_sql, (reported, instants, began, ended)
        seen += len(by_sql)
    assert seen > 150


def minute(number: int) -> datetime:
    return DAY + timedelta(minutes=number)


@pytest.fixture(autouse=True)
def _triggers_are_on_again(past: Past) -> object:
    yield
    past.db.execute("alter table app.workload_chunk_runs enable trigger user")
