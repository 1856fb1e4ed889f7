"""What the dbt project says of datasets: each is described once, and every reader reads the same."""

from collections.abc import Iterator
from datetime import date, timedelta
from graphlib import TopologicalSorter
from typing import Any

import pytest

from checkpoints import clean
from flows.dataset_facts import dataset_facts, facts_from
from flows.dbt_facts import Facts
from flows.dbt_runner import Dbt
from flows.plan import complete
from pipelines.catalogue import DATASETS
from pipelines.dataset import Dataset
from tests.energy import Energy
from warehouse import ledger
from warehouse.periods import HALF_HOUR, Window, settlement_days
from warehouse.relations import staging_model

NO_ROW = ("neso__demand_update", "demand_forecast_national")
"""A dataset that adds columns to the rows of others, and makes none."""
OBSERVED = {"grid_snapshots", "offers"}
"""Tables that hold what was observed, as it was: no later row replaces one, and no half-hour is theirs."""


@pytest.fixture
def facts(energy: Energy) -> Iterator[Facts]:
    dbt = Dbt(energy.database, energy.data_dir)
    yield dbt.facts()
    dbt.close()


def models(facts: Facts) -> dict[str, Any]:
    return {node.name: node for node in facts.manifest.nodes.values() if node.resource_type == "model"}


def parts(facts: Facts) -> dict[str, dict[str, Any]]:
    """The parts of data_coverage, by the name that they have there."""
    return {
        node.name + (f"/{entry['part']}" if "part" in entry else ""): {"table": node.name, **entry}
        for node in models(facts).values()
        for entry in node.config.meta.get("coverage", ())
    }


def test_every_dataset_has_a_source_entry_a_model_and_consumers(facts: Facts) -> None:
    assert set(dataset_facts()) == set(DATASETS)
    unpacked = {n.name for n in models(facts).values() if n.config.materialized == "payload_rows"}
    assert unpacked == {staging_model(slug) for slug in DATASETS}
    for slug, dataset in DATASETS.items():
        consumers = {node.name for node in facts.consumers()[slug]}
        assert set(dataset.clean_tables) <= consumers, slug


def test_every_clean_table_of_a_dataset_is_validated_and_covered(facts: Facts) -> None:
    fed = {table for dataset in DATASETS.values() for table in dataset.clean_tables}
    validated = {table.name: table for table in facts.clean_tables()}
    assert fed - set(validated) == OBSERVED
    for slug, dataset in DATASETS.items():
        for table in set(dataset.clean_tables) - OBSERVED:
            assert slug in validated[table].datasets or (slug, table) == NO_ROW, (slug, table)
    covered = {entry["table"] for entry in parts(facts).values()}
    assert covered == {name for name, table in validated.items() if table.starts != "fetched_at"}


def is_of(dataset: Dataset, entry: dict[str, Any]) -> bool:
    """Whether the dataset fills this part of its clean table: of prices, each market has its own."""
    return entry["table"] in dataset.clean_tables and entry.get("rows_of", dataset.slug) == dataset.slug


def shared(facts: Facts) -> dict[str, set[str]]:
    """The clean tables of which each dataset has rows of its own, by another key: their datasets."""
    keys = {name: node.config.unique_key for name, node in models(facts).items()}
    split = {entry["table"] for entry in parts(facts).values() if "rows_of" in entry}
    return {
        table.name: set(table.datasets)
        for table in facts.clean_tables()
        if table.name in split or ("market" in keys[table.name] and len(table.datasets) > 1)
    }


def test_of_a_shared_table_each_dataset_has_rows_and_a_part_of_its_own(facts: Facts) -> None:
    tables = shared(facts)
    assert "wholesale_prices" in tables
    for table, datasets in tables.items():
        own = [entry.get("rows_of") for entry in parts(facts).values() if entry["table"] == table]
        assert sorted(own) == sorted(datasets), "a part of data_coverage for each of its datasets"
        rows = {dataset_facts()[slug].own_rows for slug in datasets}
        assert len(rows) == len(datasets) and "true" not in rows, f"{table}: `own_rows` of each dataset is its own"


@pytest.mark.slow
def test_rows_of_one_dataset_do_not_count_as_those_of_another(energy: Energy, facts: Facts) -> None:
    days = settlement_days(date(2024, 3, 1), date(2024, 3, 1))
    for table, datasets in shared(facts).items():
        before: set[str] = set()
        for slug in sorted(datasets):
            assert complete(energy.database, DATASETS[slug], days) == set(), f"{slug} after {before}"
            assert energy.backfill("2024-03-01", "2024-03-01", slug)["failures"] == []
            assert complete(energy.database, DATASETS[slug], days) == set(days.half_hours())
            before.add(slug)
        for slug in datasets:
            given = f"payload_id in (select payload_id from staging.{slug}_payloads)"
            own = dataset_facts()[slug].own_rows
            assert energy.value(f"select count(*) from {table} where ({own}) <> ({given})") == 0, slug


