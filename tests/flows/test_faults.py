"""Each fault of the emulator for each dataset: told in a line, nothing wrong in a clean table, the others published."""

import pytest

from pipelines.catalogue import DATASETS
from pipelines.neso import resources
from tests.conftest import Energy
from tests.emulator import Emulator

# dataset -> what only its requests contain
REQUESTS = {
    "carbon_intensity__national": "/carbon_intensity/intensity/",
    "carbon_intensity__regional": "/carbon_intensity/regional/",
    "carbon_intensity__generation": "/carbon_intensity/generation/",
    "neso__demand_update": f"%22{resources.DEMAND_UPDATE.id}%22",
    "neso__demand_forecast_2_14d": f"%22{resources.TWO_TO_14_DAYS_AHEAD.id}%22",
    "neso__demand_forecast_cardinal": f"%22{resources.DAY_AHEAD_CARDINAL.id}%22",
    "neso__n2ex_day_ahead": f"%22{resources.N2EX.id}%22",
    "neso__eac_results": f"%22{resources.EAC_CURRENT.id}%22",
    "neso__dfs_utilisation": f"%22{resources.DFS_UTILISATION.id}%22",
    "elexon__market_index": "/market-index",
    "elexon__system_prices": "/system-prices/",
    "elexon__demand_outturn": "/demand/outturn",
    "elexon__demand_forecast": "/day-ahead/latest",
    "elexon__demand_forecast_zonal": "boundary=zonal",
    "beckn__catalogue": "/api/discover",
}
# each dataset is in one half, so that it is struck once and stands by once; both forecasts of Elexon share a path
HALVES = {
    "one half": [*list(REQUESTS)[::2][:6], "elexon__demand_forecast", "elexon__demand_forecast_zonal"],
    "the other half": [
        *[d for d in list(REQUESTS)[1::2] if not d.startswith("elexon__demand_forecast")],
        "beckn__catalogue",
    ],
}
FAULTS = {
    "429": "HTTP 429",
    "500": "HTTP 500",
    "timeout": "no answer within the time-out",
    "drop": "dropped",
    "html": "is HTML",
    "truncated": "cut short",
    "missing_key": "missing required field",
    "changed_type": "Expected `",
    "empty_object": "empty object",
    "error_200": "error object",
    "nul": "NUL character",
}
BODILESS = ("timeout", "drop")


def test_every_dataset_that_a_refresh_asks_for_is_struck() -> None:
    assert sorted(d for half in HALVES.values() for d in half) == sorted(REQUESTS)
    assert set(DATASETS) - set(REQUESTS) == {"neso__demand_history", "neso__demand_forecast_day_ahead"}


def published_live(energy: Energy, dataset: str) -> int:
    """Rows of clean tables that were read from a live payload of the dataset."""
    live = f"(select payload_id from staging.{dataset}_payloads where origin = 'live')"
    tables = list(DATASETS[dataset].clean_tables)
    if dataset == "neso__demand_forecast_cardinal":
        tables = ["intermediate.int_demand_forecasts"]  # half-hourly forecasts win in the clean table
    return sum(energy.value(f"select count(*) from {table} where payload_id in {live}") for table in tables)


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_strikes_its_datasets_and_is_told(energy: Energy, emulator: Emulator, kind: str, half: str) -> None:
    struck = HALVES[half]
    for dataset in struck:
        emulator.fault(kind, REQUESTS[dataset])
    if kind == "timeout":
        energy.set(HTTP_READ_TIMEOUT_SECONDS="2", BECKN_READ_TIMEOUT_SECONDS="2", HTTP_ATTEMPTS="1")
    outcome = energy.refresh()
    assert not outcome["failures"]
    lines = energy.output.splitlines()
    for dataset in REQUESTS:
        assert (published_live(energy, dataset) == 0) == (dataset in struck), dataset
        if dataset in struck:
            (line, *_) = [line for line in lines if REQUESTS[dataset] in line]
            # a NUL in a text with a pattern is refused for the pattern; Beckn's error objects are refusals
            other = {"nul": "Expected `str` matching regex", "error_200": "refusal (NACK)"}.get(kind, FAULTS[kind])
            assert FAULTS[kind] in line or other in line
            assert "synthetic" in line or "left as they are" in line
            assert "HTTP 200" in line or kind in ("429", "500", *BODILESS)
    outcomes = energy.query("select distinct dataset, outcome from ops.fetches")
    expected = "failed" if kind in BODILESS else "rejected"
    assert dict(outcomes) == {dataset: expected if dataset in struck else "landed" for dataset in REQUESTS}
    rejected = energy.query("select dataset, min(length(body)) from staging.rejected_payloads group by dataset")
    assert sorted(row[0] for row in rejected) == ([] if kind in BODILESS else sorted(struck))
    assert all(length > 0 for _, length in rejected)


