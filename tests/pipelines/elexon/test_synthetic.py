"""Synthetic bodies of Elexon: of the upstream's shape, plausible, and the same for ever."""

import hashlib
import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.dataset import Dataset
from pipelines.elexon import DATASETS
from pipelines.elexon.demand_forecast import DEMAND_FORECAST
from pipelines.elexon.demand_forecast_zonal import ZONAL_FORECAST
from pipelines.elexon.demand_outturn import DEMAND_OUTTURN
from pipelines.elexon.market_index import MARKET_INDEX
from pipelines.elexon.system_prices import SYSTEM_PRICES
from pipelines.payload import compact
from warehouse.periods import HALF_HOUR, settlement_days
from warehouse.settings import PROJECT_ROOT

HALF_HOURS = st.sets(st.integers(0, 48 * 365 * 12), min_size=1, max_size=20).map(
    lambda ns: {datetime(2018, 6, 1, tzinfo=UTC) + n * HALF_HOUR for n in ns}
)
LATER = datetime(2035, 1, 1, tzinfo=UTC)
ALL = pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
DIGEST = """
import hashlib
from datetime import UTC, date, datetime
from pipelines.elexon import DATASETS
from pipelines.payload import compact
from warehouse.periods import settlement_days
digest = hashlib.sha256()
for dataset in DATASETS:
    half_hours = set(settlement_days(date(2024, 3, 30), date(2024, 4, 1)).half_hours())
    digest.update(compact(dataset.synthesize(half_hours, datetime(2024, 3, 31, 12, tzinfo=UTC))))
print(digest.hexdigest())
"""


def rows(dataset: Dataset, half_hours: Any) -> list[dict[str, Any]]:
    return list(json.loads(compact(dataset.synthesize(half_hours, LATER)))["data"])


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


@ALL
@given(half_hours=HALF_HOURS)
def test_it_passes_the_door_and_holds_what_was_asked(dataset: Dataset, half_hours: set[datetime]) -> None:
    contents = dataset.validate(compact(dataset.synthesize(half_hours, LATER)))
    assert contents.complete == contents.named == half_hours


@ALL
@given(half_hours=HALF_HOURS)
def test_a_half_hour_has_the_same_values_whatever_it_is_asked_with(dataset: Dataset, half_hours: set[datetime]) -> None:
    together = {json.dumps(row, sort_keys=True) for row in rows(dataset, half_hours)}
    alone = {json.dumps(row, sort_keys=True) for h in half_hours for row in rows(dataset, [h])}
    assert together == alone


def test_it_is_the_same_in_another_process() -> None:
    here = hashlib.sha256()
    for dataset in DATASETS:
        half_hours = set(settlement_days(date(2024, 3, 30), date(2024, 4, 1)).half_hours())
        here.update(compact(dataset.synthesize(half_hours, datetime(2024, 3, 31, 12, tzinfo=UTC))))
    command = [sys.executable, "-c", DIGEST]
    there = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True).stdout
    assert there.strip() == here.hexdigest()


@ALL
@pytest.mark.parametrize(("day", "periods"), [(date(2024, 3, 31), 46), (date(2024, 10, 27), 50)])
def test_periods_count_on_when_the_clocks_change(dataset: Dataset, day: date, periods: int) -> None:
    found = rows(dataset, list(settlement_days(day, day).half_hours()))
    labels = dict.fromkeys((row["settlementDate"], row["settlementPeriod"]) for row in found)
    assert list(labels) == [(str(day), number) for number in range(1, periods + 1)]
    starts = list(dict.fromkeys(instant(row["startTime"]) for row in found))
    assert {later - earlier for earlier, later in pairwise(starts)} == {HALF_HOUR}


@given(half_hours=HALF_HOURS)
def test_demand_is_that_of_great_britain(half_hours: set[datetime]) -> None:
    for row in rows(DEMAND_OUTTURN, half_hours):
        assert 15_000 <= row["initialDemandOutturn"] < row["initialTransmissionSystemDemandOutturn"] <= 50_000
        assert instant(row["publishTime"]) == instant(row["startTime"]) + HALF_HOUR
    for row in rows(DEMAND_FORECAST, half_hours):
        assert 15_000 <= row["nationalDemand"] < row["transmissionSystemDemand"] <= 50_000
        assert row["boundary"] == "N"


@given(half_hours=HALF_HOURS)
def test_zones_share_the_demand_of_the_nation(half_hours: set[datetime]) -> None:
    found = rows(ZONAL_FORECAST, half_hours)
    assert all(row["nationalDemand"] is None for row in found)
    national = {row["startTime"]: row["transmissionSystemDemand"] for row in rows(DEMAND_FORECAST, half_hours)}
    for start, demand in national.items():
        zones = {row["boundary"]: row["transmissionSystemDemand"] for row in found if row["startTime"] == start}
        assert zones.keys() == {f"B{number}" for number in range(1, 18)}
        assert 15_000 <= sum(zones.values()) <= demand


@given(half_hours=HALF_HOURS)
def test_a_forecast_is_made_the_day_before(half_hours: set[datetime]) -> None:
    for row in rows(DEMAND_FORECAST, half_hours) + rows(ZONAL_FORECAST, half_hours):
        ahead = instant(row["startTime"]) - instant(row["publishTime"])
        assert timedelta(hours=12) < ahead < timedelta(hours=48)


@given(half_hours=HALF_HOURS)
def test_prices_are_those_of_a_market(half_hours: set[datetime]) -> None:
    for row in rows(MARKET_INDEX, half_hours):
        assert -200 <= row["price"] <= 400
        assert row["volume"] > 0, "without a volume there would be no price"
    for row in rows(SYSTEM_PRICES, half_hours):
        assert -300 <= row["systemSellPrice"] == row["systemBuyPrice"] <= 500
        assert abs(row["netImbalanceVolume"]) <= 300
        assert instant(row["createdDateTime"]) > instant(row["startTime"]) + HALF_HOUR
