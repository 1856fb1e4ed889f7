"""`/quality`: the published forecast against ours by day, as both were known when the day began."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.service.conftest import Api
from tests.service.pages.reading import see
from warehouse.periods import LONDON, day_start

CAPTURE = """
insert into intermediate.int_carbon_intensity__captures
    (region_id, payload_id, known_at, first_period_start, forecasts_gco2_kwh, is_synthetic, fetched_at, updated_at, is_archive)
values (18, gen_random_uuid(), %s, %s, array_fill(%s::smallint, array[120]), %s, %s, now(), false)
"""
BAND = """
insert into intermediate.int_carbon_intensity__bands
    (known_on, region_id, lead_from_hours, known_at, days, errors, centre_gco2_kwh, slope, error_p10_gco2_kwh, error_p50_gco2_kwh,
    error_p90_gco2_kwh, updated_at)
select %s::date, 18, lead, %s, 9, 90, 200, 0, 0, 30, 60, now()
from unnest(array[0, 1, 2, 3, 4, 6, 9, 12, 18, 24, 30, 36, 42]) as lead
"""
CAME = """
insert into carbon_intensity_national
    (period_start, period_end, forecast_gco2_kwh, actual_gco2_kwh, payload_id, is_synthetic, fetched_at, updated_at)
select at, at + interval '30 minutes', 999, 150, gen_random_uuid(), false, now(), now()
from generate_series(%s::timestamptz, %s::timestamptz - interval '30 minutes', interval '30 minutes') as at
on conflict (period_start) do update set actual_gco2_kwh = 150, is_synthetic = false
"""


@pytest.fixture
def compared(api: Api) -> Api:
    """Three days: published 200 and 150 came. The second has a band that takes 30 off, the third a forecast that is synthetic."""
    api.query("delete from intermediate.int_carbon_intensity__captures")
    api.query("delete from intermediate.int_carbon_intensity__bands")
    today = datetime.now(UTC).astimezone(LONDON).date()
    for back, is_synthetic in ((9, False), (5, False), (1, True)):
        day = today - timedelta(days=back)
        begins = day_start(day)
        api.query(CAPTURE, begins - timedelta(minutes=5), begins - timedelta(minutes=30), 200, is_synthetic, begins)
        # what is known later in the day is of no use when it begins
        api.query(CAPTURE, begins + timedelta(hours=2), begins + timedelta(hours=2), 150, is_synthetic, begins)
        api.query(CAME, begins, day_start(day + timedelta(days=1)))
    with_band = day_start(today - timedelta(days=5))
    api.query(BAND, (with_band - timedelta(hours=2)).date(), with_band - timedelta(hours=2))
    return api


def test_both_forecasts_are_compared_over_the_same_half_hours(compared: Api) -> None:
    rows = compared.query(
        "select half_hours, published_absolute_error_gco2_kwh::float8, published_error_gco2_kwh::float8, "
        "p50_absolute_error_gco2_kwh::float8, p50_error_gco2_kwh::float8 from forecast_errors_daily order by settlement_date"
    )
    assert [row[0] in (46, 48, 50) for row in rows] == [True, True], "a synthetic forecast is not compared"
    assert [row[1:] for row in rows] == [(50.0, 50.0, None, None), (50.0, 50.0, 20.0, 20.0)]


def test_the_page_says_which_was_nearer(compared: Api) -> None:
    text = see(compared, "/quality").text
    assert "On 1 day with both, ours was off by 20.0 g and the published one by 50.0 g" in text
    compared.query("delete from intermediate.int_carbon_intensity__bands")
    assert "Ours is not compared yet: it needs a band" in see(compared, "/quality").text
    compared.query("delete from intermediate.int_carbon_intensity__captures")
    assert "No day is compared yet" in see(compared, "/quality").text
