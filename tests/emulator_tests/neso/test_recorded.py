"""Files as they were recorded."""

import csv
import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.conftest import needs_recorded
from tests.emulator.neso import Neso
from tests.emulator.neso.published_demand import (
    HALF_HOURLY,
    HISTORIC,
    ONE_DAY,
    SEVEN_DAYS,
    UPDATE,
)
from tests.emulator_tests.neso.asking import FILES, N2EX, NOW, Clock, rows, sql, types


def file_rows(name: str) -> list[dict[str, str]]:
    with (FILES / name).open(newline="") as file:
        return list(csv.DictReader(file))


@needs_recorded
class TestRecorded:
    @pytest.mark.parametrize("year", [2001, 2018, 2023])
    def test_a_year_is_its_file(self, recorded: Neso, year: int) -> None:
        Clock.now = NOW
        wanted = file_rows(f"historic_demand/demanddata_{year}.csv")
        found = rows(recorded, HISTORIC[year])
        assert list(types(recorded, HISTORIC[year])) == list(wanted[0])
        assert len(found) == len(wanted)
        for row, line in zip(found, wanted, strict=True):
            line = line if year == 2023 else line | {"SETTLEMENT_DATE": row["SETTLEMENT_DATE"]}
            assert {name: str(row[name]) for name in line} == line
        assert found[-1]["SETTLEMENT_DATE"] == {2001: "2001-12-31", 2018: "2018-12-31", 2023: "31-Dec-23"}[year]

    def test_the_update_of_april_2024(self, recorded: Neso) -> None:
        Clock.now = datetime(2024, 4, 14, 12, tzinfo=UTC)
        found = rows(recorded, UPDATE)
        assert len(found) == 2494 and "GREENLINK_FLOW" not in found[0]
        assert found[0]["ND"] == 25_469

    def test_forecasts_of_their_day(self, recorded: Neso) -> None:
        Clock.now = NOW
        one = [str(row["FORECASTDEMAND"]) for row in rows(recorded, ONE_DAY)]
        name = "forecasts/dem1_demand_forecast_1d_day_ahead_national_20261009.csv"
        assert one == [row["FORECASTDEMAND"] for row in file_rows(name)]
        seven = rows(recorded, SEVEN_DAYS)
        assert {row["TARGETDATE"] for row in seven} == {20261014} and seven[0]["FORECASTDEMAND"] == 21_787
        Clock.now = NOW + timedelta(hours=4)
        half_hours = rows(recorded, HALF_HOURLY)
        assert (half_hours[0]["NATIONALDEMAND"], len(half_hours)) == (20_660, 624)

    def test_prices_that_were_recorded(self, recorded: Neso) -> None:
        Clock.now = NOW
        found = {(row["Date"], row["Delivery Period"]): row["Price"] for row in rows(recorded, N2EX)}
        wanted = file_rows("n2ex_day_ahead/nordpool_n2ex_gb_day_ahead_excerpt.csv")
        assert all(found[row["Date"], row["Delivery Period"]] == row["Price"] for row in wanted)
        assert len(found) == 44_256

    def test_the_recorded_body_is_what_would_be_said(self, recorded: Neso) -> None:
        Clock.now = NOW
        body = json.loads((FILES / "api_json/datastore_search_sql_eac_fy2025_aggregate.json").read_text())
        found = sql(recorded, body["result"]["sql"])
        assert found["fields"] == body["result"]["fields"]
        assert {type(value) for value in found["records"][0].values()} == {str}
        assert {row["last_end"] for row in found["records"]} == {"2026-03-31T22:00:00"}
        assert found["records"][0]["longest"] == "5:00:00"
