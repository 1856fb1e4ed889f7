"""The emulated portal keeps CKAN's contract, and its tables what is known of NESO's files."""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.conftest import RECORDED_DIR, needs_recorded
from tests.emulator.neso import Neso
from tests.emulator.neso.published_demand import (
    HALF_HOURLY,
    HISTORIC,
    ONE_DAY,
    ONE_DAY_ARCHIVE,
    PERFORMANCE,
    SEVEN_DAYS,
    UPDATE,
)
from tests.emulator.protocol import Asked, Reply
from warehouse.database import Database

N2EX = "4f27eea5-7038-4f73-9740-e3e4ad47c26a"
EAC = "596f29ac-0387-4ba4-a6d3-95c243140707"
EAC_2024, EAC_2025 = "ab130833-3ce4-4361-90fb-69fa3cf30f15", "be55ee51-b79e-47da-b71e-a0f8865d9d66"
DFS = "3635fd80-49d7-4d02-964d-cc8c08d50302"
OTHER_ID = "00000000-1111-2222-3333-444444444444"
FILES = (RECORDED_DIR or Path()) / "neso"
NOW = datetime(2026, 10, 8, 12, 35, tzinfo=UTC)


class Clock:
    now = NOW


@pytest.fixture(scope="module")
def portal(server: Database) -> Iterator[Neso]:
    portal = Neso(None, lambda: Clock.now, server)
    yield portal
    portal.close()


@pytest.fixture
def neso(portal: Neso) -> Neso:
    portal.reset()
    Clock.now = NOW
    return portal


@pytest.fixture(scope="module")
def recorded(server: Database) -> Iterator[Neso]:
    portal = Neso(RECORDED_DIR, lambda: Clock.now, server)
    yield portal
    portal.close()


def get(neso: Neso, action: str, **parameters: object) -> Reply:
    return neso.answer(Asked("GET", f"/api/3/action/{action}?{urlencode(parameters)}"))


def post(neso: Neso, action: str, body: bytes) -> Reply:
    return neso.answer(Asked("POST", f"/api/3/action/{action}", body, "application/json"))


def result(reply: Reply) -> Any:
    assert reply.status == 200, reply.body
    document = json.loads(reply.body)
    assert document["success"] is True
    return document["result"]


def error(reply: Reply) -> tuple[int, Any]:
    document = json.loads(reply.body)
    assert document["success"] is False
    assert document["help"].startswith("https://api.neso.energy/api/3/action/help_show?name=")
    return reply.status, document["error"]


def sql(neso: Neso, statement: str) -> Any:
    return result(get(neso, "datastore_search_sql", sql=statement))


def rows(neso: Neso, resource_id: str, more: str = 'order by "_id"') -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = sql(neso, f'select * from "{resource_id}" {more}')["records"]
    return records


def types(neso: Neso, resource_id: str) -> dict[str, str]:
    fields = sql(neso, f'select * from "{resource_id}" limit 0')["fields"]
    return {field["id"]: field["type"] for field in fields if not field["id"].startswith("_")}


