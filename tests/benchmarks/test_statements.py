"""The benchmarks' own SQL fits the tables as they are now, so that a column that is added breaks a test and not a measurement."""

from datetime import date

import pytest

from benchmarks import captures, floor, row_by_row, series, service, waiting, worked, year
from tests.emulator import Emulator
from tests.energy import Energy

DAY = date(2024, 1, 1)
ROWS = 48 * 18
TABLES = {"intensity": "carbon_intensity_regional", "mix": "generation_mix_regional"}
OWN = ("intensity_index", "is_isolated", "payload_id", "fetched_at", "updated_at")
"""Columns that the floor reads from the response, leaves out or fills in its own way"""

GENERATED = {
    "captures": (
        captures.CAPTURES % {"half_hours": 3},
        ("intermediate.int_carbon_intensity__captures", "carbon_intensity_regional", "carbon_intensity_national"),
    ),
    "captures, two years before": (
        captures.CAPTURES % {"half_hours": 4} + captures.TWO_YEARS_BEFORE,
        ("intermediate.int_carbon_intensity__captures",),
    ),
    "captures, what waits": (captures.SUBMITTED % {"more": 2}, ("app.compute_workloads",)),
    "worked": (
        # a day of requests
        worked.FILL % {"finished": 20, "users": 20, "years": "0, days => 1"},
        (
            "app.compute_workloads", "app.workload_placements", "app.placement_chunks", "app.receipts",
            "app.agent_negotiations", "app.workload_counts", "ops.fetches",
        ),
    ),
    "service": (service.BARE, ()),
    "service, five years": (
        service.FIVE_YEARS.replace("87600", "2"), ("carbon_intensity_regional", "wholesale_prices"),
    ),
    "series": (series.YEAR.replace("17519", "1"), ("carbon_intensity_regional",)),
    "waiting": (
        f"{waiting.OPERATOR}; {waiting.FILL % {'rows': 2}}", ("app.compute_workloads", "app.workload_placements"),
    ),
}  # fmt: skip
"""What a benchmark fills tables with, as few rows of it as there can be; and the tables that then have more"""


@pytest.mark.slow
def test_the_floor_holds_what_the_clean_tables_hold(
    energy: Energy, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(year, "YEAR", (DAY, DAY))
    (body,) = year.year_bodies(emulator)
    assert energy.backfill(str(DAY), str(DAY), year.REGIONAL.slug)["failures"] == []
    with energy.database.connect() as connection:
        steps = floor.measure(connection, [body])
        assert set(steps) == {"copy", "intensity", "mix"} and all(seconds > 0 for seconds in steps.values())
        for name, table in TABLES.items():
            values = f"to_jsonb(one) - array[{', '.join(map(repr, OWN))}]"
            (missing,) = connection.execute(
                f"select count(*) from (select {values} from public.{table} as one where period_start < '2024-01-02' "
                f"except select {values} from floor.{name} as one) as missing"
            ).fetchone()  # fmt: skip
            (there,) = connection.execute(f"select count(*) from floor.{name}").fetchone()
            assert (missing, there) == (0, ROWS), table
        assert row_by_row.measure(connection, body) > 0
        for name in TABLES:
            assert connection.execute(f"select count(*) from floor.{name}").fetchone() == (ROWS,)


@pytest.mark.slow
def test_rows_that_benchmarks_make_up_fit_the_tables(energy: Energy) -> None:
    energy.refresh("elexon__demand_outturn")  # a run to which requests belong, and no row of these tables
    for name, (statements, tables) in GENERATED.items():
        before = {table: energy.value(f"select count(*) from {table}") for table in tables}
        with energy.database.connect() as connection, connection.transaction():
            for statement in statements.split(";\n"):
                connection.execute(statement)
        for table, rows in before.items():
            assert energy.value(f"select count(*) from {table}") > rows, f"{name}: {table}"
