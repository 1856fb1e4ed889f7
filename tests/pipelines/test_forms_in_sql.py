"""Dates, instants and numbers: what the door reads in a text, the staging models read as the same value."""

import json
import re
import uuid
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.dataset import BodyRejected
from pipelines.neso.rows import NUMBER, parse_date
from tests.energy import Energy
from warehouse.periods import parse_instant

EAC = {
    "auctionProduct": "DCL",
    "serviceType": "",
    "deliveryEnd": "9999-01-01T00:00",
    "clearedVolume": "",
    "clearingPrice": "",
}
N2EX = {"Delivery Period": "00:00 - 01:00", "Price": ""}
mangled = st.lists(
    st.sampled_from([*"0123456789-:T Z+./", "Nov", "24", "60", "٣", "\u00a0", "\n", "W1"]), max_size=8
).map("".join)


def near(*forms: str) -> st.SearchStrategy[str]:
    """Texts like these, or with another piece somewhere in them."""
    return st.builds(
        lambda text, place, piece, cut: text[: place % (len(text) + 1)] + piece + text[place % (len(text) + 1) + cut :],
        st.sampled_from(forms),
        st.integers(0, 30),
        mangled,
        st.integers(0, 3),
    )


INSTANTS = near(
    "2026-11-09T10:00:00", "2026-03-29T01:30Z", "2024-02-29 23:59:59.123456+00:00", "2026-11-09T10:00:00-15:59"
)
DATES = near("2026-11-09", "2024-02-29T00:00:00", "20261109", "9-Nov-2026", "09-Nov-26", "31/12/2025")
MOST_GBP = 10_000
"""The bound of a price: what is beyond it is a fault, and NULL."""
NUMBERS = near("0", "-12.50", "NA", " 7 ", "100000000000", "\t3\n")


def seen(energy: Energy, dataset: str, column: str, record: dict) -> object:
    """What the staging model reads in a record, alone in its table."""
    body = json.dumps({"success": True, "result": {"records": [record]}})
    with energy.database.connect() as connection:
        connection.execute(f"truncate staging.{dataset}_payloads")
        connection.execute(
            f"insert into staging.{dataset}_payloads (payload_id, payload, origin, request_url, request_params, window_start, "
            "window_end, fetched_at, body_bytes, run_id, _dlt_load_id, _dlt_id) "
            "values (%(id)s, %(body)s, 'live', '', '{}', now(), now(), now(), 1, %(id)s, '', %(id)s::text)",
            {"id": uuid.uuid4(), "body": body},
        )
        row = connection.execute(f"select {column} from intermediate.stg_{dataset}").fetchone()
    assert row is not None
    return row[0]


def test_instants_dates_and_numbers_mean_the_same_at_the_door_and_in_sql(energy: Energy) -> None:
    @given(INSTANTS)
    def instants(text: str) -> None:
        try:
            wanted = parse_instant(text)
        except ValueError:
            return
        record = {**EAC, "deliveryStart": text}
        assert seen(energy, "neso__eac_results", "period_start at time zone 'UTC'", record) == wanted.astimezone(
            UTC
        ).replace(tzinfo=None)

    @given(DATES)
    def dates(text: str) -> None:
        try:
            wanted = parse_date(text)
        except BodyRejected:
            return
        hour = seen(energy, "neso__n2ex_day_ahead", "period_start at time zone 'UTC'", {**N2EX, "Date": text})
        assert isinstance(hour, datetime) and hour.date() == wanted

    @given(NUMBERS)
    def numbers(text: str) -> None:
        if not re.search(NUMBER, text):
            return
        price = seen(
            energy, "neso__eac_results", "price_gbp_mw_h::float8", {**EAC, "deliveryStart": None, "clearingPrice": text}
        )
        read = float(text) if text.strip() not in ("", "NA") else None
        assert price == (None if read is None or abs(read) > MOST_GBP else read)

    instants()
    dates()
    numbers()


@pytest.mark.parametrize(
    "text", ["2026-W10-1", "20261109T10", "2026-11-09T10:00:00+16:00", "٢٠٢٦-11-09T10:00Z", "2026-02-30T10:00Z"]
)
def test_what_only_one_side_could_read_is_no_instant(text: str) -> None:
    with pytest.raises(ValueError, match=r"cannot be read|day is out of range|out of range"):
        parse_instant(text)


def test_each_form_of_a_date_that_the_files_have_had_is_read() -> None:
    forms = ["2026-11-09", "2026-11-09T00:00:00", "20261109", "9-Nov-2026", "09-NOV-2026", "09-Nov-26", "09/11/2026"]
    assert {parse_date(text) for text in forms} == {date(2026, 11, 9)}