class TestSql:
    def test_what_a_result_holds(self, neso: Neso) -> None:
        statement = f'SELECT "SETTLEMENT_DATE", "ND", "FORECAST_ACTUAL_INDICATOR" FROM "{UPDATE}" LIMIT 2'
        found = sql(neso, statement)
        assert set(found) == {"records", "fields", "sql"}
        assert found["sql"] == statement
        assert found["fields"] == [
            {"type": "date", "id": "SETTLEMENT_DATE"},
            {"type": "int4", "id": "ND"},
            {"type": "text", "id": "FORECAST_ACTUAL_INDICATOR"},
        ]

    def test_values_are_numbers_or_text_by_their_type(self, neso: Neso) -> None:
        (record,) = sql(
            neso,
            'select "deliveryStart" s, "deliveryEnd" - "deliveryStart" i, "clearingPrice" p, "auctionID" n, 1.5::float8 f, '
            f'count(*) over () c, "linkedServiceWindowID" x, now()::date d from "{EAC}" order by "_id" limit 1',
        )["records"]
        assert record["s"] == "2026-03-31T22:00:00"
        assert record["i"] == "4:00:00"
        assert isinstance(record["p"], str) and float(record["p"])
        assert isinstance(record["n"], int)
        assert record["f"] == 1.5
        assert isinstance(record["c"], str) and int(record["c"]) > 10_000
        assert record["x"] is None
        assert date.fromisoformat(record["d"])

    def test_a_star_brings_the_columns_of_ckan_too(self, neso: Neso) -> None:
        record = rows(neso, HALF_HOURLY, "limit 1")[0]
        assert {"_id", "_full_text", "DATE", "CTIME", "GDATETIME", "NATIONALDEMAND"} == set(record)
        assert isinstance(record["_full_text"], str)

    def test_keys_and_rows_come_in_no_order_unless_asked_for(self, neso: Neso) -> None:
        found = sql(neso, f'select * from "{UPDATE}" limit 200')
        assert list(found["records"][0]) != [field["id"] for field in found["fields"]]
        numbers = [record["_id"] for record in found["records"]]
        assert numbers != sorted(numbers)
        assert numbers == [record["_id"] for record in sql(neso, f'select * from "{UPDATE}" limit 200')["records"]]

    def test_whole_years_come_in_one_answer(self, neso: Neso) -> None:
        found = sql(neso, f'select "SETTLEMENT_DATE", "ND" from "{HISTORIC[2024]}"')
        assert len(found["records"]) == 17_568

    def test_by_post(self, neso: Neso) -> None:
        body = json.dumps({"sql": f'select count(*) from "{ONE_DAY}"'}).encode()
        assert result(post(neso, "datastore_search_sql", body))["records"] == [{"count": "12"}]

    def test_jsonp(self, neso: Neso) -> None:
        reply = get(neso, "status_show", callback="told")
        assert reply.body.startswith(b"told({") and reply.body.endswith(b"});")

    def test_what_is_refused(self, neso: Neso) -> None:
        def refused(statement: str) -> tuple[int, Any]:
            return error(get(neso, "datastore_search_sql", sql=statement))

        assert error(get(neso, "datastore_search_sql")) == (
            409,
            {"__type": "Validation Error", "sql": ["Missing value"]},
        )
        assert refused("select 1; select 2")[1]["query"] == ["Query is not a single statement."]
        status, unknown = refused(f'select 1 from "{OTHER_ID}"')
        assert (status, unknown["__type"]) == (409, "Validation Error")
        assert f'relation "{OTHER_ID}" does not exist' in unknown["query"][0]
        assert set(unknown["info"]) == {"statement", "params", "orig"}
        assert "EXPLAIN" not in json.dumps(unknown)
        assert 'column "nd" does not exist' in refused(f'select ND from "{UPDATE}"')[1]["query"][0]
        assert refused(f'selec "ND" from "{UPDATE}"')[0] == 409
        assert refused("select query_to_xml('select 1', true, true, '')") == (
            403,
            {
                "__type": "Authorization Error",
                "message": "Access denied: {'permissions': ['Not authorized to call function query_to_xml']}",
            },
        )
        assert refused("select 1 where pg_sleep(1) is null")[0] == 403
        assert refused("select usename from pg_user")[0] == 403
        assert refused(f'delete from "{UPDATE}"')[0] == 403
        assert get(neso, "datastore_search_sql", sql=f'select 1 from "{UPDATE}" where "ND" = \'x\'').status == 500

    def test_what_takes_too_long(self, neso: Neso) -> None:
        neso.timeout_seconds = 0.05
        slow = "select count(*) from generate_series(1, 100000000) a"
        assert error(get(neso, "datastore_search_sql", sql=slow)) == (
            409,
            {"__type": "Validation Error", "query": ["Query took too long"]},
        )

    def test_many_at_once(self, neso: Neso) -> None:
        neso.drop_column(EAC, "linkedServiceWindowID")
        statement = f'select count(*)::int4 n, min("_id") least from "{EAC}"'
        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(lambda _: sql(neso, statement)["records"], range(16)))
        assert found == [[{"n": found[0][0]["n"], "least": 1}]] * 16

    def test_without_a_database(self) -> None:
        neso = Neso(None, lambda: NOW, None)
        assert get(neso, "datastore_search_sql", sql="select 1").status == 503
        assert get(neso, "status_show").status == 200


