"""`maintenance`: what newer answers replaced long ago goes, with its vintages; what a row comes from never does."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from pipelines.catalogue import DATASETS
from tests.emulator import Emulator
from tests.energy import Energy, contents
from tests.flows.test_transform import bytes_of
from warehouse.database import Role
from warehouse.trace import trace

NATIONAL = "carbon_intensity__national"
CAPTURES = "intermediate.int_carbon_intensity__captures"


def maintain() -> dict[str, int]:
    """Run the flow: what it removed."""
    from flows.maintenance import maintenance

    return {what: count for what, count in maintenance.fn()["removed"].items() if count}


def columns(energy: Energy, *names: str, schemas: tuple[str, ...]) -> list[tuple[str, str]]:
    """(table, column) of the columns of these names in tables that are no views."""
    return energy.query(
        "select table_schema || '.' || table_name, column_name from information_schema.columns "
        "join information_schema.tables using (table_schema, table_name) "
        "where table_type = 'BASE TABLE' and column_name = any(%s) and table_schema = any(%s) order by 1",
        list(names),
        list(schemas),
    )


def age(energy: Energy, days: int) -> None:
    """As if everything had been fetched so many days before."""
    instants = ("fetched_at", "known_at", "observed_at", "validated_at", "checked_at")
    for table, column in columns(energy, *instants, schemas=("staging", "intermediate", "public", "ops")):
        energy.query(f"update {table} set {column} = {column} - make_interval(days => {days})")


def referred_to(energy: Energy) -> set[Any]:
    """The payloads that a row of a clean table, or of one on the way to it, comes from."""
    tables = columns(energy, "payload_id", schemas=("public", "intermediate"))
    rows = [
        table
        for table, _ in tables
        if not table.endswith(("__captures", "__pending")) and table != "intermediate.published_payloads"
    ]
    assert "public.carbon_intensity_national" in rows and "intermediate.int_demand_forecasts" in rows
    return {payload_id for table in rows for (payload_id,) in energy.query(f"select distinct payload_id from {table}")}


def staged(energy: Energy) -> set[Any]:
    return {
        payload_id
        for slug in DATASETS
        for (payload_id,) in energy.query(f"select payload_id from staging.{slug}_payloads")
    }


def spoken_of(energy: Energy) -> dict[str, set[Any]]:
    """The payloads that each record of what was done with payloads names."""
    records = ("intermediate.published_payloads", "ops.payload_verdicts", CAPTURES)
    return {
        table: {row[0] for row in energy.query(f"select payload_id from {table}")}
        for table in (*records, "intermediate.int_demand_forecasts__captures")
    }


@pytest.fixture
def revised(energy: Energy, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Energy]:
    """An upstream that was asked twice and had revised all that it said in between."""
    stands_still = datetime.now(UTC)
    monkeypatch.setattr(emulator, "now", lambda: stands_still)
    energy.refresh(NATIONAL)
    emulator.fault("revised", "/carbon_intensity/intensity/")
    energy.refresh(NATIONAL)
    assert energy.value(f"select count(*) from staging.{NATIONAL}_payloads") == 2
    yield energy


@pytest.mark.slow
def test_of_every_dataset_what_was_superseded_goes_and_nothing_else(energy: Energy, emulator: Emulator) -> None:
    from flows.transform import transform

    emulator.fault(
        "html", "/generation/", times=1
    )  # leaves a rejected body, and a synthetic payload that a real one replaces
    energy.refresh()
    emulator.fault("revised")
    energy.refresh()
    age(energy, 401)
    before, coverage = contents(energy), sorted(energy.query("table data_coverage"))
    # what was aged was fetched before it says that it was issued, which is not believed
    values = contents(energy, without=("updated_at", "issued_at"))
    kept, landed = referred_to(energy), staged(energy)
    superseded = landed - kept
    assert len(superseded) >= 5 and kept < landed
    assert all(superseded & spoken for spoken in spoken_of(energy).values())

    removed = maintain()
    assert sum(removed.get(slug, 0) for slug in DATASETS) == len(superseded)
    assert removed["carbon_intensity__generation"] == removed["rejected bodies"] == 1
    assert staged(energy) == kept == referred_to(energy)
    for table, spoken in spoken_of(energy).items():
        assert spoken and spoken <= kept, table
    assert contents(energy) == before
    assert sorted(energy.query("table data_coverage")) == coverage
    assert maintain() == {}, "a second one finds nothing"

    energy.query("drop schema public cascade")
    assert transform.fn()["failures"] == []
    assert contents(energy, without=("updated_at", "issued_at")) == values
    assert sorted(energy.query("table data_coverage")) == coverage


def test_what_is_younger_than_the_settings_say_stays(revised: Energy) -> None:
    revised.query(
        "insert into ops.fetches (run_id, dataset, request_url, window_start, window_end, outcome, attempts, seconds, fetched_at) "
        "select run_id, dataset, request_url, window_start, window_end, other, 1, 1, fetched_at "
        "from ops.fetches, unnest(array['known', 'failed', 'rejected']) as other"
    )
    results = revised.value("select count(*) from ops.quality_results")
    refreshes = "select * from ops.runs where flow = 'refresh' order by started_at"
    runs = revised.query(refreshes)
    age(revised, 89)
    assert maintain() == {}
    revised.set(LEDGER_RETENTION_DAYS="88")
    assert maintain() == {"quality results": results, "requests that brought nothing new": 4}
    age(revised, 399 - 89)
    assert maintain() == {}
    age(revised, 2)
    revised.set(PAYLOAD_RETENTION_DAYS="402")
    assert maintain() == {}
    revised.set(PAYLOAD_RETENTION_DAYS="")
    vintages = "select * from carbon_intensity_vintages order by known_at, period_start"
    earlier, later = revised.query(f"select distinct known_at from ({vintages}) as vintage order by 1")
    newest = [row for row in revised.query(vintages) if row[2] == later[0]]
    assert maintain() == {NATIONAL: 1, "requests that landed or were rejected": 3}
    assert revised.query(vintages) == newest and earlier != later
    assert revised.query(refreshes) == runs
    assert dict(revised.query("select outcome, count(*) from ops.fetches group by 1")) == {"landed": 1}, (
        "the first of the dataset"
    )


def test_runs_go_once_nothing_is_traced_by_them(revised: Energy) -> None:
    from flows.transform import transform

    assert transform.fn()["failures"] == []  # a run that landed and validated nothing
    age(revised, 401)
    revised.query("update ops.runs set started_at = started_at - interval '401 days'")
    revised.query("delete from ops.quality_results")
    removed = maintain()
    assert removed["runs"] == 1, "the transform"
    (landed,) = revised.query(f"select run_id from staging.{NATIONAL}_payloads")
    left = revised.query("select flow, run_id from ops.runs where flow <> 'maintenance' order by started_at")
    assert [flow for flow, _ in left] == ["refresh", "refresh"], "of the first request, and of the payload"
    assert left[1][1] == landed[0]
    first = revised.value("select min(period_start)::text from carbon_intensity_national")
    with revised.database.connect(role=Role.LOADER) as connection:
        found = trace(connection, "carbon_intensity_national", [first])
    assert (found["landed_by"]["run_id"], found["verdict"]["verdict"]) == (landed[0], "passed")


def test_the_days_that_are_due_are_the_same_after_old_requests_went(revised: Energy) -> None:
    revised.query(
        "insert into ops.fetches (run_id, dataset, request_url, window_start, window_end, outcome, attempts, seconds, fetched_at) "
        "select run_id, dataset, request_url, at, at + interval '1 day', 'landed', 1, 1, at "
        "from ops.fetches, generate_series(now() - interval '450 days', now() - interval '401 days', interval '1 day') as at"
    )
    coverage = "select dataset, settlement_date from data_coverage order by 1, 2"
    days = "select min(fetched_at), count(*) from ops.fetches where fetched_at < now() - interval '400 days'"
    before, (first, _) = revised.query(coverage), revised.query(days)[0]
    assert maintain()["requests that landed or were rejected"] > 40
    assert revised.query(days) == [(first, 1)] and revised.query(coverage) == before


@pytest.mark.slow
def test_what_went_comes_back_only_when_the_upstream_sends_it(revised: Energy, emulator: Emulator) -> None:
    gone = revised.value(f"select payload_id from staging.{NATIONAL}_payloads order by fetched_at limit 1")
    first = revised.query(
        "select period_start, forecast_gco2_kwh - 3 from carbon_intensity_national "
        "where forecast_gco2_kwh > 3 order by period_start"
    )
    age(revised, 401)
    maintain()
    assert not revised.refresh(NATIONAL)["failures"]
    assert gone not in staged(revised)
    assert "Every value is real" in revised.output

    emulator.reset()  # it takes its revision back
    assert not revised.refresh(NATIONAL)["failures"]
    now = dict(revised.query("select period_start, forecast_gco2_kwh from carbon_intensity_national"))
    assert {start: now[start] for start, _ in first} == dict(first)
    assert revised.value(
        f"select count(*) from staging.{NATIONAL}_payloads where fetched_at > now() - interval '1 day'"
    )


LOSSES = {
    "public was dropped": "drop schema public cascade",
    "what landed was restored and dbt has not seen it": (
        "truncate carbon_intensity_national, intermediate.published_payloads, ops.payload_verdicts"
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("lost", LOSSES)
def test_a_night_between_a_loss_and_its_repair_loses_nothing_more(revised: Energy, lost: str) -> None:
    from flows.transform import transform

    age(revised, 401)
    before = bytes_of(revised)
    revised.query(LOSSES[lost])
    maintain()
    assert transform.fn()["failures"] == []
    assert bytes_of(revised) == before


@pytest.mark.slow
def test_what_dlt_notes_of_old_landings_goes_and_the_next_landing_does_not_miss_it(energy: Energy) -> None:
    from flows.ledger_retention import NOTES_OF_DLT

    energy.refresh(NATIONAL)
    noted = {table: energy.value(f"select count(*) from staging.{table}") for table in NOTES_OF_DLT}
    assert all(noted.values()), "each landing notes something"
    for table, written_at in NOTES_OF_DLT.items():
        energy.query(f"update staging.{table} set {written_at} = {written_at} - interval '8 days'")
    energy.refresh("carbon_intensity__generation")
    removed = maintain()
    assert {table: removed[f"notes of dlt in staging.{table}"] for table in NOTES_OF_DLT} == noted
    assert all(energy.value(f"select count(*) from staging.{table}") > 0 for table in NOTES_OF_DLT), "young ones stay"
    for table in NOTES_OF_DLT:
        energy.query(f"truncate staging.{table}")
    assert not energy.refresh("carbon_intensity", "elexon")["failures"]
    assert "Every value is real" in energy.output
