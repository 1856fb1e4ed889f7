"""`refresh`, end to end: real and synthetic, again and again, with every fault of the upstream."""

import re
from datetime import UTC, datetime

import pytest

from flows.dbt_runner import Dbt
from tests.emulator import Emulator
from tests.energy import CLEAN_TABLES, Energy, contents

PATHS = {
    "carbon_intensity__national": "carbon_intensity/intensity/",
    "carbon_intensity__regional": "regional/",
    "carbon_intensity__generation": "generation/",
}


def synthetic_share(energy: Energy, table: str) -> float:
    return float(energy.value(f"select avg(is_synthetic::int) from {table}"))


def test_every_table_is_full_and_real(energy: Energy, emulator: Emulator) -> None:
    outcome = energy.refresh()
    assert not outcome["failures"]
    asked = dict(energy.query("select dataset, count(*) from ops.fetches group by dataset"))
    assert asked.pop("elexon__system_prices") == 3, "a settlement day each"
    assert set(asked.values()) == {1} and len(asked) == 14
    assert "Every value is real" in energy.output
    now = energy.value("select round(gco2_kwh) from national_grid_status")
    region, best = energy.query(
        "select name, round(mean_gco2_kwh) from best_windows(interval '4 hours', now(), now() + interval '48 hours') "
        "inner join regions using (region_id) order by rank limit 1"
    )[0]
    assert f"Great Britain now: {now:.0f} gCO2/kWh (" in energy.output
    assert re.search(
        rf"^The cleanest 4 hours in the next 48: {region} from .* UTC, {best:.0f} gCO2/kWh\.$", energy.output, re.M
    )
    assert "\nNext: make up" in energy.output
    assert energy.output.count("not from the public API") == 4
    for table in CLEAN_TABLES:
        expected = {"grid_zones": 8, "compute_windows": 8, "grid_snapshots": 8, "offers": 1}.get(table, 190)
        assert energy.value(f"select count(*) from {table}") > expected
        assert synthetic_share(energy, table) == 0
    assert energy.value("select count(*) from carbon_intensity_regional where region_id = 18") > 190


def test_the_same_refresh_again_touches_nothing(energy: Energy, emulator: Emulator, monkeypatch) -> None:
    stands_still = datetime.now(UTC)
    monkeypatch.setattr(emulator, "now", lambda: stands_still)
    for _ in range(3):  # a half-hour may begin between the two, and requests another window
        energy.refresh()
        before = contents(energy)
        versions = {table: energy.query(f"select ctid, xmin from {table}") for table in CLEAN_TABLES}
        energy.refresh()
        if "landed" not in energy.output:
            break
    assert contents(energy) == before
    assert {table: energy.query(f"select ctid, xmin from {table}") for table in CLEAN_TABLES} == versions
    assert energy.output.count("known already") == 15


@pytest.mark.slow
def test_without_an_upstream_every_row_is_synthetic_and_says_so(energy: Energy) -> None:
    energy.unplug()
    outcome = energy.refresh()
    assert not outcome["failures"]
    for table in CLEAN_TABLES:
        assert synthetic_share(energy, table) == 1
    assert "EVERY VALUE IS SYNTHETIC" in energy.output
    assert energy.output.count("ALL SYNTHETIC") == len(CLEAN_TABLES)
    assert re.search(r"^Great Britain now: \d+ gCO2/kWh \(SYNTHETIC, ", energy.output, re.M)
    assert re.search(r"^The cleanest 4 hours .* gCO2/kWh SYNTHETIC\.$", energy.output, re.M)
    assert "connection refused" in energy.output


def test_without_an_upstream_and_without_fallback_nothing_is_invented(energy: Energy) -> None:
    energy.unplug()
    energy.set(SYNTHETIC_FALLBACK="off")
    energy.refresh()
    for table in CLEAN_TABLES:
        assert energy.value(f"select count(*) from {table}") == 0


@pytest.mark.slow
def test_real_replaces_synthetic(energy: Energy, emulator: Emulator) -> None:
    energy.unplug()
    energy.refresh()
    energy.set(**emulator.settings)
    energy.refresh()
    # what was observed stays as history, beside what is real
    published_ahead = {
        "wholesale_prices": ("market", "period_start"),
        "flexibility_prices": ("service", "delivery_start"),
        "demand_forecast_national": ("forecast_type", "period_start"),
    }
    for table in set(CLEAN_TABLES) - {"demand_regional", "grid_snapshots", "offers", *published_ahead}:
        assert synthetic_share(energy, table) == 0, table
    # files end with a day: around midnight what lies beyond the last one has no real value yet
    for table, (kind, instant) in published_ahead.items():
        within = f"(select max({instant}) from {table} as other where not is_synthetic and other.{kind} = one.{kind})"
        stayed = f"select count(*) from {table} as one where is_synthetic and {instant} <= {within}"
        assert energy.value(stayed) == 0, table
    assert energy.value("select count(*) from latest_compute_windows where is_synthetic") == 0
    # NESO alone measures the nations, and has not given the last day yet
    lagging = "select min(period_start) > now() - interval '36 hours' from demand_regional where is_synthetic"
    assert energy.value(lagging)


def test_synthetic_never_replaces_real(energy: Energy, emulator: Emulator) -> None:
    energy.refresh()
    before = contents(energy)
    energy.unplug()
    energy.refresh()
    after = contents(energy)
    for table in CLEAN_TABLES:
        assert set(before[table]) <= set(after[table])