class TestSearch:
    def test_what_a_result_holds(self, neso: Neso) -> None:
        found = result(get(neso, "datastore_search", resource_id=N2EX, limit=5, sort='"Date" desc, _id desc'))
        assert set(found) == {
            "resource_id", "records_format", "include_total", "records", "fields", "_links", "total", "limit", "sort",
        }  # fmt: skip
        assert found["fields"][0] == {"id": "_id", "type": "int"}
        assert [(f["id"], f["type"]) for f in found["fields"][1:]] == [
            ("Date", "date"), ("Delivery Period", "text"), ("Price", "numeric"),
        ]  # fmt: skip
        assert found["records"][0]["Delivery Period"] == "21:00 - 22:00"
        assert isinstance(found["records"][0]["Price"], float)
        assert found["_links"]["next"].startswith("/api/3/action/datastore_search?")
        assert "offset=5" in found["_links"]["next"] and "prev" not in found["_links"]
        assert found["total"] > 40_000

    def test_pages(self, neso: Neso) -> None:
        first = result(get(neso, "datastore_search", resource_id=HALF_HOURLY, sort="_id"))
        assert (len(first["records"]), first["total"]) == (100, 624)
        assert first["records"][0]["GDATETIME"].endswith("T23:30:00")
        past = result(get(neso, "datastore_search", resource_id=HALF_HOURLY, offset=700, limit=50))
        assert past["records"] == [] and "offset=650" in past["_links"]["prev"] and "next" in past["_links"]

    def test_filters_fields_and_words(self, neso: Neso) -> None:
        found = result(
            get(neso, "datastore_search", resource_id=UPDATE, fields="ND,SETTLEMENT_PERIOD", sort="SETTLEMENT_PERIOD",
                filters=json.dumps({"SETTLEMENT_DATE": "2026-09-02", "SETTLEMENT_PERIOD": [1, 2]}))
        )  # fmt: skip
        assert [record["SETTLEMENT_PERIOD"] for record in found["records"]] == [1, 2]
        assert set(found["records"][0]) == {"ND", "SETTLEMENT_PERIOD"}
        dr = result(get(neso, "datastore_search", resource_id=EAC, q="DRH", limit=3))
        assert {record["auctionProduct"] for record in dr["records"]} == {"DRH"}
        lists = result(get(neso, "datastore_search", resource_id=ONE_DAY, records_format="lists", sort="_id"))
        assert lists["records"][0][:2] == [1, 1]
        text = result(get(neso, "datastore_search", resource_id=ONE_DAY, records_format="csv", limit=1, sort="_id"))
        assert text["records"].startswith("1,1,20261009,")

    def test_what_is_refused(self, neso: Neso) -> None:
        assert error(get(neso, "datastore_search"))[1]["resource_id"] == ["Missing value"]
        assert error(get(neso, "datastore_search", resource_id=OTHER_ID)) == (
            404,
            {"__type": "Not Found Error", "message": f'Not found: Resource "{OTHER_ID}" was not found.'},
        )
        for parameters in (
            {"nonsense": 1}, {"sort": "nope"}, {"fields": "nope"}, {"filters": '{"nope": 1}'}, {"limit": "-1"},
        ):  # fmt: skip
            assert error(get(neso, "datastore_search", resource_id=UPDATE, **parameters))[0] == 409


