"""Files of demand and of its forecasts, as what is known of NESO's."""

from collections import Counter
from datetime import timedelta

import pytest

from tests.emulator.neso import Neso
from tests.emulator.neso.published_demand import (
    HALF_HOURLY,
    HISTORIC,
    ONE_DAY,
    ONE_DAY_ARCHIVE,
    PERFORMANCE,
    UPDATE,
)
from tests.emulator_tests.neso.asking import NOW, Clock, rows, sql, types


class TestDemand:
    @pytest.mark.parametrize(
        ("year", "count", "first", "kind"),
        [
            (2002, 22, "2002-01-01", "date"), (2007, 22, "2007-01-01", "date"), (2010, 17, "2010-01-01", "date"),
            (2020, 21, "01-JAN-2020", "text"), (2024, 22, "2024-01-01", "date"), (2026, 23, "2026-01-01", "date"),
        ],
    )  # fmt: skip
    def test_each_year_has_the_layout_of_its_epoch(
        self, neso: Neso, year: int, count: int, first: str, kind: str
    ) -> None:
        columns = types(neso, HISTORIC[year])
        assert len(columns) == count
        assert columns["SETTLEMENT_DATE"] == kind
        assert columns["ND"] == "int4"
        row = rows(neso, HISTORIC[year], 'order by "_id" limit 1')[0]
        assert row["SETTLEMENT_DATE"] == first
        assert ("FORECAST_ACTUAL_INDICATOR" in columns) == (year == 2026)
        for name, type_ in columns.items():
            if type_ == "text" and name not in ("SETTLEMENT_DATE", "FORECAST_ACTUAL_INDICATOR"):
                assert row[name] == "NA"
        assert columns.get("SCOTTISH_TRANSFER") == {2002: "text", 2007: "text", 2010: None, 2020: None}.get(
            year, "int4"
        )

    def test_days_have_46_48_or_50_periods(self, neso: Neso) -> None:
        day_counts = sql(
            neso,
            'select "SETTLEMENT_DATE" d, count(*)::int4 n, max("SETTLEMENT_PERIOD") m, min("ND") least, max("ND") most '
            f'from "{HISTORIC[2024]}" group by 1',
        )["records"]
        assert Counter(day["n"] for day in day_counts) == {48: 364, 46: 1, 50: 1}
        assert {day["d"] for day in day_counts if day["n"] != 48} == {"2024-03-31", "2024-10-27"}
        assert all(day["n"] == day["m"] for day in day_counts)
        assert all(18_000 <= day["least"] <= day["most"] <= 45_500 for day in day_counts)

    def test_the_first_months_of_2005_have_no_tsd(self, neso: Neso) -> None:
        zeros = sql(neso, f'select count(*) from "{HISTORIC[2005]}" where "TSD" = 0')["records"]
        assert zeros == [{"count": "4318"}]

    def test_the_file_of_2018_has_the_faults_of_its_original(self, neso: Neso) -> None:
        june = rows(neso, HISTORIC[2018], """where "SETTLEMENT_DATE" = '10-JUN-2018'""")
        assert sorted(row["SETTLEMENT_PERIOD"] for row in june if row["TSD"] < row["ND"]) == [40, 41, 42, 43]
        october = rows(neso, HISTORIC[2018], """where "SETTLEMENT_DATE" = '02-OCT-2018'""")
        assert [row["SETTLEMENT_PERIOD"] for row in october if not row["ENGLAND_WALES_DEMAND"]] == [42]

    def test_the_current_year_lags_three_weeks(self, neso: Neso) -> None:
        last = sql(neso, f'select max("SETTLEMENT_DATE") d from "{HISTORIC[2026]}"')["records"]
        assert last == [{"d": "2026-09-17"}]

    def test_the_update_rolls_and_ends_in_forecasts(self, neso: Neso) -> None:
        found = rows(neso, UPDATE)
        assert list(types(neso, UPDATE))[:5] == [
            "SETTLEMENT_DATE", "SETTLEMENT_PERIOD", "ND", "FORECAST_ACTUAL_INDICATOR", "TSD",
        ]  # fmt: skip
        assert (found[0]["SETTLEMENT_DATE"], found[-1]["SETTLEMENT_DATE"], len(found)) == (
            "2026-09-01",
            "2026-10-15",
            2160,
        )
        actual = [row for row in found if row["FORECAST_ACTUAL_INDICATOR"] == "A"]
        assert (actual[-1]["SETTLEMENT_DATE"], actual[-1]["SETTLEMENT_PERIOD"]) == ("2026-10-08", 17)
        assert {(row["ND"], row["TSD"], row["IFA_FLOW"]) for row in actual[-2:]} == {(0, 500, 0)}
        assert all(row["EMBEDDED_WIND_GENERATION"] > 0 for row in found)
        assert all(18_000 < row["ND"] < row["TSD"] for row in actual[:-2])
        forecast = found[len(actual) :]
        assert {(row["ND"], row["TSD"], row["FORECAST_ACTUAL_INDICATOR"]) for row in forecast} == {(0, 0, "F")}

    def test_the_update_and_the_year_agree_but_for_what_is_embedded(self, neso: Neso) -> None:
        (joined,) = sql(
            neso,
            'select count(*)::int4 n, sum(abs(u."ND" - h."ND"))::int4 nd, sum(abs(u."EMBEDDED_SOLAR_CAPACITY" - '
            f'h."EMBEDDED_SOLAR_CAPACITY"))::int4 solar from "{UPDATE}" u join "{HISTORIC[2026]}" h '
            'using ("SETTLEMENT_DATE", "SETTLEMENT_PERIOD")',
        )["records"]
        assert joined["n"] == 17 * 48 and joined["nd"] == 0 and joined["solar"] > 0


