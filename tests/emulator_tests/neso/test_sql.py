"""`datastore_search_sql` keeps CKAN's contract."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

from tests.emulator.neso import Neso
from tests.emulator.neso.published_demand import (
    HALF_HOURLY,
    HISTORIC,
    ONE_DAY,
    UPDATE,
)
from tests.emulator_tests.neso.asking import EAC, NOW, OTHER_ID, error, get, post, result, rows, sql


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
        reply = get(neso, "status_show", callback="handle")
        assert reply.body.startswith(b"handle({") and reply.body.endswith(b"});")

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
