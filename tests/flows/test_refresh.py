"""`refresh`, end to end: real and synthetic, again and again, with every fault of the upstream."""

import pytest

from tests.conftest import CLEAN_TABLES, Energy, contents
from tests.emulator import Emulator

PATHS = {
    "carbon_intensity__national": "carbon_intensity/intensity/",
    "carbon_intensity__regional": "regional/",
    "carbon_intensity__generation": "generation/",
}
TABLES = {
    "carbon_intensity__national": ("carbon_intensity_national",),
    "carbon_intensity__regional": ("carbon_intensity_regional", "generation_mix_regional"),
    "carbon_intensity__generation": ("generation_mix_national",),
}


def synthetic_share(energy: Energy, table: str) -> float:
    return float(energy.value(f"select avg(is_synthetic::int) from {table}"))


def test_every_table_is_full_and_real(energy: Energy, emulator: Emulator) -> None:
    outcome = energy.refresh()
    assert not outcome["failures"]
    assert len(emulator.requests) == 3, "one request a dataset"
    assert "Every value is real" in energy.output
    assert "not from the public API" in energy.output
    for table in CLEAN_TABLES:
        assert energy.value(f"select count(*) from {table}") > 190
        assert synthetic_share(energy, table) == 0
    assert energy.value("select count(*) from carbon_intensity_regional where region_id = 18") > 190


def test_the_same_refresh_again_touches_nothing(energy: Energy) -> None:
    energy.refresh()
    before, versions = contents(energy), energy.query("select ctid, xmin from carbon_intensity_regional")
    payloads = energy.value("select count(*) from staging.carbon_intensity__regional_payloads")
    energy.refresh()
    if energy.value("select count(*) from staging.carbon_intensity__regional_payloads") != payloads:
        pytest.skip("a half-hour began between the two refreshes")
    assert contents(energy) == before
    assert energy.query("select ctid, xmin from carbon_intensity_regional") == versions
    assert "known already" in energy.output


def test_without_an_upstream_every_row_is_synthetic_and_says_so(energy: Energy) -> None:
    energy.set(CARBON_INTENSITY_URL="http://127.0.0.1:9")
    outcome = energy.refresh()
    assert not outcome["failures"]
    for table in CLEAN_TABLES:
        assert synthetic_share(energy, table) == 1
    assert "EVERY VALUE IS SYNTHETIC" in energy.output
    assert energy.output.count("ALL SYNTHETIC") == 4
    assert "connection refused" in energy.output


def test_without_an_upstream_and_without_fallback_nothing_is_invented(energy: Energy) -> None:
    energy.set(CARBON_INTENSITY_URL="http://127.0.0.1:9", SYNTHETIC_FALLBACK="off")
    energy.refresh()
    for table in CLEAN_TABLES:
        assert energy.value(f"select count(*) from {table}") == 0


def test_real_replaces_synthetic(energy: Energy, emulator: Emulator) -> None:
    energy.set(CARBON_INTENSITY_URL="http://127.0.0.1:9")
    energy.refresh()
    energy.set(**emulator.settings)
    energy.refresh()
    for table in CLEAN_TABLES:
        assert synthetic_share(energy, table) == 0


def test_synthetic_never_replaces_real(energy: Energy, emulator: Emulator) -> None:
    energy.refresh()
    before = contents(energy)
    energy.set(CARBON_INTENSITY_URL="http://127.0.0.1:9")
    energy.refresh()
    after = contents(energy)
    for table in CLEAN_TABLES:
        assert set(before[table]) <= set(after[table])


