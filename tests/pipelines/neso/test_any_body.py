"""The door: whatever comes, it is judged or refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.dataset import BodyRejected
from pipelines.neso import responses
from tests.pipelines.neso import bodies
from tests.pipelines.neso.judges import JUDGES, NOT_READ, ROWS

DEEP = b'{"success":true,"x":' + b"[" * 20_000


@pytest.mark.parametrize("judge", ROWS, ids=lambda judge: judge.__name__)
def test_a_body_too_deep_to_read_is_refused(judge) -> None:
    with pytest.raises(BodyRejected):
        judge(DEEP)


@pytest.mark.parametrize(
    ("judge", "changed"),
    [
        (responses.judge_demand_history, {"SETTLEMENT_PERIOD": 10**15}),
        (responses.judge_demand_update, {"SETTLEMENT_DATE": "9999-12-31", "SETTLEMENT_PERIOD": 49}),
        (responses.judge_day_ahead, {"Settlement_Period": -(10**15)}),
        (responses.judge_two_to_14, {"GDATETIME": "0001-01-01T00:00:00"}),
        (responses.judge_cardinal, {"TARGETDATE": 99991231}),
        (responses.judge_n2ex, {"Date": "9999-12-31", "Delivery Period": "99:00 - 00:00"}),
    ],
)
def test_what_no_calendar_can_hold_is_refused(judge, changed: dict) -> None:
    with pytest.raises(BodyRejected):
        judge(bodies.printed([{**ROWS[judge], **changed}]))


WEIRD = st.sampled_from([
    10**15, -(10**15), 99991231, 10101, "0001-01-01", "9999-12-31", "0001-01-01T00:00:00", "9999-12-31T23:59:59",
    "0001-01-01T00:00:00+14:00", "99:00 - 99:00", "99999999", "٣", "\ud800", "\x00", "1" * 5000,
])  # fmt: skip
VALUES = WEIRD | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.lists(st.none())


@pytest.mark.parametrize("judge", ROWS, ids=lambda judge: judge.__name__)
@given(body=st.binary(max_size=200))
def test_no_bytes_break_the_door(judge, body: bytes) -> None:
    try:
        judge(body)
    except BodyRejected as reason:
        assert str(reason)


@JUDGES
@given(data=st.data())
def test_no_value_breaks_the_door(judge, row: dict, data: st.DataObject) -> None:
    changed = data.draw(st.dictionaries(st.sampled_from(sorted(row.keys() - NOT_READ)), VALUES, min_size=1))
    try:
        contents = judge(json.dumps({"success": True, "result": {"records": [{**row, **changed}]}}).encode())
        assert contents.complete <= contents.named
    except BodyRejected as reason:
        assert str(reason)
