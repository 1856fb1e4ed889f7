"""The door: what is not of the documented shape does not go through, and no body breaks it."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.dataset import BodyRejected, Contents
from pipelines.elexon import demand_forecast, demand_forecast_zonal, demand_outturn, market_index, system_prices
from tests.conftest import RECORDED_DIR, needs_recorded
from tests.pipelines.elexon import bodies

API_JSON = (RECORDED_DIR or Path()) / "elexon/api_json"
ROWS = {
    market_index.validate: bodies.MARKET_INDEX,
    system_prices.validate: bodies.SYSTEM_PRICE,
    demand_outturn.validate: bodies.OUTTURN,
    demand_forecast.validate: bodies.FORECAST,
    demand_forecast_zonal.validate: {**bodies.FORECAST, "boundary": "B1", "nationalDemand": None},
}
VALIDATORS = pytest.mark.parametrize(("validate_body", "row"), ROWS.items(), ids=lambda v: getattr(v, "__name__", ""))
NOT_READ = {"settlementDate", "settlementPeriod"}
TEXTS = {"startTime", "publishTime", "createdDateTime", "dataProvider", "boundary"}
DEEP = b'{"x":' + b"[" * 20_000


@VALIDATORS
def test_a_row_as_documented_passes(validate_body, row: dict) -> None:
    assert isinstance(validate_body(bodies.printed([row, {**row, "new": "x"}], note="y")), Contents)


@needs_recorded
@VALIDATORS
def test_the_recorded_refusal_of_a_range_is_an_error_in_words(validate_body, row: dict) -> None:
    with pytest.raises(BodyRejected, match=r"error object.*must not be later than the To field"):
        validate_body((API_JSON / "error_400_range.json").read_bytes())


@needs_recorded
@VALIDATORS
def test_the_bare_array_of_a_stream_is_the_shape_of_another_route(validate_body, row: dict) -> None:
    with pytest.raises(BodyRejected, match="documented shape"):
        validate_body((API_JSON / "datasets_MID_stream_APX_2026-09-20.json").read_bytes())


@VALIDATORS
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{}", "empty object"),
        (b" <html>", "HTML"),
        (b'{"type":"x","title":"An error occurred.","status":500,"traceId":"y"}', "error object"),
        (b'{"data":null}', "documented shape"),
        (b'{"data":{}}', "documented shape"),
        (b'{"metadata":{"datasets":["MID"]}}', "missing required field `data`"),
        (b"null", "documented shape"),
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
    ],
)
def test_the_reason_is_in_words(validate_body, row: dict, body: bytes, words: str) -> None:
    with pytest.raises(BodyRejected, match=words):
        validate_body(body)


@VALIDATORS
def test_the_rows_of_another_route_are_refused(validate_body, row: dict) -> None:
    for other, rows in ROWS.items():
        if rows.keys() != row.keys():
            with pytest.raises(BodyRejected, match="missing required field"):
                other(bodies.printed([row]))


@VALIDATORS
def test_a_body_cut_short_is_refused_wherever_it_is_cut(validate_body, row: dict) -> None:
    body = bodies.printed([row, row])
    for length in range(len(body)):
        with pytest.raises(BodyRejected):
            validate_body(body[:length])


@VALIDATORS
def test_a_key_that_is_missing_is_named(validate_body, row: dict) -> None:
    for key in row.keys() - NOT_READ:
        without = {name: value for name, value in row.items() if name != key}
        with pytest.raises(BodyRejected, match=f"missing required field `{key}`"):
            validate_body(bodies.printed([row, without]))


@VALIDATORS
@pytest.mark.parametrize("text", ["unknown", "12", "NaN", "", [], True])
def test_what_is_no_number_is_refused(validate_body, row: dict, text: object) -> None:
    for key in row.keys() - NOT_READ - TEXTS:
        with pytest.raises(BodyRejected, match="documented shape"):
            validate_body(bodies.printed([row, {**row, key: text}]))


@VALIDATORS
@pytest.mark.parametrize(
    "start",
    [
        "2024-02-01", "2024-02-01T00:10:00Z", "2024-02-01T00:30:00.5Z", "2024-02-01T00:00:00", "2024-13-01T00:00:00Z",
        "soon", None, 1706745600,
    ],
)  # fmt: skip
def test_a_start_that_is_no_half_hour_of_utc_is_refused(validate_body, row: dict, start: object) -> None:
    with pytest.raises(BodyRejected):
        validate_body(bodies.printed([row, {**row, "startTime": start}]))


@VALIDATORS
@pytest.mark.parametrize("start", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:30:00-01:00"])
def test_what_no_calendar_can_hold_is_refused(validate_body, row: dict, start: str) -> None:
    with pytest.raises(BodyRejected):
        validate_body(bodies.printed([{**row, "startTime": start}]))


@VALIDATORS
def test_a_body_too_deep_to_read_is_refused(validate_body, row: dict) -> None:
    with pytest.raises(BodyRejected):
        validate_body(DEEP)


WEIRD = st.sampled_from(["0001-01-01T00:00:00+01:00", "9999-12-31T23:30:00-01:00", "\ud800", "\x00", 10**400, 1e308])
VALUES = WEIRD | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.lists(st.none())


@VALIDATORS
@given(body=st.binary(max_size=200))
def test_no_bytes_break_the_door(validate_body, row: dict, body: bytes) -> None:
    try:
        validate_body(body)
    except BodyRejected as reason:
        assert str(reason)


@VALIDATORS
@given(data=st.data())
def test_no_value_breaks_the_door(validate_body, row: dict, data: st.DataObject) -> None:
    changed = data.draw(st.dictionaries(st.sampled_from(sorted(row.keys() - NOT_READ)), VALUES, min_size=1))
    try:
        contents = validate_body(json.dumps({"data": [{**row, **changed}]}).encode())
        assert contents.complete <= contents.named
    except BodyRejected as reason:
        assert str(reason)