@pytest.mark.parametrize("dataset", PATHS)
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("429", "HTTP 429"),
        ("500", "HTTP 500"),
        ("timeout", "no answer within the time-out"),
        ("drop", "dropped"),
        ("html", "is HTML"),
        ("truncated", "cut short"),
        ("missing_key", "missing required field"),
        ("changed_type", "Expected `"),
        ("empty_object", "empty object"),
        ("error_200", "error object"),
        ("nul", "NUL character"),
    ],
)
def test_a_fault_strikes_one_dataset_and_is_told(
    energy: Energy, emulator: Emulator, dataset: str, kind: str, words: str
) -> None:
    emulator.fault(kind, PATHS[dataset])
    if kind == "timeout":
        energy.set(HTTP_READ_TIMEOUT_SECONDS="2")
    outcome = energy.refresh()
    assert not outcome["failures"]
    line = next(line for line in energy.output.splitlines() if words in line)
    assert PATHS[dataset] in line
    assert "synthetic" in line
    assert ("HTTP 200" in line) or kind in ("429", "500", "timeout", "drop")
    for other, tables in TABLES.items():
        for table in tables:
            assert synthetic_share(energy, table) == (1 if other == dataset else 0)
    rejected = energy.query("select dataset, reason, length(body) from staging.rejected_payloads")
    bodiless = kind in ("timeout", "drop")
    if bodiless:
        assert rejected == []
    else:
        assert [row[0] for row in rejected] == [dataset]
        assert rejected[0][2] > 0
    outcomes = dict(energy.query("select dataset, outcome from ops.fetches"))
    assert outcomes.pop(dataset) == ("failed" if bodiless else "rejected")
    assert set(outcomes.values()) == {"landed"}


@pytest.mark.parametrize("dataset", PATHS)
def test_a_passing_fault_is_waited_out(energy: Energy, emulator: Emulator, dataset: str) -> None:
    emulator.fault("429", PATHS[dataset], times=1, retry_after="1")
    energy.refresh()
    assert "Every value is real" in energy.output
    assert energy.value("select attempts from ops.fetches where dataset = %s", dataset) == 2


@pytest.mark.parametrize("dataset", PATHS)
def test_impossible_values_are_held_back_and_the_rest_is_published(
    energy: Energy, emulator: Emulator, dataset: str
) -> None:
    emulator.fault("absurd", PATHS[dataset])
    outcome = energy.refresh()
    assert outcome["failures"], "a table could not be published: exit code 1"
    assert f"FAILED: {dataset} is held back: not met: at least 90 % of the rows are possible" in energy.output
    for other, tables in TABLES.items():
        for table in tables:
            assert (energy.value(f"select count(*) from {table}") == 0) == (other == dataset)
    assert energy.value("select verdict from ops.payload_verdicts where dataset = %s", dataset) == "held"
    emulator.reset()
    energy.refresh()
    assert "Every value is real" in energy.output, "the next good payload is published"


def test_duplicate_rows_count_once_and_the_heavier_one_wins(energy: Energy, emulator: Emulator) -> None:
    emulator.fault("duplicate", PATHS["carbon_intensity__regional"])
    emulator.fault("duplicate", PATHS["carbon_intensity__national"])
    outcome = energy.refresh()
    assert not outcome["failures"]
    twice = energy.query(
        "select period_start, region_id, max(forecast_gco2_kwh) from intermediate.int_carbon_intensity__regional_batch "
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
        from flows.transform import Dbt
        from warehouse.settings import WarehouseSettings

        dbt = Dbt(energy.database, WarehouseSettings().data_dir)
        assert not dbt.build_batches().failures
        assert not dbt.publish().failures
    assert contents(energy, without=("updated_at",))["carbon_intensity_national"] == newest_wins


def test_a_short_horizon_stays_short(energy: Energy, emulator: Emulator) -> None:
    emulator.fault("short_horizon", PATHS["carbon_intensity__national"])
    energy.refresh()
    newest = {
        table: energy.value(f"select max(period_start) from {table}")
        for table in ("carbon_intensity_national", "generation_mix_national")
    }
    assert newest["carbon_intensity_national"] < newest["generation_mix_national"]
    assert "Every value is real" in energy.output


def test_an_answer_without_rows_is_no_fault_and_is_filled(energy: Energy, emulator: Emulator) -> None:
    emulator.fault("empty", PATHS["carbon_intensity__generation"])
    outcome = energy.refresh()
    assert not outcome["failures"]
    assert synthetic_share(energy, "generation_mix_national") == 1
    assert "half-hours are missing upstream" in energy.output
    assert energy.value("select count(*) from staging.rejected_payloads") == 0
