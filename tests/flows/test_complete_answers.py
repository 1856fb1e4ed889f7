"""What shows by its payloads alone that it is complete: an answer without all its rows is never the reason not to ask again."""

from datetime import UTC, datetime, timedelta

import pytest

from flows.dataset_facts import dataset_facts
from flows.plan import backfill_requests
from flows.session import Session, session
from flows.steps import land
from pipelines.catalogue import DATASETS
from pipelines.dataset import Dataset
from tests.emulator import Emulator
from tests.energy import Energy
from warehouse.periods import Window, settlement_day, settlement_days

DAY = timedelta(days=1)
NOW = datetime.now(UTC)
ROWS = {"neso": "datastore_search_sql", "elexon": "/elexon/"}
"""What the paths contain that give rows, by source."""
BY_PAYLOADS = [
    DATASETS[slug]
    for slug, facts in dataset_facts().items()
    if facts.complete_in == () and DATASETS[slug].earliest(NOW) < NOW - 40 * DAY
]
"""Those that a backfill can request."""
UNVERSIONED = [dataset for dataset in BY_PAYLOADS if dataset.source == "elexon"]
by_payloads = pytest.mark.parametrize("dataset", BY_PAYLOADS, ids=lambda dataset: dataset.slug)
unversioned = pytest.mark.parametrize("dataset", UNVERSIONED, ids=lambda dataset: dataset.slug)
TABLES = {"elexon__demand_forecast": "demand_forecast_national", "elexon__demand_forecast_zonal": "demand_regional"}


def asked(dataset: Dataset) -> Window:
    """Two days, long final."""
    first = settlement_day(dataset.earliest(NOW)) + 32 * DAY
    return settlement_days(first, first + DAY)


def backfill(energy: Energy, this: Session, dataset: Dataset) -> int:
    """Land what is missing. Returns the number of requests."""
    requests = backfill_requests(energy.database, [dataset], asked(dataset), datetime.now(UTC), force=False)
    land(this, requests)
    return len(requests)


def can_be_short(dataset: Dataset) -> bool:
    """Whether a body shows that rows are missing: those of events do not."""
    return not dataset.is_sparse or dataset.lacks is not Dataset.lacks


def test_only_the_events_of_a_service_do_not_show_that_some_are_missing() -> None:
    assert [dataset.slug for dataset in BY_PAYLOADS if not can_be_short(dataset)] == ["neso__dfs_utilisation"]


@by_payloads
@pytest.mark.parametrize("kind", ["empty", "short_horizon"])
def test_an_answer_without_all_its_rows_is_requested_again(
    energy: Energy, emulator: Emulator, dataset: Dataset, kind: str
) -> None:
    emulator.fault(kind, ROWS[dataset.source], times=1)
    with session("backfill", {}) as this:
        land(this, [])
        counts = [backfill(energy, this, dataset) for _ in range(3)]
    assert counts == ([1, 1, 0] if kind == "empty" or can_be_short(dataset) else [1, 0, 0])


@unversioned
@pytest.mark.parametrize(("kind", "hours"), [("empty", 24 * 7), ("short_horizon", 6)])
def test_what_gives_no_more_for_long_is_not_requested_for_ever(
    energy: Energy, emulator: Emulator, dataset: Dataset, kind: str, hours: int
) -> None:
    emulator.fault(kind, ROWS[dataset.source])
    with session("backfill", {}) as this:
        land(this, [])
        for requests in (1, 1, 1):
            assert backfill(energy, this, dataset) == requests
            age(energy, dataset, hours=hours / 3)
        age(energy, dataset, hours=1)
        assert [backfill(energy, this, dataset) for _ in range(2)] == [1, 0]


def age(energy: Energy, dataset: Dataset, *, hours: float) -> None:
    """What has landed came so many hours sooner."""
    energy.query(f"update staging.{dataset.payload_table} set fetched_at = fetched_at - %s", timedelta(hours=hours))


@pytest.mark.slow
@unversioned
@pytest.mark.parametrize("kind", ["empty", "short_horizon"])
def test_nothing_synthetic_is_left_and_nothing_missing(
    energy: Energy, emulator: Emulator, dataset: Dataset, kind: str
) -> None:
    day = "2026-05-01"
    emulator.fault(kind, ROWS[dataset.source], times=1)
    for _ in range(2):
        energy.backfill(day, day, dataset.slug)
    values = 17 if dataset.is_sparse else 1
    assert energy.query(f"select is_synthetic, count(*) from {TABLES[dataset.slug]} group by 1") == [
        (False, 48 * values)
    ]
