"""The door: every layout that NESO's files have had goes through, and its half-hours are recognised."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from pipelines.client import UpstreamClient
from pipelines.dataset import FetchRequest
from pipelines.neso import (
    demand_forecast_2_14d,
    demand_forecast_cardinal,
    demand_history,
    demand_update,
    n2ex_day_ahead,
)
from pipelines.neso.demand_history import DEMAND_HISTORY
from pipelines.settings import PipelineSettings
from tests.conftest import RECORDED_DIR, needs_recorded
from tests.emulator import Emulator
from tests.pipelines.neso import bodies
from warehouse.periods import HALF_HOUR, Window, settlement_days

NESO = (RECORDED_DIR or Path()) / "neso"
HISTORIC, UPDATE, FORECASTS = NESO / "historic_demand", NESO / "demand_data_update", NESO / "forecasts"
N2EX = NESO / "n2ex_day_ahead/nordpool_n2ex_gb_day_ahead_excerpt.csv"


def half_hours(first: str, last: str) -> set[datetime]:
    return set(settlement_days(date.fromisoformat(first), date.fromisoformat(last)).half_hours())


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@needs_recorded
@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        *(
            (f"demanddata_{year}.csv", f"{year}-01-01", f"{year}-12-31")
            for year in (2001, 2005, 2009, 2018, 2023, 2025)
        ),
        ("demanddata_2025_captured_2025-10.csv", "2025-01-01", "2025-10-03"),
        ("demanddata_2026_to_2026-02-06.csv", "2026-01-01", "2026-02-06"),
    ],
)
def test_every_layout_of_historic_demand_holds_all_its_half_hours(name: str, first: str, last: str) -> None:
    contents = demand_history.validate(bodies.recorded(HISTORIC / name))
    assert contents.named == contents.complete == half_hours(first, last)


@needs_recorded
@pytest.mark.parametrize("year", [2001, 2023])
def test_the_datastore_prints_what_the_file_says(recorded_emulator: Emulator, year: int) -> None:
    client = UpstreamClient(recorded_emulator.settings["NESO_URL"], settings=PipelineSettings(http_attempts=1))
    (answer,) = DEMAND_HISTORY.fetch(
        FetchRequest(client, settlement_days(date(year, 1, 1), date(year, 12, 31)))
    ).responses
    assert answer.failure is None
    assert demand_history.validate(answer.body) == demand_history.validate(
        bodies.recorded(HISTORIC / f"demanddata_{year}.csv")
    )


@needs_recorded
@pytest.mark.parametrize(
    ("year", "start", "end", "periods"),
    [
        (2001, "2001-03-25T00:00", "2001-03-25T23:00", 46),
        (2001, "2001-10-27T23:00", "2001-10-29T00:00", 50),
        (2023, "2023-03-26T00:00", "2023-03-26T23:00", 46),
        (2023, "2023-10-28T23:00", "2023-10-30T00:00", 50),
    ],
)
def test_days_of_46_and_50_periods_are_without_a_gap_in_utc(year: int, start: str, end: str, periods: int) -> None:
    complete = demand_history.validate(bodies.recorded(HISTORIC / f"demanddata_{year}.csv")).complete
    day = Window(utc(start), utc(end))
    assert len(day) == periods
    assert set(day.half_hours()) <= complete


@needs_recorded
def test_the_update_of_april_2024_holds_actuals_and_forecasts_over_the_clock_change() -> None:
    contents = demand_update.validate(bodies.recorded(UPDATE / "demanddataupdate_captured_2024-04.csv"))
    assert contents.named == contents.complete == half_hours("2024-03-01", "2024-04-21")
    assert len(contents.complete) == 2494


@needs_recorded
def test_placeholders_of_the_update_are_named_but_not_complete() -> None:
    contents = demand_update.validate(bodies.recorded(UPDATE / "demanddataupdate_excerpt_captured_2026-10-08.csv"))
    assert len(contents.named) == 29
    assert contents.named - contents.complete == {utc("2026-10-08T06:30"), utc("2026-10-08T07:00")}
    assert utc("2026-10-15T00:30") in contents.complete, "a forecast has no demand and is complete as it is"


@needs_recorded
def test_the_year_under_way_may_have_the_columns_of_the_update() -> None:
    name = "historic_demand_data_2026_resource_excerpt_demanddataupdate_2026.csv"
    assert demand_history.validate(bodies.recorded(UPDATE / name)).complete == {
        utc("2026-01-01T00:00") + n * HALF_HOUR for n in range(4)
    }


@needs_recorded
@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("dem1_demand_forecast_1d_day_ahead_national_20261009.csv", ["2026-10-09"]),
        ("dem1_national_forecast_7d_day_ahead_20261014.csv", ["2026-10-14"]),
        (
            "dem1_demand_forecast_1d_historic_day_ahead_excerpt.csv",
            ["2018-01-02", "2018-01-03", "2018-03-28", "2026-10-09"],
        ),
    ],
)
def test_cardinal_points_hold_the_half_hours_of_their_days(name: str, days: list[str]) -> None:
    contents = demand_forecast_cardinal.validate(bodies.recorded(FORECASTS / name))
    assert contents.named == contents.complete == set().union(*(half_hours(day, day) for day in days))


@needs_recorded
def test_the_half_hourly_forecast_is_labelled_by_the_end() -> None:
    contents = demand_forecast_2_14d.validate(
        bodies.recorded(FORECASTS / "dem1_2_14d_half_hourly_excerpt_2026-10-10.csv")
    )
    assert contents.named == contents.complete == half_hours("2026-10-10", "2026-10-10")


@needs_recorded
def test_hours_of_n2ex_are_of_gmt_in_summer_and_on_days_of_clock_changes_too() -> None:
    complete = n2ex_day_ahead.validate(bodies.recorded(N2EX)).complete
    for day in ("2024-03-31", "2024-10-27"):
        assert {utc(day) + n * HALF_HOUR for n in range(48)} <= complete
    assert {utc("2021-09-20T23:30"), utc("2021-09-21T00:00")} <= complete
    assert max(complete) == utc("2026-10-08T21:30")
