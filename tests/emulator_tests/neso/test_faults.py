"""Bodies as each fault leaves them."""

import json
import re
from typing import Any

import pytest

from tests.emulator.neso import Neso
from tests.emulator.neso.published_demand import EMBEDDED, HISTORIC, UPDATE
from tests.emulator_tests.neso.asking import N2EX, get

DFS_REPORT = "3ebf77d7-05df-466e-a023-dc45a90efeea"


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
        assert len(records[0]["SETTLEMENT_DATE"]) == len("2026-10-01")
        flipped = spoiled("format_flip")["result"]["records"]
        assert flipped == [{**row, "SETTLEMENT_DATE": f"{row['SETTLEMENT_DATE']}T00:00:00"} for row in records]
        once = json.loads(body)["result"]["records"]
        assert spoiled("doubled")["result"]["records"] == once * 2

    @pytest.mark.parametrize(
        ("resource", "column", "form", "other"),
        [
            (EMBEDDED, "TIME_GMT", r"\d\d:\d\d", r"\d\d:\d\d:00"),
            (EMBEDDED, "SETTLEMENT_DATE", r"\d{4}-\d\d-\d\dT00:00:00", r"\d{4}-\d\d-\d\d"),
            (HISTORIC[2020], "SETTLEMENT_DATE", r"\d\d-[A-Z]{3}-2020", r"\d\d-[A-Z]{3}-20"),
            (DFS_REPORT, "From_UTC", r"\d\d:\d\d", r"\d\d:\d\d:00"),
        ],
    )
    def test_days_and_times_are_written_otherwise(
        self, neso: Neso, resource: str, column: str, form: str, other: str
    ) -> None:
        sql = f'select * from "{resource}" order by "_id" limit 40'
        body = get(neso, "datastore_search_sql", sql=sql).body
        flipped = neso.spoil("format_flip", body)

        def written(of: bytes) -> list[str]:
            return [row[column] for row in json.loads(of)["result"]["records"]]

        assert written(body) and all(re.fullmatch(form, text) for text in written(body)), written(body)[:2]
        assert all(re.fullmatch(other, text) for text in written(flipped)), written(flipped)[:2]
        back = written(neso.spoil("format_flip", flipped))
        assert back == written(body) or resource == HISTORIC[2020], "and back, unless the century is lost"

    def test_prices_stay_text_and_other_actions_as_they_are(self, neso: Neso) -> None:
        body = get(neso, "datastore_search_sql", sql=f'select * from "{N2EX}" order by "_id" limit 3').body
        assert json.loads(neso.spoil("absurd", body))["result"]["records"][0]["Price"] == "1000000000"
        shown = get(neso, "resource_show", id=N2EX).body
        assert neso.spoil("missing_key", shown) == shown
