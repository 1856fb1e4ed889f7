"""What the staging models make of odd payloads."""

from datetime import UTC, datetime

from pipelines.catalogue import DATASETS
from pipelines.periods import HALF_HOUR, Window
from tests.conftest import Energy
from tests.flows.test_door_and_sql import land
from tests.pipelines.hostile import Sample

START = datetime(2026, 11, 9, 10, tzinfo=UTC)


def test_of_two_outturns_of_a_half_hour_the_one_that_was_published_later_counts(energy: Energy) -> None:
    body = """{"data": [
        {"startTime": "2026-11-09T10:00:00Z", "publishTime": "2026-11-09T10:45:00Z", "initialDemandOutturn": 20000},
        {"startTime": "2026-11-09T10:00:00Z", "publishTime": "2026-11-09T10:30:00Z", "initialDemandOutturn": 30000},
        {"startTime": "2026-11-09T10:30:00Z", "publishTime": "2026-11-09T11:00:00Z", "initialDemandOutturn": 40000}
    ]}"""
    sample = Sample(DATASETS["elexon__demand_outturn"], Window(START, START + HALF_HOUR), None)
    land(energy, sample, {"": body.encode(), "empty": b'{"data": []}'})
    rows = energy.query("select period_start, nd from intermediate.stg_elexon__demand_outturn order by 1 nulls last")
    assert rows == [(START, 20000), (START + HALF_HOUR, 40000), (None, None)], "a payload without a row is still one"
