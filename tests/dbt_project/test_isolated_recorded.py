"""How many recorded half-hours the rules of plausibility touch. docs/decisions/isolated_values.md has these figures."""

import csv
import gzip
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import pytest

from tests.conftest import RECORDED_DIR, needs_recorded
from tests.dbt_project.test_isolated import BOUND, flagged, isolated, put
from tests.dbt_project.test_isolated_ends import NOW, national, publish_all, put_at
from tests.emulator.carbon_intensity.recorded import load
from tests.energy import Energy
from tests.flows.test_backfill import is_contradicted
from warehouse.periods import HALF_HOUR


def recorded(name: str, column: str, start: str) -> dict[datetime, int | None]:
    assert RECORDED_DIR is not None
    path = Path(RECORDED_DIR) / name
    with gzip.open(path, "rt") if name.endswith(".gz") else path.open() as file:
        rows: Iterable[dict[str, str]] = list(csv.DictReader(file))
    found = {}
    for row in rows:
        at = datetime.fromisoformat(row[start].replace(" ", "T").replace("Z", "+00:00"))
        found[at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)] = (
            round(float(row[column])) if row[column] else None
        )
    return found


YEAR = "carbon_intensity/timeseries/national_2023_full.csv", "from"
YEARS = "vintages/ci_national_final_2024_2025.csv.gz", "period_start"
MIX = "carbon_intensity/auxiliary/neso_historic_generation_mix_2026.csv", "DATETIME"
MEASURED = {
    ("forecast", *YEAR): 18,
    ("actual", *YEAR): 1,
    ("forecast_posthoc", *YEARS): 23,
    ("actual", *YEARS): 0,
    ("CARBON_INTENSITY", *MIX): 4,
}


@pytest.mark.slow
@needs_recorded
@pytest.mark.parametrize(("column", "name", "start"), MEASURED)
def test_how_many_recorded_half_hours_the_rule_touches(energy: Energy, column: str, name: str, start: str) -> None:
    series = recorded(name, column, start)
    if column == "actual":  # a measured 0 is a fault of its own
        series = {at: value or None for at, value in series.items()}
    put(energy, series, actual=column == "actual")
    found = flagged(energy)
    assert found == isolated(series)
    assert len(found) == MEASURED[column, name, start]


def withheld_if_the_response_ended_here(series: Mapping[datetime, int | None]) -> int:
    """How many of the half-hours would be withheld if they were the last of a response, and no response before held them."""
    count = 0
    for last, value in series.items():
        before, second_before = series.get(last - HALF_HOUR), series.get(last - 2 * HALF_HOUR)
        if value is None or before is None:
            continue
        pair = (value, before)
        count += abs(value - before) >= BOUND or (
            second_before is not None and (second_before - max(pair) >= BOUND or min(pair) - second_before >= BOUND)
        )
    return count


AT_ENDS = {"forecast": 95, "forecast_posthoc": 119}


@needs_recorded
@pytest.mark.parametrize("column", AT_ENDS)
def test_how_many_recorded_half_hours_would_be_withheld_at_an_end(column: str) -> None:
    (key,) = [key for key in MEASURED if key[0] == column]
    series = recorded(key[1], key[0], key[2])
    assert withheld_if_the_response_ended_here(series) == AT_ENDS[column]


@pytest.mark.slow
@needs_recorded
def test_how_many_ends_of_recorded_forecasts_the_rule_touches(energy: Energy) -> None:
    """69 responses of two days, as someone captured them one after another."""
    assert RECORDED_DIR is not None
    with gzip.open(Path(RECORDED_DIR) / "vintages/ci_national_vintages.csv.gz", "rt") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: (row["captured_at"], row["period_start"]))
    for captured_at, captured in groupby(rows, key=lambda row: row["captured_at"]):
        half_hours = list(captured)
        body = national(
            [int(row["forecast_gco2_kwh"]) for row in half_hours], datetime.fromisoformat(half_hours[0]["period_start"])
        )
        put_at(energy, datetime.fromisoformat(captured_at), body)
    publish_all()
    found = energy.query(
        "select (are_isolated)[1], (are_isolated)[cardinality(are_isolated)], (are_isolated)[cardinality(are_isolated) - 1], "
        "(select count(*) from unnest(are_isolated) as flag where flag) from carbon_intensity_captures"
    )
    assert [len(found), *(sum(each) for each in zip(*found, strict=True))] == [69, 3, 0, 0, 11]


# year -> (rows, those that their own mix contradicts, isolated ones, those that would be withheld as the last of a response)
REGIONS = {2020: (1728, 62, 4, 73), 2023: (1746, 0, 3, 32)}


@pytest.mark.slow
@needs_recorded
@pytest.mark.parametrize("year", REGIONS)
def test_how_many_recorded_rows_of_regions_the_rules_touch(energy: Energy, year: int) -> None:
    assert RECORDED_DIR is not None
    rows = {at: both[0] for at, both in load(RECORDED_DIR).rows["regional"].items() if (at + HALF_HOUR).year == year}
    put_at(energy, NOW, {"carbon_intensity__regional": {"data": list(rows.values())}})
    publish_all()
    sent: dict[int, dict[datetime, int | None]] = {}
    impossible = set()
    for at, row in rows.items():
        for region in row["regions"]:
            sent.setdefault(region["regionid"], {})[at] = region["intensity"]["forecast"]
            if is_contradicted(region):
                impossible.add((region["regionid"], at))
    apart = {(region, at) for region, series in sent.items() for at in isolated(series)}
    at_an_end = sum(map(withheld_if_the_response_ended_here, sent.values()))
    assert (sum(map(len, sent.values())), len(impossible), len(apart), at_an_end) == REGIONS[year]
    touched = "select region_id, period_start from carbon_intensity_regional where {}"
    assert set(energy.query(touched.format("forecast_gco2_kwh is null"))) == impossible
    assert set(energy.query(touched.format("is_isolated"))) == apart - impossible
