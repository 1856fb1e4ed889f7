"""`backfill`, end to end: recorded data row by row, gaps, what is there already, and kills at any moment."""

import csv
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import RECORDED_DIR, needs_recorded
from tests.emulator import Emulator
from tests.emulator.carbon_intensity.recorded import load, number
from tests.energy import CARBON_TABLES, Energy, contents
from tests.flows import killing

GAP = (datetime(2023, 10, 20, 22, tzinfo=UTC), datetime(2023, 10, 22, 19, 30, tzinfo=UTC))


@pytest.fixture
def recorded(energy: Energy, recorded_emulator: Emulator) -> Energy:
    """The flows against what was recorded."""
    energy.set(**recorded_emulator.settings)
    return energy


@pytest.mark.slow
@needs_recorded
def test_a_recorded_year_row_by_row_with_its_gap(recorded: Energy, recorded_emulator: Emulator) -> None:
    recorded.set(SYNTHETIC_FALLBACK="off")
    recorded.backfill("2023-01-01", "2023-12-31", "carbon_intensity_national")
    assert RECORDED_DIR is not None
    with (RECORDED_DIR / "carbon_intensity/timeseries/national_2023_full.csv").open() as file:
        wanted = {
            datetime.fromisoformat(row["from"]): (
                int(row["forecast"]),
                (int(float(row["actual"])) or None)
                if row["actual"]
                else None,  # an actual of 0 is the upstream's fault
            )
            for row in csv.DictReader(file)
        }
    wanted.pop(datetime(2022, 12, 31, 23, 30, tzinfo=UTC))
    got = {
        start: (forecast, actual)
        for start, forecast, actual in recorded.query(
            "select period_start, forecast_gco2_kwh, actual_gco2_kwh from carbon_intensity_national"
        )
    }
    assert got == wanted
    assert len(got) == 17_429
    assert len(recorded_emulator.requests) == 27
    assert "carbon_intensity__national: actual of 0: 5 rows" in recorded.output
    coverage = recorded.query(
        "select settlement_date::text, half_hours_expected, half_hours_present from data_coverage "
        "where dataset = 'carbon_intensity_national' and half_hours_present <> half_hours_expected order by 1"
    )
    assert coverage == [("2023-10-20", 48, 46), ("2023-10-21", 48, 0), ("2023-10-22", 48, 7)]
    days = dict(recorded.query("select settlement_date::text, half_hours_expected from data_coverage"))
    assert (days["2023-03-26"], days["2023-10-29"], len(days)) == (46, 50, 365)

    # the gap is requested again, and now it is filled and marked
    recorded_emulator.reset()
    recorded.set(SYNTHETIC_FALLBACK="on")
    recorded.backfill("2023-01-01", "2023-12-31", "carbon_intensity_national")
    assert len(recorded_emulator.requests) == 1, "only what is missing is requested"
    filled = recorded.query("select period_start from carbon_intensity_national where is_synthetic order by 1")
    assert len(filled) == 91
    assert filled[0][0] == GAP[0]
    assert filled[-1][0] + timedelta(minutes=30) == GAP[1]
    real = recorded.query(
        "select period_start, forecast_gco2_kwh, actual_gco2_kwh from carbon_intensity_national where not is_synthetic"
    )
    assert {start: (forecast, actual) for start, forecast, actual in real} == wanted


@pytest.mark.slow
@needs_recorded
def test_recorded_regions_with_the_corrupt_rows_of_2020(recorded: Energy) -> None:
    assert RECORDED_DIR is not None
    recorded.set(SYNTHETIC_FALLBACK="off")
    recorded.backfill("2020-01-01", "2020-01-02", "carbon_intensity_regional")
    got = {
        (region_id, start): tuple(values)
        for region_id, start, *values in recorded.query(
            "select region_id, period_start, i.forecast_gco2_kwh, biomass_pct, coal_pct, imports_pct, gas_pct, nuclear_pct, "
            "other_pct, hydro_pct, solar_pct, wind_pct from carbon_intensity_regional i "
            "join generation_mix_regional m using (region_id, period_start)"
        )
    }
    corrupt: Counter[int] = Counter()
    compared = 0
    for start, rows in load(RECORDED_DIR).rows["regional"].items():
        if not datetime(2020, 1, 1, tzinfo=UTC) <= start < datetime(2020, 1, 2, 23, 30, tzinfo=UTC):
            continue
        for region in rows[0]["regions"]:
            mix = [share["perc"] for share in region["generationmix"]]
            key = (region["regionid"], start)
            if is_contradicted(region):
                corrupt[region["regionid"]] += 1
                assert set(got[key]) == {None}, "no part of a corrupt row passes for a measurement"
            else:
                compared += 1
                assert got[key][0] == region["intensity"]["forecast"], "a real 0 stays 0"
                assert [number(float(share)) for share in got[key][1:]] == mix
    # South England 26, London 21 (12 of them zeros), South East England 15
    assert (corrupt[13], corrupt.total(), compared) == (21, 62, 95 * 18 - 62)
    assert "intensity contradicted by its own mix: 62 rows" in recorded.output
    zeros = recorded.value("select count(*) from carbon_intensity_regional where forecast_gco2_kwh = 0")
    assert zeros == 27, "North Scotland and North West England were carbon-free for a while"


LEAST_G = {"biomass": 120, "coal": 937, "gas": 394, "other": 300}
"""What the upstream publishes that a fuel emits; imports may be anything."""


