"""The door: any body at all is either accepted or refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.dataset import BodyRejected
from pipelines.neso import (
    demand_forecast_2_14d,
    demand_forecast_cardinal,
    demand_forecast_day_ahead,
    demand_history,
    demand_update,
    n2ex_day_ahead,
)
from tests.pipelines.neso import bodies
from tests.pipelines.neso.validators import NOT_READ, ROWS, VALIDATORS

DEEP = b'{"success":true,"x":' + b"[" * 20_000


@pytest.mark.parametrize("validate_body", ROWS, ids=lambda validate_body: validate_body.__name__)
def test_a_body_too_deep_to_read_is_refused(validate_body) -> None:
    with pytest.raises(BodyRejected):
        validate_body(DEEP)


@pytest.mark.parametrize(
    ("validate_body", "changed"),
    [
        (demand_history.validate, {"SETTLEMENT_PERIOD": 10**15}),
        (demand_update.validate, {"SETTLEMENT_DATE": "9999-12-31", "SETTLEMENT_PERIOD": 49}),
        (demand_forecast_day_ahead.validate, {"Settlement_Period": -(10**15)}),
        (demand_forecast_2_14d.validate, {"GDATETIME": "0001-01-01T00:00:00"}),
        (demand_forecast_cardinal.validate, {"TARGETDATE": 99991231}),
        (n2ex_day_ahead.validate, {"Date": "9999-12-31", "Delivery Period": "99:00 - 00:00"}),
    ],
)
def test_what_no_calendar_can_hold_is_refused(validate_body, changed: dict) -> None:
    with pytest.raises(BodyRejected):
        validate_body(bodies.printed([{**ROWS[validate_body], **changed}]))


WEIRD = st.sampled_from([
    10**15, -(10**15), 99991231, 10101, "0001-01-01", "9999-12-31", "0001-01-01T00:00:00", "9999-12-31T23:59:59",
    "0001-01-01T00:00:00+14:00", "99:00 - 99:00", "99999999", "٣", "\ud800", "\x00", "1" * 5000,
])  # fmt: skip
VALUES = WEIRD | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.lists(st.none())


@pytest.mark.parametrize("validate_body", ROWS, ids=lambda validate_body: validate_body.__name__)
@given(body=st.binary(max_size=200))
def test_no_bytes_break_the_door(validate_body, body: bytes) -> None:
    try:
        validate_body(body)
    except BodyRejected as reason:
        assert str(reason)


@VALIDATORS
@given(data=st.data())
def test_no_value_breaks_the_door(validate_body, row: dict, data: st.DataObject) -> None:
    changed = data.draw(st.dictionaries(st.sampled_from(sorted(row.keys() - NOT_READ)), VALUES, min_size=1))
    try:
        contents = validate_body(json.dumps({"success": True, "result": {"records": [{**row, **changed}]}}).encode())
        assert contents.complete <= contents.named
    except BodyRejected as reason:
        assert str(reason)
