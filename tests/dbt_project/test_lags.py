"""How late each upstream may be stands in two languages: in the datasets, and in the macro that coverage is judged by."""

import re
from datetime import timedelta

from pipelines.catalogue import DATASETS
from pipelines.dataset import Dataset
from warehouse.settings import PROJECT_ROOT

MACRO = (PROJECT_ROOT / "dbt_project/macros/coverage.sql").read_text()
MODEL = (PROJECT_ROOT / "dbt_project/models/intermediate/int_data_coverage__days.sql").read_text()


def lags() -> dict[str, timedelta]:
    """What the macro `coverage_lag` says, by dataset of data_coverage."""
    body = MACRO.partition("macro coverage_lag")[2].partition("endmacro")[0]
    return {
        name: timedelta(hours=int(hours))
        for name, hours in re.findall(r"when '(.+)' then interval '(\d+) hours'", body)
    }


def quickest(name: str) -> timedelta:
    """The lag of the dataset that is first to have a half-hour of this part of a clean table."""
    table, _, part = name.partition("/")

    def feeds(dataset: Dataset) -> bool:
        is_of_part = not part or table != "wholesale_prices" or f"market = '{part}'" == dataset.rows
        return table in dataset.clean_tables and is_of_part and dataset.lag > timedelta(0)

    return min(dataset.lag for dataset in DATASETS.values() if feeds(dataset))


def test_coverage_waits_as_long_as_the_datasets_say() -> None:
    assert lags() == {name: quickest(name) for name in lags()} and len(lags()) == 5


def test_every_measured_dataset_has_a_lag_in_the_macro() -> None:
    measured = {
        "demand_actual_national",
        *(d.rows.split("'")[1] for d in DATASETS.values() if d.rows.startswith("market")),
    }
    assert {name.partition("/")[2] or name for name in lags()} == measured | {"nation"}
    for name in lags():
        assert name.partition("/")[0] in MODEL, "the name of data_coverage"
