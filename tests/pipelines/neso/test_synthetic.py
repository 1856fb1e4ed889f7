"""Synthetic bodies of NESO: of the upstream's shape, plausible, and the same for ever."""

import hashlib
import json
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.dataset import Dataset
from pipelines.neso import DATASETS
from pipelines.neso.demand_forecast_2_14d import TWO_TO_14_DAYS_AHEAD as TWO_TO_14
from pipelines.neso.demand_forecast_cardinal import CARDINAL
from pipelines.neso.demand_forecast_day_ahead import DAY_AHEAD
from pipelines.neso.demand_history import DEMAND_HISTORY
from pipelines.neso.demand_update import DEMAND_UPDATE
from pipelines.neso.n2ex_day_ahead import N2EX
from pipelines.payload import compact
from pipelines.synthetic import national_demand_mw
from warehouse.periods import HALF_HOUR, LONDON, settlement_day, settlement_days
from warehouse.settings import PROJECT_ROOT

HALF_HOURS = st.sets(st.integers(0, 48 * 365 * 12), min_size=1, max_size=20).map(
    lambda ns: {datetime(2018, 6, 1, tzinfo=UTC) + n * HALF_HOUR for n in ns}
)
LATER = datetime(2035, 1, 1, tzinfo=UTC)
CLOCK_CHANGES = pytest.mark.parametrize(("day", "periods"), [(date(2024, 3, 31), 46), (date(2024, 10, 27), 50)])
ALL = pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
DIGEST = """
import hashlib
from datetime import UTC, date, datetime
from pipelines.neso import DATASETS
from pipelines.payload import compact
from warehouse.periods import settlement_days
digest = hashlib.sha256()
for dataset in DATASETS:
    half_hours = set(settlement_days(date(2024, 3, 30), date(2024, 4, 1)).half_hours())
    digest.update(compact(dataset.synthesize(half_hours, datetime(2024, 3, 31, 12, tzinfo=UTC))))
print(digest.hexdigest())
"""


def records(dataset: Dataset, half_hours: Any, now: datetime = LATER) -> list[dict[str, Any]]:
    return list(json.loads(compact(dataset.synthesize(half_hours, now)))["result"]["records"])


@ALL
@given(half_hours=HALF_HOURS)
def test_it_passes_the_door_and_holds_what_was_asked(dataset: Dataset, half_hours: set[datetime]) -> None:
    for now in (LATER, datetime(2024, 1, 1, 12, 10, tzinfo=UTC)):
        contents = dataset.validate(compact(dataset.synthesize(half_hours, now)))
        assert contents.complete == contents.named
        assert dataset.is_sparse or contents.complete >= half_hours


@pytest.mark.parametrize("dataset", [DEMAND_HISTORY, DEMAND_UPDATE, TWO_TO_14, DAY_AHEAD], ids=lambda d: d.name)
@given(half_hours=HALF_HOURS)
def test_it_holds_nothing_else(dataset: Dataset, half_hours: set[datetime]) -> None:
    assert dataset.validate(compact(dataset.synthesize(half_hours, LATER))).named == half_hours


@given(half_hours=HALF_HOURS)
def test_prices_are_of_whole_hours(half_hours: set[datetime]) -> None:
    hours = {half_hour.replace(minute=0) for half_hour in half_hours}
    assert N2EX.validate(compact(N2EX.synthesize(half_hours, LATER))).named == hours | {h + HALF_HOUR for h in hours}


@ALL
@given(half_hours=HALF_HOURS)
def test_a_half_hour_has_the_same_values_whatever_it_is_asked_with(dataset: Dataset, half_hours: set[datetime]) -> None:
    together = {json.dumps(row, sort_keys=True) for row in records(dataset, half_hours)}
    alone = {json.dumps(row, sort_keys=True) for h in half_hours for row in records(dataset, [h])}
    assert together == alone


def test_it_is_the_same_in_another_process() -> None:
    here = hashlib.sha256()
    for dataset in DATASETS:
        half_hours = set(settlement_days(date(2024, 3, 30), date(2024, 4, 1)).half_hours())
        here.update(compact(dataset.synthesize(half_hours, datetime(2024, 3, 31, 12, tzinfo=UTC))))
    command = [sys.executable, "-c", DIGEST]
    there = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True).stdout
    assert there.strip() == here.hexdigest()


