"""The half-hours that a row stands for, and those that it holds in full."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.dataset import Contents
from pipelines.neso.responses import (
    judge_demand_history,
    judge_demand_update,
    judge_dfs,
    judge_eac,
    judge_n2ex,
    parse_date,
)
from pipelines.periods import HALF_HOUR
from tests.pipelines.neso import bodies


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["2024-06-01", "2024-06-01T00:00:00", "01-JUN-2024", "01-Jun-24", "01/06/2024", " 2024-06-01 "]
)
def test_every_form_of_a_date_is_the_same_half_hour(text: str) -> None:
    body = bodies.printed([{**bodies.DEMAND, "SETTLEMENT_DATE": text, "SETTLEMENT_PERIOD": "3"}])
    assert judge_demand_history(body).complete == {utc("2024-06-01T00:00")}


@given(st.dates(date(2000, 1, 1), date(2060, 12, 31)), st.sampled_from(["%Y-%m-%d", "%d-%b-%y", "%d/%m/%Y", "%Y%m%d"]))
def test_a_date_is_always_read_as_it_was_written(day: date, form: str) -> None:
    assert parse_date(f"{day:{form}}".upper()) == day


@pytest.mark.parametrize("demand", ["NA", "", None, 0, "0", -5])
def test_a_half_hour_without_a_demand_is_named_but_not_complete(demand: object) -> None:
    for judge, row in ((judge_demand_history, bodies.DEMAND), (judge_demand_update, bodies.UPDATE)):
        contents = judge(bodies.printed([{**row, "ND": demand}]))
        assert (len(contents.named), len(contents.complete)) == (1, 0)


def test_what_is_missing_beside_the_demand_takes_nothing_away() -> None:
    row = {**bodies.DEMAND, "TSD": "NA", "EMBEDDED_WIND_GENERATION": "NA", "EMBEDDED_SOLAR_GENERATION": None}
    assert len(judge_demand_history(bodies.printed([row])).complete) == 1


def test_an_hour_without_a_price_is_there() -> None:
    contents = judge_n2ex(bodies.printed([{**bodies.N2EX, "Price": None}]))
    assert contents.complete == {utc("2024-01-01T22:00"), utc("2024-01-01T22:00") + HALF_HOUR}


@pytest.mark.parametrize(("judge", "row"), [(judge_eac, bodies.EAC), (judge_dfs, bodies.DFS)])
def test_events_name_no_half_hours(judge, row: dict[str, object]) -> None:
    assert judge(bodies.printed([row])).named == frozenset()


@pytest.mark.parametrize(("judge", "row"), [(judge_eac, bodies.EAC), (judge_dfs, bodies.DFS)])
def test_a_file_that_was_loaded_twice_is_no_larger_than_itself(
    judge: Callable[[bytes], Contents], row: dict[str, object]
) -> None:
    rows = [row, {**row, "clearingPrice": "1.5", "DFS Procured MW": 7}]
    assert judge(bodies.printed(rows)).size == judge(bodies.printed(rows * 2)).size == 2