def is_contradicted(region: dict[str, Any]) -> bool:
    """Whether a region's intensity is one that its own mix cannot have: the rule in plain Python."""
    sent = region["intensity"]["forecast"]
    emits = sum(LEAST_G.get(share["fuel"], 0) * share["perc"] for share in region["generationmix"]) / 100
    return (sent == 0 and emits >= 5) or (sent < emits / 2 and emits - sent >= 50)


@needs_recorded
def test_recorded_generation_mix(recorded: Energy) -> None:
    assert RECORDED_DIR is not None
    recorded.set(SYNTHETIC_FALLBACK="off")
    recorded.backfill("2019-04-01", "2019-04-07", "generation_mix_national")
    rows = recorded.query(
        "select period_start, gas_pct, wind_pct, renewable_pct, low_carbon_pct from generation_mix_national"
    )
    recordings = load(RECORDED_DIR).rows["generation"]
    compared = 0
    for start, gas, wind, renewable, low_carbon in rows:
        if start not in recordings:
            continue
        mix = {share["fuel"]: share["perc"] for share in recordings[start][0]["generationmix"]}
        assert (float(gas), float(wind)) == (mix["gas"], mix["wind"])
        assert float(renewable) == round(mix["hydro"] + mix["solar"] + mix["wind"], 1)
        assert float(low_carbon) == round(float(renewable) + mix["nuclear"] + mix["biomass"], 1)
        compared += 1
    assert compared == 335


@pytest.mark.slow
def test_the_last_half_hour_of_a_year_is_not_lost(energy: Energy, emulator: Emulator) -> None:
    energy.set(SYNTHETIC_FALLBACK="off")
    energy.backfill("2023-12-31", "2024-01-01", "carbon_intensity")
    assert energy.value("select count(*) from generation_mix_national") == 96
    assert energy.value("select count(*) from carbon_intensity_regional where region_id = 1") == 96
    paths = sorted(path for _, path in emulator.requests)
    assert len(paths) == 5, "one for the national intensity, two each where the year must be split"


@pytest.mark.slow
def test_a_backfill_adds_no_vintage(energy: Energy) -> None:
    energy.backfill("2024-03-01", "2024-03-02", "carbon_intensity")
    assert energy.value("select count(*) from carbon_intensity_vintages") == 0
    energy.refresh("carbon_intensity")
    future = energy.value("select min(period_start + interval '30 minutes' - known_at) from carbon_intensity_vintages")
    assert future > timedelta(0)


@pytest.mark.slow
def test_what_is_there_is_not_asked_for_again_unless_forced(energy: Energy, emulator: Emulator) -> None:
    energy.backfill("2024-03-01", "2024-03-20", "carbon_intensity")
    assert len(emulator.requests) == 6
    emulator.reset()
    energy.backfill("2024-03-05", "2024-03-10", "carbon_intensity")
    assert emulator.requests == []
    assert "Nothing is missing" in energy.output
    before = contents(energy)
    energy.backfill("2024-03-05", "2024-03-10", "carbon_intensity", force=True)
    assert len(emulator.requests) == 3
    after = contents(energy, without=("payload_id", "fetched_at"))
    energy_before = contents(energy, without=("payload_id", "fetched_at"))
    assert after == energy_before
    assert [row[-1] for row in contents(energy)["carbon_intensity_regional"]] == [
        row[-1] for row in before["carbon_intensity_regional"]
    ], "updated_at stands where no value moved"


@pytest.mark.slow
def test_more_than_one_chunk(energy: Energy, emulator: Emulator) -> None:
    outcome = energy.backfill("2024-01-01", "2024-05-31", "carbon_intensity")
    assert (outcome["failures"], outcome["requests"], len({path for _, path in emulator.requests})) == ([], 33, 33)
    for table in CARBON_TABLES:
        assert energy.value(f"select count(distinct period_start) from {table}") == 152 * 48 - 2
        assert energy.value(f"select bool_or(is_synthetic) from {table}") is False


KILLS = 20
KILLED = ("flows.backfill", "--from", "2024-03-30", "--to", "2024-04-01")
KILLED_DATASETS = ("--datasets", "carbon_intensity", "neso__demand_history", "elexon__system_prices")


@pytest.mark.slow
def test_killed_at_twenty_moments_the_tables_are_as_without_the_kills(energy: Energy, emulator: Emulator) -> None:
    command = (*KILLED, *KILLED_DATASETS)
    slowest = killing.seconds(*command)
    undisturbed = contents(energy, without=("payload_id", "fetched_at", "updated_at"))
    assert len(undisturbed["carbon_intensity_national"]) == 3 * 48 - 2
    assert undisturbed["demand_actual_national"] and undisturbed["wholesale_prices"]
    _forget_everything(energy)
    killed = 0
    for was_at_work in killing.killed_at(killing.moments(20, KILLS), slowest, *command):
        killed += was_at_work
        if not was_at_work or energy.value("select count(*) > 0 from carbon_intensity_national"):
            _forget_everything(energy)  # it was as good as done
    assert killed >= KILLS / 2, "most runs were killed before their end"
    killing.seconds(*command)
    assert contents(energy, without=("payload_id", "fetched_at", "updated_at")) == undisturbed
    assert energy.value("select count(*) from ops.runs where status = 'running'") == 0
    assert energy.value("select count(*) from ops.runs where status = 'crashed'") >= 2


def _forget_everything(energy: Energy) -> None:
    tables = energy.query(
        "select format('%I.%I', schemaname, tablename) from pg_tables where tablename <> 'regions' and (schemaname = 'public' "
        "or (schemaname = 'staging' and tablename like '%\\_payloads') "
        "or (schemaname = 'intermediate' and tablename not like 'seed\\_%'))"
    )
    energy.query(f"truncate {', '.join(table for (table,) in tables)}, ops.payload_verdicts")