def test_duplicate_rows_count_once_and_the_heavier_one_wins(energy: Energy, emulator: Emulator) -> None:
    emulator.fault("duplicate", PATHS["carbon_intensity__regional"])
    emulator.fault("duplicate", PATHS["carbon_intensity__national"])
    outcome = energy.refresh("carbon_intensity")
    assert not outcome["failures"]
    twice = energy.query(
        "select period_start, region_id, max(forecast_gco2_kwh) from intermediate.stg_carbon_intensity__regional__pending "
        "group by 1, 2 having count(*) > 1"
    )
    assert len(twice) == 18
    for period_start, region_id, heavier in twice:
        stands = energy.value(
            "select forecast_gco2_kwh from carbon_intensity_regional where (region_id, period_start) = (%s, %s)",
            region_id,
            period_start,
        )
        assert stands == heavier


@pytest.mark.slow
def test_a_revision_moves_values_and_updated_at_and_keeps_the_vintage(energy: Energy, emulator: Emulator) -> None:
    energy.refresh("carbon_intensity__regional")
    first = energy.query(
        "select forecast_gco2_kwh, updated_at from carbon_intensity_regional order by region_id, period_start"
    )
    emulator.fault("revised", PATHS["carbon_intensity__regional"])
    energy.refresh("carbon_intensity__regional")
    second = energy.query(
        "select forecast_gco2_kwh, updated_at from carbon_intensity_regional order by region_id, period_start"
    )
    for (old, old_at), (new, new_at) in zip(first, second[: len(first)], strict=True):
        assert new == (old + 3 if old else old)
        assert (new_at > old_at) == (new != old)
    captures = energy.value("select count(distinct known_at) from carbon_intensity_vintages where region_id = 13")
    assert captures == 2
    twice = energy.value(
        "select count(*) from (select region_id, period_start, known_at from carbon_intensity_vintages "
        "group by 1, 2, 3 having count(*) > 1) as doubled"
    )
    assert twice == 0


@pytest.mark.slow
def test_the_vintage_known_later_wins_whatever_the_order_of_arrival(energy: Energy, emulator: Emulator) -> None:
    energy.refresh("carbon_intensity__national")
    emulator.fault("revised", PATHS["carbon_intensity__national"])
    energy.refresh("carbon_intensity__national")
    newest_wins = contents(energy, without=("updated_at",))["carbon_intensity_national"]
    # the same two payloads, published in the other order
    energy.query("delete from intermediate.published_payloads; delete from carbon_intensity_national")
    payloads = energy.query(
        "select payload_id from staging.carbon_intensity__national_payloads order by fetched_at desc"
    )
    assert len(payloads) == 2
    for (later,) in payloads:
        energy.query("update ops.payload_verdicts set verdict = 'held' where payload_id <> %s", later)
        energy.query("update ops.payload_verdicts set verdict = 'passed' where payload_id = %s", later)
        from warehouse.settings import WarehouseSettings

        dbt = Dbt(energy.database, WarehouseSettings().data_dir)
        assert not dbt.unpack(dbt.pending()).failures
        assert not dbt.publish(("carbon_intensity__national",)).failures
    assert contents(energy, without=("updated_at",))["carbon_intensity_national"] == newest_wins


def test_a_short_horizon_stays_short(energy: Energy, emulator: Emulator) -> None:
    emulator.fault("short_horizon", PATHS["carbon_intensity__national"])
    energy.refresh("carbon_intensity")
    newest = {
        table: energy.value(f"select max(period_start) from {table}")
        for table in ("carbon_intensity_national", "generation_mix_national")
    }
    assert newest["carbon_intensity_national"] < newest["generation_mix_national"]
    assert "Every value is real" in energy.output


def test_an_answer_without_rows_is_a_failed_request_and_is_filled(energy: Energy, emulator: Emulator) -> None:
    emulator.fault("empty", PATHS["carbon_intensity__generation"])
    outcome = energy.refresh("carbon_intensity")
    assert not outcome["failures"]
    assert synthetic_share(energy, "generation_mix_national") == 1
    missing = energy.value("select count(*) from generation_mix_national where is_synthetic")
    assert "the response holds no half-hour that was requested; synthetic values stand in" in energy.output
    assert f"for {missing} half-hours" in energy.output
    assert energy.value("select count(*) from staging.rejected_payloads") == 0


@pytest.mark.slow
def test_the_summary_says_how_many_synthetic_half_hours_were_published_not_how_many_were_landed(
    energy: Energy, emulator: Emulator
) -> None:
    energy.refresh("carbon_intensity__national")
    energy.query(
        "delete from carbon_intensity_national where period_start = (select max(period_start) from carbon_intensity_national)"
    )
    emulator.fault("500", PATHS["carbon_intensity__national"])
    energy.refresh("carbon_intensity__national")
    synthetic = energy.value("select count(*) from carbon_intensity_national where is_synthetic")
    landed = energy.value("select max(half_hours_synthetic) from ops.fetches")
    assert 1 <= synthetic <= 2 < landed
    assert f"synthetic values stand in for {synthetic} half-hour" in energy.output
    assert f"{landed} half-hours" not in energy.output
    last = "select (summary ->> 'half_hours_synthetic')::integer from ops.runs order by started_at desc limit 1"
    assert energy.value(last) == synthetic
    energy.refresh("carbon_intensity__national")
    assert f"synthetic values stand in for {synthetic} half-hour" in energy.output, "they still do"


def test_only_real_answers_for_the_present_make_a_source_fresh(energy: Energy) -> None:
    dbt = Dbt(energy.database, energy.data_dir)
    tables = [source for source in dbt.parse().result().sources.values() if source.schema == "staging"]
    dbt.close()
    watched = [source for source in tables if source.freshness and source.freshness.error_after]
    assert len(watched) == 14, "all but those that no refresh requests, and snapshots"
    assert {source.freshness.filter for source in watched} == {"origin = 'live' and window_end >= fetched_at"}
