"""`make trace`: from a value back to what the upstream sent."""

import pytest

from tests.conftest import Energy
from tests.emulator import Emulator
from warehouse.errors import UsageError
from warehouse.trace import trace


def test_a_value_is_traced_to_its_request(energy: Energy, emulator: Emulator) -> None:
    outcome = energy.refresh()
    start = energy.value("select min(period_start) from carbon_intensity_regional")
    with energy.database.connect() as connection:
        found = trace(connection, "carbon_intensity_regional", ["13", start.isoformat()])
    assert found["dataset"] == "carbon_intensity__regional"
    assert found["part"]["regionid"] == 13
    assert found["part"]["intensity"]["forecast"] == found["row"]["forecast_gco2_kwh"]
    assert found["payload"]["request_url"].removeprefix(f"http://127.0.0.1:{emulator.port}") == next(
        path for _, path in emulator.requests if "regional" in path
    )
    assert str(found["landed_by"]["run_id"]) == outcome["run_id"]
    assert found["verdict"]["verdict"] == "passed"
    assert {check["checkpoint"] for check in found["checks"]} == {"staging", "clean"}


@pytest.mark.parametrize(
    ("table", "key", "words"),
    [
        ("nonsense", ["1"], "There is no clean table 'nonsense'. Known: carbon_intensity_national"),
        ("carbon_intensity_regional", ["13"], "The key of carbon_intensity_regional is"),
        ("carbon_intensity_regional", ["13", "soon"], "KEY cannot be read"),
        ("carbon_intensity_regional", ["13", "1999-01-01T00:00Z"], "There is no row"),
        ("regions; drop table regions", ["13"], "There is no clean table"),
    ],
)
def test_what_cannot_be_traced_is_told(energy: Energy, table: str, key: list[str], words: str) -> None:
    with energy.database.connect() as connection, pytest.raises(UsageError, match=words):
        trace(connection, table, key)
