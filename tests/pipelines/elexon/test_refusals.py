"""The door: what is not of the documented shape does not go through, and no body breaks it."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.dataset import BodyRejected, Contents
from pipelines.elexon import responses
from tests.conftest import RECORDED_DIR, needs_recorded
from tests.pipelines.elexon import bodies

API_JSON = (RECORDED_DIR or Path()) / "elexon/api_json"
ROWS = {
    responses.judge_market_index: bodies.MARKET_INDEX,
    responses.judge_system_prices: bodies.SYSTEM_PRICE,
    responses.judge_outturn: bodies.OUTTURN,
    responses.judge_forecast: bodies.FORECAST,
    responses.judge_zonal_forecast: {**bodies.FORECAST, "boundary": "B1", "nationalDemand": None},
}
JUDGES = pytest.mark.parametrize(("judge", "row"), ROWS.items(), ids=lambda v: getattr(v, "__name__", ""))
NOT_READ = {"settlementDate", "settlementPeriod"}
TEXTS = {"startTime", "publishTime", "createdDateTime", "dataProvider", "boundary"}
DEEP = b'{"x":' + b"[" * 20_000


@JUDGES
def test_a_row_as_documented_passes(judge, row: dict) -> None:
    assert isinstance(judge(bodies.printed([row, {**row, "new": "x"}], note="y")), Contents)


@needs_recorded
@JUDGES
def test_the_recorded_refusal_of_a_range_is_an_error_in_words(judge, row: dict) -> None:
    with pytest.raises(BodyRejected, match=r"error object.*must not be later than the To field"):
        judge((API_JSON / "error_400_range.json").read_bytes())


@needs_recorded
@JUDGES
def test_the_bare_array_of_a_stream_is_the_shape_of_another_route(judge, row: dict) -> None:
    with pytest.raises(BodyRejected, match="documented shape"):
        judge((API_JSON / "datasets_MID_stream_APX_2026-09-20.json").read_bytes())


@JUDGES
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
def test_the_reason_is_in_words(judge, row: dict, body: bytes, words: str) -> None:
    with pytest.raises(BodyRejected, match=words):
        judge(body)


@JUDGES
def test_the_rows_of_another_route_are_refused(judge, row: dict) -> None:
    for other, rows in ROWS.items():
        if rows.keys() != row.keys():
            with pytest.raises(BodyRejected, match="missing required field"):
                other(bodies.printed([row]))


@JUDGES
def test_a_body_cut_short_is_refused_wherever_it_is_cut(judge, row: dict) -> None:
    body = bodies.printed([row, row])
    for length in range(len(body)):
        with pytest.raises(BodyRejected):
            judge(body[:length])


@JUDGES
def test_a_key_that_is_missing_is_named(judge, row: dict) -> None:
    for key in row.keys() - NOT_READ:
        without = {name: value for name, value in row.items() if name != key}
        with pytest.raises(BodyRejected, match=f"missing required field `{key}`"):
            judge(bodies.printed([row, without]))


@JUDGES
@pytest.mark.parametrize("text", ["unknown", "12", "NaN", "", [], True])
def test_what_is_no_number_is_refused(judge, row: dict, text: object) -> None:
    for key in row.keys() - NOT_READ - TEXTS:
        with pytest.raises(BodyRejected, match="documented shape"):
            judge(bodies.printed([row, {**row, key: text}]))


@JUDGES
@pytest.mark.parametrize(
    "start",
    [
        "2024-02-01", "2024-02-01T00:10:00Z", "2024-02-01T00:30:00.5Z", "2024-02-01T00:00:00", "2024-13-01T00:00:00Z",
        "soon", None, 1706745600,
    ],
)  # fmt: skip
def test_a_start_that_is_no_half_hour_of_utc_is_refused(judge, row: dict, start: object) -> None:
    with pytest.raises(BodyRejected):
        judge(bodies.printed([row, {**row, "startTime": start}]))


@JUDGES
@pytest.mark.parametrize("start", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:30:00-01:00"])
def test_what_no_calendar_can_hold_is_refused(judge, row: dict, start: str) -> None:
    with pytest.raises(BodyRejected):
        judge(bodies.printed([{**row, "startTime": start}]))


@JUDGES
def test_a_body_too_deep_to_read_is_refused(judge, row: dict) -> None:
    with pytest.raises(BodyRejected):
        judge(DEEP)


WEIRD = st.sampled_from(["0001-01-01T00:00:00+01:00", "9999-12-31T23:30:00-01:00", "\ud800", "\x00", 10**400, 1e308])
VALUES = WEIRD | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.lists(st.none())


@JUDGES
@given(body=st.binary(max_size=200))
def test_no_bytes_break_the_door(judge, row: dict, body: bytes) -> None:
    try:
        judge(body)
    except BodyRejected as reason:
        assert str(reason)


@JUDGES
@given(data=st.data())
def test_no_value_breaks_the_door(judge, row: dict, data: st.DataObject) -> None:
    changed = data.draw(st.dictionaries(st.sampled_from(sorted(row.keys() - NOT_READ)), VALUES, min_size=1))
    try:
        contents = judge(json.dumps({"data": [{**row, **changed}]}).encode())
        assert contents.complete <= contents.named
    except BodyRejected as reason:
        assert str(reason)
