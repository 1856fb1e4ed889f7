"""The staging checkpoint: a payload that fails is held alone, what raises counts as failed, and a verdict stands."""

import uuid

import pytest

from checkpoints.suite import Suites, failed, rows_that
from tests.emulator import Emulator
from tests.energy import Energy
from warehouse import ledger
from warehouse.database import Database


@pytest.fixture
def suites(database: Database):
    these = Suites(database)
    yield these
    these.close()


def test_a_check_that_raises_is_failed_and_distinguished_from_bad_data(suites: Suites) -> None:
    results = suites.run(
        checkpoint="staging",
        dataset="any",
        query="select 1 as one",
        expectations=[
            rows_that("divides", "select 1 / 0 from {batch}"),
            rows_that("holds", "select * from {batch} where false"),
        ],
    )
    (fault,) = failed(results)
    assert fault.description == "divides"
    assert fault.raised and "division by zero" in fault.raised


def test_of_two_payloads_the_bad_one_is_held_alone(energy: Energy, emulator: Emulator) -> None:
    emulator.fault("absurd", "/2024-03-15T00:30Z/")
    energy.backfill("2024-03-01", "2024-03-20", "carbon_intensity__national")
    assert dict(energy.query("select verdict, count(*) from ops.payload_verdicts group by verdict")) == {
        "passed": 1,
        "held": 1,
    }
    assert energy.value("select reason from ops.payload_verdicts where verdict = 'held'").startswith("not met: ")
    published = energy.query(
        "select min(period_start)::date::text, max(period_start)::date::text from carbon_intensity_national"
    )
    assert published == [("2024-03-01", "2024-03-14")]


def test_a_verdict_stands_once_given(database: Database) -> None:
    payload = uuid.uuid4()
    with ledger.run(database, "test", {}) as run:
        run.record_verdicts("any", [payload], held_because="not met: x")
        run.record_verdicts("any", [payload], held_because=None)
    with database.connect() as connection:
        rows = connection.execute("select verdict, reason from ops.payload_verdicts").fetchall()
    assert rows == [("held", "not met: x")]