@pytest.mark.parametrize("dataset", ["carbon_intensity__regional", "neso__n2ex_day_ahead", "elexon__market_index"])
def test_a_passing_fault_is_waited_out(energy: Energy, emulator: Emulator, dataset: str) -> None:
    emulator.fault("429", REQUESTS[dataset], times=1, retry_after="1")
    energy.refresh(dataset)
    assert "Every value is real" in energy.output
    assert energy.value("select attempts from ops.fetches where dataset = %s", dataset) == 2


@pytest.mark.parametrize("half", HALVES)
def test_impossible_values_are_held_back_and_the_rest_is_published(
    energy: Energy, emulator: Emulator, half: str
) -> None:
    struck = [dataset for dataset in HALVES[half] if dataset != "neso__demand_update"]
    for dataset in struck:
        emulator.fault("absurd", REQUESTS[dataset])
    outcome = energy.refresh()
    assert outcome["failures"], "a table could not be published: exit code 1"
    for dataset in REQUESTS:
        assert (published_live(energy, dataset) == 0) == (dataset in struck), dataset
        if dataset in struck:
            reason = "not met: at least 90 % of the rows are possible"
            assert f"FAILED: {dataset} is held back: {reason}" in energy.output
            verdicts = energy.query("select distinct verdict from ops.payload_verdicts where dataset = %s", dataset)
            assert verdicts == [("held",)]
    emulator.reset()
    energy.refresh()
    assert "Every value is real" in energy.output, "the next good payload is published"


def test_a_column_that_has_gone_stops_its_dataset_alone(energy: Energy, emulator: Emulator) -> None:
    emulator.neso.drop_column(resources.DEMAND_UPDATE.id, "EMBEDDED_WIND_GENERATION")
    outcome = energy.refresh()
    assert not outcome["failures"]
    assert "'Demand Data Update' has no column 'EMBEDDED_WIND_GENERATION' any more" in energy.output
    assert published_live(energy, "neso__demand_update") == 0
    assert published_live(energy, "neso__n2ex_day_ahead") > 0


def test_a_resource_that_moved_is_found_by_its_name_and_said_so(energy: Energy, emulator: Emulator) -> None:
    emulator.neso.moved(resources.N2EX.id, "11111111-2222-3333-4444-555555555555")
    energy.refresh("neso__n2ex_day_ahead")
    assert "WARNING: NESO's resource 'N2EX GB Day-Ahead Price' is no longer" in energy.output
    assert published_live(energy, "neso__n2ex_day_ahead") > 0


BACKFILLED = {
    "neso__demand_history": f"%22{resources.DEMAND_HISTORY[2022].id}%22",
    "neso__demand_forecast_day_ahead": f"%22{resources.DAY_AHEAD.id}%22",
}


@pytest.mark.slow
@pytest.mark.parametrize("dataset", BACKFILLED)
def test_a_fault_strikes_what_only_a_backfill_asks_for(energy: Energy, emulator: Emulator, dataset: str) -> None:
    energy.set(HTTP_READ_TIMEOUT_SECONDS="4", HTTP_ATTEMPTS="1")
    for kind, words in FAULTS.items():
        emulator.reset()
        emulator.fault(kind, BACKFILLED[dataset], seconds=8.0)
        energy.query("truncate staging.rejected_payloads")
        outcome = energy.backfill("2022-05-01", "2022-05-02", dataset, force=True)
        assert not outcome["failures"]
        # a NUL in a date is refused for the date
        assert words in energy.output or (kind == "nul" and "a date cannot be read" in energy.output), kind
        assert published_live(energy, dataset) == 0, kind
        rejected = energy.value("select count(*) from staging.rejected_payloads")
        # of a connection that was dropped, what had come of the body is kept
        assert rejected in {"timeout": (0,), "drop": (0, 1)}.get(kind, (1,)), kind
    emulator.reset()
    energy.backfill("2022-05-01", "2022-05-02", dataset)
    assert published_live(energy, dataset) > 0