def test_dbt_reads_the_same_of_a_dataset_as_the_planner(facts: Facts) -> None:
    of_dbt = {
        source.identifier.removesuffix("_payloads"): facts_from(source.config.meta)
        for source in facts.manifest.sources.values()
        if source.schema == "staging" and source.source_name != "staging"
    }
    assert of_dbt == dataset_facts()


def test_what_a_source_entry_names_exists() -> None:
    for slug, known in dataset_facts().items():
        assert set(known.complete_in or ()) <= set(DATASETS[slug].clean_tables), slug
        assert set(known.defers_to) <= set(DATASETS) - {slug}, slug
    TopologicalSorter({slug: known.defers_to for slug, known in dataset_facts().items()}).prepare()


def test_an_unknown_word_of_a_source_entry_is_refused() -> None:
    meta = {"value": "price_gbp_mwh", "first_year": 2016, "refreshed_every_minutes": 30}
    assert facts_from(meta).defers_to == ()
    with pytest.raises(TypeError, match="after"):
        facts_from({**meta, "after": ["neso__demand_history"]})


def test_dbt_takes_the_value_of_carbon_from_the_setting(energy: Energy) -> None:
    energy.set(CARBON_VALUE_GBP_TONNE="100")
    dbt = Dbt(energy.database, energy.data_dir)
    functions = {node.name: node for node in dbt.facts().manifest.functions.values()}
    dbt.close()
    (weights,) = [each.default_value for each in functions["best_windows"].arguments if each.name == "weights"]
    assert weights == """'{"carbon": 0.1, "price": 0}'"""


@pytest.mark.slow
def test_a_region_that_is_missing_makes_a_half_hour_incomplete(energy: Energy) -> None:
    """Eighteen values per half-hour: the source entry says it, the planner and data_coverage count by it."""
    energy.refresh("carbon_intensity__regional")
    start = energy.value(
        "select max(period_start) from carbon_intensity_regional where period_start < now() - interval '1 day'"
    )
    window = Window(start, start + HALF_HOUR)
    for table in DATASETS["carbon_intensity__regional"].clean_tables:
        energy.query(
            f"update {table} set is_synthetic = false, fetched_at = now() + interval '3 days' where period_start = %s",
            start,
        )
    energy.query(
        "update staging.carbon_intensity__regional_payloads set fetched_at = now() + interval '3 days', "
        "request_params = request_params - 'seen_at'"
    )
    assert complete(energy.database, DATASETS["carbon_intensity__regional"], window) == {start}
    energy.query("delete from carbon_intensity_regional where region_id = 7 and period_start = %s returning 1", start)
    assert complete(energy.database, DATASETS["carbon_intensity__regional"], window) == set()


def test_coverage_waits_as_long_as_the_quickest_dataset_needs(facts: Facts) -> None:
    waited = {name: entry for name, entry in parts(facts).items() if "lag" in entry}
    markets = ("n2ex_day_ahead", "apx_market_index", "system_price")
    assert set(waited) == {
        "demand_actual_national",
        "demand_regional/nation",
        *(f"wholesale_prices/{m}" for m in markets),
    }
    for name, entry in waited.items():
        hours, _ = entry["lag"].split()
        lags = [dataset.lag for dataset in DATASETS.values() if is_of(dataset, entry) and dataset.lag > timedelta(0)]
        assert min(lags) == timedelta(hours=int(hours)), name


@pytest.mark.slow
def test_a_synthetic_row_in_the_place_of_a_real_one_is_found_in_every_table(energy: Energy, facts: Facts) -> None:
    from checkpoints.suite import Suites

    assert energy.refresh()["failures"] == []
    suites = Suites(energy.database)
    with ledger.run(energy.database, "test", {}) as run:
        for table in facts.clean_tables():
            results = {r.description: r for r in clean.validate(energy.database, run, suites, table)}
            rule = "no synthetic row takes the place of a real one"
            assert results[rule].success, table.name
            for dataset in table.datasets:
                key = ", ".join(table.key)
                found = energy.query(
                    f"update {table.name} set is_synthetic = true where ({key}) in (select {key} from {table.name} "
                    f"where payload_id in (select payload_id from staging.{dataset}_payloads) and not is_synthetic limit 1) "
                    "returning 1"
                )
                results = {r.description: r for r in clean.validate(energy.database, run, suites, table)}
                assert results[rule].success != bool(found), (table.name, dataset, results[rule])
                energy.query(f"update {table.name} set is_synthetic = false")
    suites.close()