class TestPortal:
    def test_packages_and_resources_are_found(self, neso: Neso) -> None:
        found = result(get(neso, "package_search", q="price"))
        names = {package["name"] for package in found["results"]}
        assert found["count"] > 3
        assert "day-ahead-power-exchange-prices-nordpool" in names
        assert result(get(neso, "package_search", q="N2EX Price", rows=0))["count"] == 1
        assert result(get(neso, "package_search", q="price nonsense"))["results"] == []
        assert result(get(neso, "package_search", q="*:*", fq="organization:dfs"))["count"] == 2
        package = result(get(neso, "package_show", id="historic-demand-data"))
        assert result(get(neso, "package_show", id=package["id"])) == package
        assert package["organization"]["name"] == "demand"
        ids = {item["name"]: item["id"] for item in package["resources"]}
        assert ids["Historic Demand Data 2018"] == HISTORIC[2018]
        assert result(get(neso, "resource_search", query="name:n2ex"))["results"][0]["name"].startswith(" N2EX")
        assert package["name"] in result(get(neso, "package_list"))
        assert len(result(get(neso, "organization_list"))) == 16
        assert result(get(neso, "status_show"))["ckan_version"] == "2.8.7"
        frictionless = result(get(neso, "datapackage_show", id="daily-demand-update"))["resources"][0]
        assert (frictionless["name"], frictionless["title"]) == ("demand_data_update", "Demand Data Update")
        assert frictionless["path"].endswith("demanddataupdate.csv")

    def test_a_resource_tells_when_it_changed(self, neso: Neso) -> None:
        def modified(resource_id: str) -> Any:
            return result(get(neso, "resource_show", id=resource_id))["last_modified"]

        assert modified(UPDATE) == "2026-10-08T08:20:19.247563"
        before = modified(HISTORIC[2018]), modified(N2EX), modified(HISTORIC[2026]), rows(neso, ONE_DAY)
        Clock.now = NOW + timedelta(days=1)
        assert modified(UPDATE) == "2026-10-09T08:20:19.247563"
        assert (modified(HISTORIC[2018]), modified(N2EX)) == before[:2]
        assert modified(HISTORIC[2026]) > before[2]
        assert rows(neso, ONE_DAY) != before[3], "the table is as of now"
        assert (NOW - datetime.fromisoformat(before[1]).replace(tzinfo=UTC)).days > 7, "N2EX is stale"
        bsad = result(get(neso, "package_show", id="aggregated-bsad"))["resources"]
        assert {item["last_modified"] for item in bsad} == {None}

    def test_what_is_refused(self, neso: Neso) -> None:
        assert error(get(neso, "package_show", id="nope")) == (
            404,
            {"__type": "Not Found Error", "message": "Not found"},
        )
        assert error(get(neso, "resource_show"))[0] == 409
        unknown = get(neso, "nonexistent_action")
        assert (unknown.status, json.loads(unknown.body)) == (
            400,
            "Bad request - Action name not known: nonexistent_action",
        )
        malformed = post(neso, "package_show", b"{")
        assert malformed.status == 400 and json.loads(malformed.body).startswith("Bad request - JSON Error")
        assert error(get(neso, "package_search", q='"open'))[1]["__type"] == "Search Query Error"

    def test_another_path_is_a_page(self, neso: Neso) -> None:
        reply = neso.answer(Asked("GET", "/openapi.json"))
        assert (reply.status, reply.content_type) == (200, "text/html; charset=utf-8")
        assert b"404 Not Found" in reply.body

    def test_limits_are_counted(self, neso: Neso) -> None:
        for _ in range(3):
            get(neso, "status_show")
            sql(neso, f'select count(*) from "{ONE_DAY}"')
        assert neso.calls == {"ckan": 3, "datastore": 3}
        assert neso.over_limit == {"ckan": 2, "datastore": 1}

    def test_limits_are_enforced_on_demand(self, neso: Neso) -> None:
        neso.enforces_limits = True
        asked = [get(neso, "datastore_search_sql", sql=f'select 1 from "{ONE_DAY}"') for _ in range(3)]
        assert [reply.status for reply in asked] == [200, 200, 403]
        assert asked[2].content_type.startswith("text/html")
        assert [get(neso, "status_show").status for _ in range(2)] == [200, 403]
        neso.reset()
        assert get(neso, "status_show").status == 200 and neso.over_limit.total() == 0


