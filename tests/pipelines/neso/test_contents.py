"""The half-hours that a row stands for, and those that it holds in full."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.dataset import Contents
from pipelines.neso import demand_history, demand_update, dfs_utilisation, eac_results, n2ex_day_ahead
from pipelines.neso.rows import parse_date
from tests.pipelines.neso import bodies
from warehouse.periods import HALF_HOUR


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["2024-06-01", "2024-06-01T00:00:00", "01-JUN-2024", "01-Jun-24", "01/06/2024", " 2024-06-01 "]
)
def test_every_form_of_a_date_is_the_same_half_hour(text: str) -> None:
    body = bodies.printed([{**bodies.DEMAND, "SETTLEMENT_DATE": text, "SETTLEMENT_PERIOD": "3"}])
    assert demand_history.validate(body).complete == {utc("2024-06-01T00:00")}


@given(st.dates(date(2000, 1, 1), date(2060, 12, 31)), st.sampled_from(["%Y-%m-%d", "%d-%b-%y", "%d/%m/%Y", "%Y%m%d"]))
def test_a_date_is_always_read_as_it_was_written(day: date, form: str) -> None:
    assert parse_date(f"{day:{form}}".upper()) == day


@pytest.mark.parametrize("demand", ["NA", "", None, 0, "0", -5])
def test_a_half_hour_without_a_demand_is_named_but_not_complete(demand: object) -> None:
    for validate_body, row in ((demand_history.validate, bodies.DEMAND), (demand_update.validate, bodies.UPDATE)):
        contents = validate_body(bodies.printed([{**row, "ND": demand}]))
        assert (len(contents.named), len(contents.complete)) == (1, 0)


def test_what_is_missing_beside_the_demand_takes_nothing_away() -> None:
    row = {**bodies.DEMAND, "TSD": "NA", "EMBEDDED_WIND_GENERATION": "NA", "EMBEDDED_SOLAR_GENERATION": None}
    assert len(demand_history.validate(bodies.printed([row])).complete) == 1


def test_an_hour_without_a_price_is_there() -> None:
    contents = n2ex_day_ahead.validate(bodies.printed([{**bodies.N2EX, "Price": None}]))
    assert contents.complete == {utc("2024-01-01T22:00"), utc("2024-01-01T22:00") + HALF_HOUR}


@pytest.mark.parametrize(
    ("validate_body", "row"), [(eac_results.validate, bodies.EAC), (dfs_utilisation.validate, bodies.DFS)]
)
def test_events_name_no_half_hours(validate_body, row: dict[str, object]) -> None:
    assert validate_body(bodies.printed([row])).named == frozenset()


@pytest.mark.parametrize(
    ("validate_body", "row"), [(eac_results.validate, bodies.EAC), (dfs_utilisation.validate, bodies.DFS)]
)
def test_a_file_that_was_loaded_twice_is_no_larger_than_itself(
    validate_body: Callable[[bytes], Contents], row: dict[str, object]
) -> None:
    rows = [row, {**row, "clearingPrice": "1.5", "DFS Procured MW": 7}]
    assert validate_body(bodies.printed(rows)).size == validate_body(bodies.printed(rows * 2)).size == 2
