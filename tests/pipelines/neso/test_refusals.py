"""The door: a body of another than the documented shape is refused, with the reason."""

from pathlib import Path

import pytest

from pipelines.dataset import BodyRejected, Contents
from pipelines.neso import demand_forecast_2_14d, demand_history, n2ex_day_ahead
from tests.conftest import RECORDED_DIR, needs_recorded
from tests.pipelines.neso import bodies
from tests.pipelines.neso.validators import NOT_READ, ROWS, VALIDATORS

NUMBERS = (
    "ND", "TSD", "ENGLAND_WALES_DEMAND", "EMBEDDED_WIND_GENERATION", "NATIONALDEMAND", "Demand_Forecast",
    "FORECASTDEMAND", "Price", "clearedVolume", "clearingPrice", "DFS Procured MW", "Utilisation Price GBP per MWh",
)  # fmt: skip
FAILED = b'{"help": "h", "success": false, "error": {"__type": "Search Error", "message": "no"}}'


@VALIDATORS
def test_a_row_as_documented_passes(validate_body, row: dict) -> None:
    assert isinstance(validate_body(bodies.printed([row, {**row, "_id": 1, "new": "x"}])), Contents)
    assert validate_body(bodies.printed([])) == Contents(frozenset(), frozenset())


@VALIDATORS
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{}", "empty object"),
        (b"\n<!DOCTYPE html><html>", "HTML"),
        (FAILED, "error object"),
        (bodies.printed([]).replace(b'"success": true', b'"success": false'), "failed"),
        (b'{"success": true}', "result"),
        (b'{"success": true, "result": {"records": null}}', "documented shape"),
        (b'"Bad request - Action name not known: x"', "documented shape"),
        (b"[]", "documented shape"),
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
    ],
)
def test_the_reason_is_in_words(validate_body, row: dict, body: bytes, words: str) -> None:
    with pytest.raises(BodyRejected, match=words):
        validate_body(body)


@VALIDATORS
def test_a_body_cut_short_is_refused_wherever_it_is_cut(validate_body, row: dict) -> None:
    body = bodies.printed([row, row])
    for length in range(len(body)):
        with pytest.raises(BodyRejected):
            validate_body(body[:length])


@VALIDATORS
def test_a_column_that_is_missing_is_named(validate_body, row: dict) -> None:
    for column in row.keys() - NOT_READ:
        without = {name: value for name, value in row.items() if name != column}
        with pytest.raises(BodyRejected, match=f"missing required field `{column}`"):
            validate_body(bodies.printed([row, without]))


@VALIDATORS
@pytest.mark.parametrize("text", ["unknown", "1e5", "12 MW", "1,234", "NaN", "--"])
def test_text_that_is_no_number_is_refused(validate_body, row: dict, text: str) -> None:
    for column in row.keys() & set(NUMBERS):
        with pytest.raises(BodyRejected, match="documented shape"):
            validate_body(bodies.printed([row, {**row, column: text}]))


@pytest.mark.parametrize(
    ("day", "period"),
    [("2024-03-31", 47), ("31-MAR-2024", "48"), ("2024-01-01", 49), ("2024-10-27", 51), ("2024-01-01", 0), ("2024-01-01", -1)],
)  # fmt: skip
def test_a_period_that_the_day_does_not_have_is_refused(day: str, period: object) -> None:
    with pytest.raises(BodyRejected, match="no settlement period"):
        demand_history.validate(
            bodies.printed([{**bodies.DEMAND, "SETTLEMENT_DATE": day, "SETTLEMENT_PERIOD": period}])
        )


@pytest.mark.parametrize("day", ["", "NA", "2024-02-30", "1 January 2024", "2024-01-01T00:00:00Z extra", "32/01/2024"])
def test_a_date_that_cannot_be_read_is_refused(day: str) -> None:
    with pytest.raises(BodyRejected, match="date cannot be read"):
        demand_history.validate(bodies.printed([{**bodies.DEMAND, "SETTLEMENT_DATE": day}]))


@pytest.mark.parametrize(
    "label", ["22:30 - 23:30", "22 - 23", "22:00-23:00", "10pm - 11pm", "", None, 22, "25:00 - 26:00", "99:00 - 00:00"]
)
def test_a_label_that_is_no_hour_is_refused(label: object) -> None:
    with pytest.raises(BodyRejected):
        n2ex_day_ahead.validate(bodies.printed([{**bodies.N2EX, "Delivery Period": label}]))


@pytest.mark.parametrize("end", ["2026-10-09T23:17:00", "2026-10-09T23:30:01", "tomorrow", ""])
def test_a_time_that_ends_no_half_hour_is_refused(end: str) -> None:
    with pytest.raises(BodyRejected):
        demand_forecast_2_14d.validate(bodies.printed([{**bodies.TWO_TO_14, "GDATETIME": end}]))


@needs_recorded
def test_the_answer_to_another_statement_is_refused() -> None:
    for name in ("eac_fy2025_aggregate", "tec_west_weybridge", "embedded_2023-12-21_extract"):
        body = ((RECORDED_DIR or Path()) / f"neso/api_json/datastore_search_sql_{name}.json").read_bytes()
        for validate_body in ROWS:
            with pytest.raises(BodyRejected, match="missing required field"):
                validate_body(body)