@given(half_hours=HALF_HOURS)
def test_demand_is_that_of_great_britain(half_hours: set[datetime]) -> None:
    for dataset, column in ((DEMAND_HISTORY, "ND"), (DEMAND_UPDATE, "ND"), (TWO_TO_14, "NATIONALDEMAND"),
                            (DAY_AHEAD, "Demand_Forecast"), (CARDINAL, "FORECASTDEMAND")):  # fmt: skip
        assert all(15_000 <= row[column] <= 50_000 for row in records(dataset, half_hours))
    for row in records(DEMAND_HISTORY, half_hours):
        assert row["ENGLAND_WALES_DEMAND"] < row["ND"] < row["TSD"] < row["ND"] + 3_000
        assert 0 <= row["EMBEDDED_SOLAR_GENERATION"] <= 15_000
        assert 0 <= row["EMBEDDED_WIND_GENERATION"] <= 6_000


@given(half_hours=HALF_HOURS)
def test_prices_are_those_of_a_market(half_hours: set[datetime]) -> None:
    assert all(-200 <= float(row["Price"]) <= 400 for row in records(N2EX, half_hours))


def test_what_has_not_ended_is_a_forecast_without_a_demand() -> None:
    now = datetime(2024, 5, 1, 12, 10, tzinfo=UTC)
    rows = records(DEMAND_UPDATE, [now.replace(minute=0) + n * HALF_HOUR for n in (-1, 0, 1)], now)
    assert [row["FORECAST_ACTUAL_INDICATOR"] for row in rows] == ["A", "F", "F"]
    assert [row["ND"] > 0 for row in rows] == [True, False, False]
    assert all(row["EMBEDDED_SOLAR_GENERATION"] > 0 for row in rows)


@CLOCK_CHANGES
@pytest.mark.parametrize(
    ("dataset", "of", "period"),
    [
        (DEMAND_HISTORY, "SETTLEMENT_DATE", "SETTLEMENT_PERIOD"),
        (DEMAND_UPDATE, "SETTLEMENT_DATE", "SETTLEMENT_PERIOD"),
        (DAY_AHEAD, "Date", "Settlement_Period"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_periods_count_on_when_the_clocks_change(
    dataset: Dataset, of: str, period: str, day: date, periods: int
) -> None:
    rows = records(dataset, list(settlement_days(day, day).half_hours()))
    assert [(row[of], row[period]) for row in rows] == [(str(day), number) for number in range(1, periods + 1)]


@CLOCK_CHANGES
def test_the_half_hourly_forecast_follows_utc_when_the_clocks_change(day: date, periods: int) -> None:
    rows = records(TWO_TO_14, list(settlement_days(day, day).half_hours()))
    ends = [datetime.fromisoformat(row["GDATETIME"]) for row in rows]
    assert len(ends) == periods
    assert {later - earlier for earlier, later in pairwise(ends)} == {HALF_HOUR}
    assert (rows[0]["CTIME"], rows[-1]["CTIME"], {row["DATE"] for row in rows}) == (30, 2400, {str(day)})


@CLOCK_CHANGES
def test_cardinal_points_keep_to_the_clock_when_it_changes(day: date, periods: int) -> None:
    half_hours = set(settlement_days(day, day).half_hours())
    assert CARDINAL.validate(compact(CARDINAL.synthesize(half_hours, LATER))).complete == half_hours
    for row in records(CARDINAL, half_hours):
        minutes = row["CP_ST_TIME"] // 100 * 60 + row["CP_ST_TIME"] % 100 - 30
        start = datetime.combine(day, time(minutes // 60, minutes % 60), LONDON).astimezone(UTC)
        assert settlement_day(start) == day
        assert row["FORECASTDEMAND"] == national_demand_mw(start), row["CP_ST_TIME"]
        assert datetime.fromisoformat(row["FORECAST_TIMESTAMP"]) < start - timedelta(hours=12)
