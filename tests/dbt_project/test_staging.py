"""What the staging models make of odd payloads."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.dataset_facts import dataset_facts
from pipelines.catalogue import DATASETS
from tests.conftest import RECORDED_DIR, needs_recorded
from tests.energy import Energy
from tests.flows.test_door_and_sql import land
from tests.pipelines.hostile import Sample
from warehouse.periods import HALF_HOUR, Window, iso

START = datetime(2026, 11, 9, 10, tzinfo=UTC)


def test_of_two_outturns_of_a_half_hour_the_one_that_was_published_later_counts(energy: Energy) -> None:
    body = """{"data": [
        {"startTime": "2026-11-09T10:00:00Z", "publishTime": "2026-11-09T10:45:00Z", "initialDemandOutturn": 20000},
        {"startTime": "2026-11-09T10:00:00Z", "publishTime": "2026-11-09T10:30:00Z", "initialDemandOutturn": 30000},
        {"startTime": "2026-11-09T10:30:00Z", "publishTime": "2026-11-09T11:00:00Z", "initialDemandOutturn": 40000}
    ]}"""
    sample = Sample(DATASETS["elexon__demand_outturn"], Window(START, START + HALF_HOUR), None)
    land(energy, sample, {"": body.encode(), "empty": b'{"data": []}'})
    rows = energy.query(
        "select period_start, national_demand_mw from intermediate.stg_elexon__demand_outturn order by 1 nulls last"
    )
    assert rows == [(START, 20000), (START + HALF_HOUR, 40000), (None, None)], "a payload without a row is still one"


def mix(solar: float) -> str:
    shares = {"gas": 100 - solar, "solar": solar} | dict.fromkeys(
        ("biomass", "coal", "imports", "nuclear", "other", "hydro", "wind"), 0
    )
    return json.dumps([{"fuel": fuel, "perc": perc} for fuel, perc in shares.items()])


@pytest.mark.parametrize(
    ("start", "solar", "is_possible"),
    [
        ("2026-09-23T05:00Z", 78, False),  # the half-hours of that morning, with 19 and 22.5 GW of sun
        ("2026-09-23T05:30Z", 84, False),
        ("2026-06-21T12:00Z", 47, True),  # the most of 2026
        ("2026-06-21T12:00Z", 84, False),
        ("2026-12-21T12:00Z", 25, True),
        ("2026-12-21T22:00Z", 6, False),
        ("2026-06-21T03:30Z", 5, True),
    ],
)
@pytest.mark.parametrize("dataset", ["generation", "regional"])
def test_a_mix_with_more_sun_than_the_sun_can_give_is_a_fault(
    energy: Energy, dataset: str, start: str, solar: float, is_possible: bool
) -> None:
    begins = datetime.fromisoformat(start)
    span = f'"from": "{start}", "to": "{iso(begins + HALF_HOUR)}"'
    body = {
        "generation": f'{{"data": [{{{span}, "generationmix": {mix(solar)}}}]}}',
        "regional": f'{{"data": [{{{span}, "regions": [{{"regionid": 13, "shortname": "", '
        f'"intensity": {{"forecast": 390}}, "generationmix": {mix(solar)}}}]}}]}}',
    }[dataset]
    sample = Sample(DATASETS[f"carbon_intensity__{dataset}"], Window(begins, begins + HALF_HOUR), None)
    land(energy, sample, {"": body.encode()})
    (row,) = energy.query(f"select solar_pct, fault from intermediate.stg_carbon_intensity__{dataset}")
    if dataset == "regional" and begins.hour == 12:
        is_possible = True  # at noon a region may live by the sun
    assert row == ((solar, None) if is_possible else (None, "more solar than the sun can give"))


NESO_ROW = {
    "SETTLEMENT_PERIOD": 1, "ND": 30_000, "TSD": 31_000, "ENGLAND_WALES_DEMAND": 27_000, "EMBEDDED_WIND_GENERATION": 1_000,
    "FORECAST_ACTUAL_INDICATOR": "A",
}  # fmt: skip


@pytest.mark.parametrize("dataset", ["neso__demand_history", "neso__demand_update"])
@pytest.mark.parametrize(
    ("day", "period", "solar", "is_possible"),
    [
        ("2026-05-01", 1, 15_000, False),
        ("2026-05-01", 1, 22, True),  # the most of any night
        ("2026-05-01", 27, 15_000, True),
        ("2026-05-01", 27, 41_000, False),  # more than is installed
        ("2026-12-21", 16, 5_000, False),  # the sun has hardly risen
        ("2026-12-21", 25, 7_000, True),
    ],
)
def test_more_embedded_solar_than_the_sun_can_give_is_no_value(
    energy: Energy, dataset: str, day: str, period: int, solar: int, is_possible: bool
) -> None:
    row = {**NESO_ROW, "SETTLEMENT_DATE": day, "SETTLEMENT_PERIOD": period, "EMBEDDED_SOLAR_GENERATION": solar}
    body = json.dumps({"result": {"records": [row]}})
    land(energy, Sample(DATASETS[dataset], Window(START, START + HALF_HOUR), None), {"": body.encode()})
    found = energy.query(f"select national_demand_mw, embedded_solar_mw, fault from intermediate.stg_{dataset}")
    fault = "embedded solar outside 0..40000 MW" if solar > 40_000 else "more solar than the sun can give"
    assert found == [(30_000, solar, None) if is_possible else (30_000, None, fault)]


@needs_recorded
@pytest.mark.parametrize("name", ["2018", "2023", "2025", "2026_to_2026-02-06"])
def test_no_recorded_half_hour_has_more_embedded_solar_than_the_sun_can_give(energy: Energy, name: str) -> None:
    with ((RECORDED_DIR or Path()) / f"neso/historic_demand/demanddata_{name}.csv").open() as file:
        records = [
            {key: None if value == "NA" else value for key, value in row.items()} for row in csv.DictReader(file)
        ]
    body = json.dumps({"result": {"records": records}})
    sample = Sample(DATASETS["neso__demand_history"], Window(START, START + HALF_HOUR), None)
    land(energy, sample, {"": body.encode()})
    counted = energy.query(
        "select count(embedded_solar_mw), count(*) filter (where fault ~ 'sol') from intermediate.stg_neso__demand_history"
    )
    assert counted == [(len(records), 0)]


@pytest.mark.parametrize("dataset", ["generation", "regional"])
def test_no_synthetic_half_hour_has_more_sun_than_the_sun_can_give(energy: Energy, dataset: str) -> None:
    source = DATASETS[f"carbon_intensity__{dataset}"]
    step = 1 if dataset == "generation" else 11  # the regions differ by how much sun they have, not when
    half_hours = [datetime(2026, 1, 1, tzinfo=UTC) + n * HALF_HOUR for n in range(0, 365 * 48, step)]
    body = source.synthesize(half_hours, START)
    land(energy, Sample(source, Window(half_hours[0], half_hours[-1]), None), {"": json.dumps(body).encode()})
    counted = energy.query(f"select count(*), count(fault) from intermediate.stg_carbon_intensity__{dataset}")
    assert counted == [(len(half_hours) * dataset_facts()[source.slug].values_per_half_hour, 0)]


@needs_recorded
def test_no_recorded_half_hour_has_more_sun_than_the_sun_can_give(energy: Energy) -> None:
    assert RECORDED_DIR is not None
    with (RECORDED_DIR / "carbon_intensity/auxiliary/neso_historic_generation_mix_2026.csv").open() as file:
        rows = [(row["DATETIME"][:16].replace(" ", "T"), float(row["SOLAR_perc"])) for row in csv.DictReader(file)]
    begins = datetime.fromisoformat(f"{rows[0][0]}Z")
    data = ", ".join(
        f'{{"from": "{start}Z", "to": "{iso(datetime.fromisoformat(f"{start}Z") + HALF_HOUR)}", "generationmix": {mix(solar)}}}'
        for start, solar in rows
    )
    sample = Sample(DATASETS["carbon_intensity__generation"], Window(begins, begins + HALF_HOUR), None)
    land(energy, sample, {"": f'{{"data": [{data}]}}'.encode()})
    counted = energy.query("select count(*), count(fault) from intermediate.stg_carbon_intensity__generation")
    assert counted == [(len(rows), 0)] and len(rows) > 11_000
