"""A value that differs sharply from both half-hours beside it is flagged on its row, and no decision rests on it."""

import json
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from flows.session import session
from flows.steps import publish
from pipelines.catalogue import DATASETS
from tests.dbt_project.test_views import half_hour, insert
from tests.energy import Energy
from tests.flows.test_door_and_sql import land
from tests.pipelines.hostile import Sample
from warehouse.periods import HALF_HOUR, Window, floor, iso

START = datetime(2026, 11, 9, 10, tzinfo=UTC)
BOUND = 50
Series = Mapping[datetime, int | None]


def isolated(series: Series) -> set[datetime]:
    """The rule in plain Python."""
    found: set[datetime] = set()
    for first in series:
        for length in (1, 2):
            run = [first + n * HALF_HOUR for n in range(length)]
            beside = series.get(first - HALF_HOUR), series.get(first + length * HALF_HOUR)
            values = [series.get(at) for at in run]
            if None in beside or None in values:
                continue
            low, high = min(beside), max(beside)  # type: ignore[type-var]
            if low - max(values) >= BOUND or min(values) - high >= BOUND:  # type: ignore[operator, type-var]
                found.update(run)
    return found


def put(energy: Energy, series: Series, *, actual: bool = False) -> None:
    """Land and publish a series as national intensity: as what was measured, or as a forecast."""
    rows = [
        {
            "from": iso(at), "to": iso(at + HALF_HOUR),
            "intensity": {"forecast": value, "actual": value if actual else None, "index": None},
        }
        for at, value in series.items()
    ]  # fmt: skip
    window = Window(min(series), max(series) + HALF_HOUR)
    land(
        energy, Sample(DATASETS["carbon_intensity__national"], window, None), {"": json.dumps({"data": rows}).encode()}
    )
    with session("refresh", {}) as this:
        publish(this)


def flagged(energy: Energy) -> set[datetime]:
    return {row[0] for row in energy.query("select period_start from carbon_intensity_national where is_isolated")}


@pytest.mark.parametrize(
    ("values", "places"),
    [
        ([200, 5, 200, 200], {1}),
        ([50, 284, 51, 50], {1}),
        ([180, 5, 8, 203, 200], {1, 2}),  # the two half-hours of 2026-09-23
        ([200, 151, 200], set()),
        ([200, 150, 200], {1}),
        ([200, 5, 8, 6, 203], set()),  # three in a row are weather
        ([200, 5, 5], set()),  # a step
        ([5, 200, 200], set()),  # no decision rests on what has ended: its ends are not checked
        ([200, None, 5, 200], set()),
    ],
)
def test_what_stands_apart_is_flagged(energy: Energy, values: Sequence[int | None], places: set[int]) -> None:
    put(energy, {START + n * HALF_HOUR: value for n, value in enumerate(values)})
    assert flagged(energy) == {START + n * HALF_HOUR for n in places}


def test_the_flags_are_those_of_plain_python_beside_gaps_and_nulls_too(energy: Energy) -> None:
    chance = random.Random(13)
    series = {
        START - timedelta(days=60) + n * HALF_HOUR: None
        if chance.random() < 0.05
        else chance.choice((5, 20, 60, 100, 150, 200))
        for n in range(2000)
        if chance.random() > 0.05
    }
    put(energy, series)
    assert flagged(energy) == isolated(series) and 200 < len(isolated(series)) < 1500


def test_half_hours_that_come_twice_are_seen_as_if_they_came_once(energy: Energy) -> None:
    values = (200, 5, 200, 200)
    rows = [
        {
            "from": iso(START + n * HALF_HOUR), "to": iso(START + (n + 1) * HALF_HOUR),
            "intensity": {"forecast": value, "actual": None, "index": None},
        }
        for n, value in enumerate(values)
    ]  # fmt: skip
    window = Window(START, START + 4 * HALF_HOUR)
    body = json.dumps({"data": rows * 2}).encode()
    land(energy, Sample(DATASETS["carbon_intensity__national"], window, None), {"": body})
    with session("refresh", {}) as this:
        publish(this)
    assert flagged(energy) == {START + HALF_HOUR}


