"""`datastore_search` keeps CKAN's contract."""

import json

from tests.emulator.neso import Neso
from tests.emulator.neso.published_demand import (
    HALF_HOURLY,
    ONE_DAY,
    UPDATE,
)
from tests.emulator_tests.neso.asking import EAC, N2EX, OTHER_ID, error, get, result


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