class TestChanges:
    def test_a_resource_moves(self, neso: Neso) -> None:
        before = rows(neso, ONE_DAY)
        neso.moved(ONE_DAY, OTHER_ID)
        assert rows(neso, OTHER_ID) == before
        assert error(get(neso, "datastore_search_sql", sql=f'select 1 from "{ONE_DAY}"'))[0] == 409
        assert error(get(neso, "datastore_search", resource_id=ONE_DAY))[0] == 404
        assert error(get(neso, "resource_show", id=ONE_DAY))[0] == 404
        ids = {
            r["name"]: r["id"] for r in result(get(neso, "package_show", id="1-day-ahead-demand-forecast"))["resources"]
        }
        assert ids["Day Ahead National Demand Forecast"] == OTHER_ID
        neso.reset()
        assert rows(neso, ONE_DAY) == before
        assert error(get(neso, "datastore_search_sql", sql=f'select 1 from "{OTHER_ID}"'))[0] == 409

    def test_a_column_goes(self, neso: Neso) -> None:
        neso.drop_column(ONE_DAY, "F_Point")
        assert "F_Point" not in types(neso, ONE_DAY)
        neso.drop_column(ONE_DAY, "CP_TYPE")
        assert not {"F_Point", "CP_TYPE"} & set(types(neso, ONE_DAY))
        neso.reset()
        assert "F_Point" in types(neso, ONE_DAY)

    def test_other_rows(self, neso: Neso) -> None:
        neso.put(N2EX, [{"Date": "2026-10-09", "Delivery Period": "00:00 - 01:00", "Price": None}])
        assert [row["Price"] for row in rows(neso, N2EX)] == [None]
        neso.reset()
        neso.put(N2EX, [{"Price": 3, "Note": "x"}], {"Price": "int4", "Note": "text"})
        assert types(neso, N2EX) == {"Price": "int4", "Note": "text"}
        assert result(get(neso, "resource_show", id=N2EX))["last_modified"] == "2026-10-08T12:35:00.000000"
        neso.put(OTHER_ID, [{"a": 1, "b": 1.5, "c": date(2026, 1, 1), "d": "x"}])
        assert types(neso, OTHER_ID) == {"a": "int4", "b": "numeric", "c": "date", "d": "text"}

    def test_the_database_goes_when_closed(self, server: Database) -> None:
        neso = Neso(None, lambda: NOW, lambda: server)
        rows(neso, ONE_DAY)
        database = neso._filled._database
        assert database is not None
        neso.close()
        with server.connect() as connection:
            found = connection.execute("select 1 from pg_database where datname = %s", [database.name])
            assert found.fetchone() is None
        assert replace(database, name=server.name) == server


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


class TestFaults:
    def test_each_kind(self, neso: Neso) -> None:
        body = get(neso, "datastore_search_sql", sql=f'select * from "{UPDATE}" order by "_id" limit 40').body

        def spoiled(kind: str) -> Any:
            return json.loads(neso.spoil(kind, body))

        records = json.loads(body)["result"]["records"]
        assert spoiled("empty_object") == {}
        assert spoiled("empty")["result"]["records"] == []
        assert spoiled("error_200")["success"] is False
        assert [len(set(records[20]) - set(row)) for row in spoiled("missing_key")["result"]["records"]].count(1) == 1
        assert spoiled("changed_type")["result"]["records"][-1]["ND"] == "unknown"
        duplicate = spoiled("duplicate")["result"]["records"]
        assert len(duplicate) == 41 and duplicate[20]["_id"] == duplicate[21]["_id"]
        assert duplicate[20]["ND"] == duplicate[21]["ND"] + 9
        assert spoiled("revised")["result"]["records"][0]["ND"] == records[0]["ND"] + 3
        assert spoiled("revised")["result"]["records"][0]["SETTLEMENT_PERIOD"] == records[0]["SETTLEMENT_PERIOD"]
        assert spoiled("absurd")["result"]["records"][0]["ND"] == 9_999_999
        assert "\\u0000" in neso.spoil("nul", body).decode()
        assert len(spoiled("short_horizon")["result"]["records"]) == 23
        once = json.loads(body)["result"]["records"]
        assert spoiled("doubled")["result"]["records"] == once * 2

    def test_prices_stay_text_and_other_actions_as_they_are(self, neso: Neso) -> None:
        body = get(neso, "datastore_search_sql", sql=f'select * from "{N2EX}" order by "_id" limit 3').body
        assert json.loads(neso.spoil("absurd", body))["result"]["records"][0]["Price"] == "1000000000"
        shown = get(neso, "resource_show", id=N2EX).body
        assert neso.spoil("missing_key", shown) == shown


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
