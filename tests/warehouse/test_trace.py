"""`make trace`: from a value back to what the upstream sent."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.emulator import Emulator
from tests.energy import CLEAN_TABLES, Energy
from warehouse.errors import UsageError
from warehouse.trace import _key_columns, main, trace


@pytest.mark.slow
def test_a_value_is_traced_to_its_request(energy: Energy, emulator: Emulator) -> None:
    outcome = energy.refresh()
    start = energy.value("select min(period_start) from carbon_intensity_regional")
    with energy.database.connect() as connection:
        found = trace(connection, "carbon_intensity_regional", ["13", start.isoformat()])
    assert found["dataset"] == "carbon_intensity__regional"
    ((number, record),) = found["records"].items()
    body = energy.value("select payload from staging.carbon_intensity__regional_payloads")
    assert record["from"] == body["data"][number - 1]["from"]
    assert record["regionid"] == 13
    assert record["intensity"]["forecast"] == found["row"]["forecast_gco2_kwh"]
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
def test_what_cannot_be_traced_is_said(energy: Energy, table: str, key: list[str], words: str) -> None:
    with energy.database.connect() as connection, pytest.raises(UsageError, match=words):
        trace(connection, table, key)


NOT_SAID = {"payload_id", "is_synthetic", "fetched_at", "updated_at", "period_start", "period_end", "observed_at"}
ROWS_A_SOURCE = 8


def numbers_of(row: dict[str, Any], key: list[str]) -> set[float]:
    """Values of a row that only its record has: no key, no calendar."""
    return {
        float(value)
        for name, value in row.items()
        if isinstance(value, int | float | Decimal)
        and not isinstance(value, bool)
        and name not in NOT_SAID | {*key, "settlement_period", "region_id"}
    }


def leaves(part: Any) -> set[str]:
    if isinstance(part, dict):
        return set().union(*map(leaves, part.values()), set())
    if isinstance(part, list):
        return set().union(*map(leaves, part), set())
    return {str(part)}


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@pytest.mark.slow
def test_every_clean_table_is_traced_to_the_records_that_it_was_read_from(energy: Energy) -> None:
    """All tables that have a payload, by the database itself: a new one is tried without being named here."""
    assert energy.refresh()["failures"] == []
    with energy.database.connect() as connection:
        tables = [
            table
            for (table,) in connection.execute(
                "select table_name from information_schema.columns join pg_tables on tablename = table_name "
                "where table_schema = schemaname and schemaname = 'public' and column_name = 'payload_id' order by 1"
            )
        ]
        assert set(CLEAN_TABLES) <= set(tables)
        for table in tables:
            key = _key_columns(connection, table)
            source = "source" if connection.execute(
                "select from information_schema.columns where table_name = %s and column_name = 'source'", [table]
            ).fetchone() else "is_synthetic"  # fmt: skip
            rows = connection.execute(
                f"select {', '.join(key)} from (select *, row_number() over (partition by {source} order by md5(t::text)) "
                f"as place from public.{table} as t) as mixed where place <= {ROWS_A_SOURCE}"
            ).fetchall()
            assert rows, table
            for values in rows:
                given = [v.isoformat() if isinstance(v, datetime) else str(v) for v in values]
                found = trace(connection, table, given)
                records = list(found["records"].values())
                assert records, (table, given, found["dataset"])
                assert table == "grid_zones" or len(records) == 1, (table, given, found["records"])
                said = leaves(records)
                spelled = {float(text) for text in said if is_number(text)}
                wanted = numbers_of(found["row"], key)
                if given[:2] == ["nation", "scotland"]:  # which is what is left of Great Britain
                    record = records[0]
                    spelled.add(float(record["ND"]) - float(record["ENGLAND_WALES_DEMAND"]))
                if found["dataset"] != "neso__demand_forecast_cardinal":  # between its points demand is a line
                    assert wanted & spelled or not wanted, (table, given, wanted, records)


@pytest.mark.slow
def test_the_command_prints_the_trace_of_a_catalogue(
    energy: Energy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    energy.refresh("beckn")
    for table in ("grid_zones", "compute_windows", "grid_snapshots", "offers"):
        with energy.database.connect() as connection:
            key = _key_columns(connection, table)
            row = connection.execute(f"select {', '.join(key)} from {table} limit 1").fetchone()
        assert row
        given = [v.isoformat() if isinstance(v, datetime) else str(v) for v in row]
        monkeypatch.setattr("sys.argv", ["trace", table, *given])
        with pytest.raises(SystemExit, match="0"):
            main()
        printed = capsys.readouterr().out
        number, _, record = printed.split("Its records of that payload\n")[1].splitlines()[0].partition(": ")
        assert int(number) >= 1 and json.loads(record) and f"Row of public.{table}" in printed


@pytest.mark.slow
def test_an_offer_that_was_withdrawn_is_traced_to_the_window_that_no_longer_has_it(energy: Energy) -> None:
    energy.refresh("beckn")
    key = energy.query("select offer_id, window_id, observed_at, payload_id from offers limit 1")[0]
    with energy.database.connect() as connection:
        connection.execute(
            "update offers set is_withdrawn = true, price = null where (offer_id, window_id, observed_at) = (%s, %s, %s)",
            key[:3],
        )
        found = trace(connection, "offers", [key[0], key[1], key[2].isoformat()])
    (record,) = found["records"].values()
    assert record["beckn:id"] == key[1]