def test_no_decision_rests_on_what_stands_apart(energy: Energy) -> None:
    energy.refresh("carbon_intensity__regional")  # regions, and every table of the views
    this = floor(datetime.now(UTC))
    energy.query("truncate carbon_intensity_regional")
    rows = [
        half_hour(
            this + n * HALF_HOUR, region_id=13, forecast_gco2_kwh=5 if n == 4 else 200, is_isolated=n == 4,
            fetched_at=datetime.now(UTC),
        )
        for n in range(60)
    ]  # fmt: skip
    insert(energy, "carbon_intensity_regional", *rows)
    best = energy.query(
        "select distinct mean_gco2_kwh from best_windows('1 hour', %s, %s)", this, this + timedelta(hours=20)
    )
    assert [row[0] for row in best] == [200]
    (found,) = energy.query(
        "select best_1h_gco2_kwh, best_4h_gco2_kwh from regional_opportunities where region_id = 13"
    )
    assert found == (200, 200)


def test_what_the_service_ranks_by_does_not_know_a_forecast_that_stands_apart(energy: Energy) -> None:
    first = floor(datetime.now(UTC))
    series = {first + n * HALF_HOUR: 5 if n == 3 else 200 for n in range(8)}
    put(energy, series)
    known = dict(energy.query("select period_start, forecast_gco2_kwh from carbon_intensity_as_of(now())"))
    assert known == {at: value if value == 200 else None for at, value in series.items()}
    vintages = energy.query("select forecast_gco2_kwh from carbon_intensity_vintages where is_isolated")
    assert vintages == [(5,)], "what was sent is kept"


@pytest.mark.slow
def test_the_flag_reaches_a_database_that_was_made_without_it(energy: Energy) -> None:
    put(energy, {START + n * HALF_HOUR: value for n, value in enumerate((100, 100, 100))})
    energy.query("drop view carbon_intensity_forecast_24h, carbon_intensity_vintages, regional_opportunities cascade")
    for table in ("carbon_intensity_national", "carbon_intensity_regional"):
        energy.query(f"alter table {table} drop column is_isolated cascade")
    energy.query("alter table intermediate.int_carbon_intensity__captures drop column are_isolated cascade")
    later = {START + timedelta(days=1) + n * HALF_HOUR: value for n, value in enumerate((100, 5, 100))}
    put(energy, later)
    assert flagged(energy) == {START + timedelta(days=1) + HALF_HOUR}
    assert energy.value("select count(*) from carbon_intensity_national where is_isolated is null") == 3
    assert energy.value("select count(*) from carbon_intensity_vintages where is_isolated") >= 0


def test_the_first_half_hour_to_come_is_compared_with_the_one_before_it(energy: Energy) -> None:
    """A misfire in the half-hour in progress does not win "start now"."""
    this = floor(datetime.now(UTC))
    put(energy, {this + (n - 2) * HALF_HOUR: value for n, value in enumerate((200, 200, 5, 200, 200))})
    found = dict(
        energy.query("select period_start, forecast_gco2_kwh from carbon_intensity_as_of(now(), 18::smallint)")
    )
    assert this in found and found[this] is None


def test_the_half_hour_in_progress_is_compared_with_the_two_before_it(energy: Energy) -> None:
    """Of three in a row two have ended: they are no forecasts, and yet make it weather."""
    this = floor(datetime.now(UTC))
    put(energy, {this + (n - 2) * HALF_HOUR: value for n, value in enumerate((5, 5, 5, 200, 200))})
    found = dict(
        energy.query("select period_start, forecast_gco2_kwh from carbon_intensity_as_of(now(), 18::smallint)")
    )
    assert found[this] == 5
