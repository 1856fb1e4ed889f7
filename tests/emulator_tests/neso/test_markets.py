"""Prices, auctions and flexibility."""

from collections import Counter
from datetime import UTC, datetime

from tests.emulator.neso import Neso
from tests.emulator.neso.published_demand import (
    HISTORIC,
    UPDATE,
)
from tests.emulator_tests.neso.asking import DFS, EAC, EAC_2024, EAC_2025, N2EX, Clock, get, result, rows, sql, types


class TestMarkets:
    def test_n2ex_hours_are_in_utc_and_end_today(self, neso: Neso) -> None:
        found = sql(neso, f'select "Date", "Delivery Period", "Price" from "{N2EX}" order by "_id"')["records"]
        assert (found[0]["Date"], found[0]["Delivery Period"]) == ("2021-09-20", "22:00 - 23:00")
        assert (found[-1]["Date"], found[-1]["Delivery Period"]) == ("2026-10-08", "21:00 - 22:00")
        assert len(found) == 44_256
        days = Counter(row["Date"] for row in found)
        assert days["2024-03-31"] == days["2024-10-27"] == 24
        prices = [row["Price"] for row in found]
        assert None in prices and "0.000000" in prices
        assert 100 < sum(float(price) < 0 for price in prices if price) < 3_000
        assert all(len(price.split(".")[1]) == 6 for price in prices if price)

    def test_flexibility(self, neso: Neso) -> None:
        columns = types(neso, DFS)
        assert (columns["Delivery Date"], columns["From_UTC"], columns["Event ID"]) == ("date", "text", "numeric")
        found = rows(neso, DFS)
        assert found[0]["Delivery Date"] >= "2026-04-01" and found[-1]["Delivery Date"] <= "2026-10-08"
        row = next(row for row in found if row["Delivery Date"] > "2026-06-01")
        assert int(row["From_Local"][:2]) - int(row["From_UTC"][:2]) == 1
        assert "Z12:0" in row["Zonal Cap"] and {one["Service Requirement Type"] for one in found} == {"Live", "Test"}

    def test_auctions_by_efa_block(self, neso: Neso) -> None:
        lengths = sql(
            neso,
            f'select "deliveryEnd" - "deliveryStart" l, count(distinct "deliveryStart") n from "{EAC_2025}" group by 1',
        )["records"]
        assert {row["l"]: row["n"] for row in lengths} == {"4:00:00": "2188", "3:00:00": "1", "5:00:00": "1"}
        ends = sql(neso, f'select max("deliveryEnd") e, min("clearingPrice") p from "{EAC_2025}"')["records"][0]
        assert ends["e"] == "2026-03-31T22:00:00" and float(ends["p"]) < 0
        assert sql(neso, f'select min("deliveryStart") s from "{EAC_2024}"')["records"] == [
            {"s": "2024-03-31T22:00:00"}
        ]

    def test_the_year_just_ended_stays_in_the_current_file_until_its_archive_appears(self, neso: Neso) -> None:
        first = f'select min("deliveryStart") s from "{EAC}"'
        Clock.now = datetime(2026, 4, 14, 15, tzinfo=UTC)
        assert get(neso, "resource_show", id=EAC_2025).status == 404
        assert "FY2025 (Archive)" not in get(neso, "package_show", id="eac-auction-results").body.decode()
        assert sql(neso, first)["records"] == [{"s": "2025-03-31T22:00:00"}]
        Clock.now = datetime(2026, 4, 15, 15, tzinfo=UTC)
        assert get(neso, "resource_show", id=EAC_2025).status == 200
        assert sql(neso, first)["records"] == [{"s": "2026-03-31T22:00:00"}]

    def test_the_file_of_a_year_is_made_weeks_after_it_began(self, neso: Neso) -> None:
        Clock.now = datetime(2025, 2, 14, 15, tzinfo=UTC)
        assert get(neso, "resource_show", id=HISTORIC[2025]).status == 404
        assert result(get(neso, "resource_search", query="name:Historic Demand Data 2025"))["count"] == 0
        january = rows(neso, UPDATE, """where "SETTLEMENT_DATE" = '2025-01-01'""")
        assert len(january) == 48, "until then its rows are here"
        Clock.now = datetime(2025, 2, 15, 15, tzinfo=UTC)
        assert rows(neso, HISTORIC[2025], "limit 1")