class TestForecasts:
    def test_one_day_ahead_is_twelve_points_of_tomorrow(self, neso: Neso) -> None:
        found = rows(neso, ONE_DAY)
        assert {row["TARGETDATE"] for row in found} == {20261009}
        assert (len(found), found[0]["CP_ST_TIME"], found[0]["CP_END_TIME"]) == (12, "30", 30)
        assert all(18_000 < row["FORECASTDEMAND"] < 45_000 for row in found)

    def test_the_archive_goes_back_to_2018(self, neso: Neso) -> None:
        issued = f'select "TARGETDATE", "CARDINALPOINT", "F_Point", "FORECAST_TIMESTAMP" from "{ONE_DAY_ARCHIVE}" '
        first = sql(neso, issued + 'order by "_id" limit 1')["records"][0]
        assert (first["TARGETDATE"], first["F_Point"]) == ("2018-01-02", "NA")
        assert first["FORECAST_TIMESTAMP"].startswith("2018-01-01T08:")
        twice = sql(neso, issued + "where \"TARGETDATE\" = '2018-03-28' and \"CARDINALPOINT\" = '1F'")["records"]
        assert len(twice) == 2

    def test_half_hours_2_to_14_days_ahead_are_labelled_by_their_end(self, neso: Neso) -> None:
        Clock.now = NOW + timedelta(hours=4)
        found = rows(neso, HALF_HOURLY)
        assert (len(found), found[0]["DATE"], found[-1]["DATE"]) == (624, "2026-10-10", "2026-10-22")
        assert (found[0]["CTIME"], found[0]["GDATETIME"]) == (30, "2026-10-09T23:30:00")
        assert (found[47]["CTIME"], found[47]["GDATETIME"]) == (2400, "2026-10-10T23:00:00")

    @pytest.mark.slow
    def test_performance(self, neso: Neso) -> None:
        days = sql(
            neso,
            'select "Date" d, count(*)::int4 n, count(distinct "Settlement_Period")::int4 periods, '
            f'min("Datetime") first, min("Publish_Datetime") made from "{PERFORMANCE}" group by 1 order by 1',
        )["records"]
        assert (days[0]["d"], days[0]["first"], days[0]["made"]) == (
            "2021-04-01", "2021-04-01T00:30:00", "2021-03-31T09:45:00",
        )  # fmt: skip
        assert [day["d"] for day in days if day["n"] != day["periods"]] == ["2021-10-31", "2022-10-30"]
        assert Counter(day["n"] for day in days) == {48: 2006, 46: 5, 50: 5, 20: 1}
        sample = rows(neso, PERFORMANCE, 'order by "_id" limit 1')[0]
        assert abs(sample["Demand_Forecast"] - sample["Demand_Outturn"]) == sample["Absolute_Error"]
        assert isinstance(sample["APE"], str)
