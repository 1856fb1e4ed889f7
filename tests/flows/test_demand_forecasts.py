"""Forecasts of demand, end to end: the kinds of them, when they were issued, and what was known when."""

import csv
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.conftest import RECORDED_DIR, needs_recorded
from tests.emulator import Emulator
from tests.energy import Energy

HALF_HOUR = timedelta(minutes=30)
LONDON = ZoneInfo("Europe/London")
ARCHIVE = "9847e7bb-986e-49be-8138-717b25933fbb"
TOMORROW = "aec5601a-7f3e-4c4c-bf56-d8e4184d3c5b"
CARDINAL, HALF_HOURLY = "neso__demand_forecast_cardinal", "neso__demand_forecast_day_ahead"
FORTNIGHT, ELEXON = "neso__demand_forecast_2_14d", "elexon__demand_forecast"
RECORDS = "staging.neso__demand_forecast_%s_payloads, jsonb_array_elements(payload -> 'result' -> 'records') as row"


def begins(day: date, minutes: float = 0) -> datetime:
    """An instant so many elapsed minutes after midnight in London."""
    return datetime.combine(day, time(), LONDON).astimezone(UTC) + timedelta(minutes=minutes)


def ended_by(day: date, clock: int) -> datetime:
    """The start of the half-hour that ends when the clock of London shows this."""
    following, minutes = divmod(clock // 100 * 60 + clock % 100, 24 * 60)
    end = datetime.combine(day + timedelta(days=following), time(minutes // 60, minutes % 60), LONDON)
    return end.astimezone(UTC) - HALF_HOUR


def read(name: str) -> list[dict[str, str]]:
    assert RECORDED_DIR is not None
    with (RECORDED_DIR / "neso/forecasts" / name).open(newline="") as file:
        return list(csv.DictReader(file))


def forecasts(energy: Energy, day: date) -> list[int]:
    rows = energy.query(
        "select national_demand_mw from demand_forecast_national where settlement_date = %s order by period_start", day
    )
    return [mw for (mw,) in rows]


def assert_lies_between(forecast: list[int], points: list[dict[str, Any]]) -> None:
    """On a day of 48 half-hours: a point is hit, and between two of them nothing is outside both."""
    middles = [
        (
            sum(int(row[name]) // 100 * 60 + int(row[name]) % 100 for name in ("CP_ST_TIME", "CP_END_TIME")) / 2,
            int(row["FORECASTDEMAND"]),
        )
        for row in points
    ]
    assert len(forecast) == 48
    for number, mw in enumerate(forecast, start=1):
        before = [demand for at, demand in middles if at <= 30 * number][-1:]
        after = [demand for at, demand in middles if at >= 30 * number][:1]
        assert min(before + after) <= mw <= max(before + after)


@pytest.mark.slow
@needs_recorded
def test_recorded_cardinal_points_become_half_hours_between_them(energy: Energy, emulator: Emulator) -> None:
    energy.set(SYNTHETIC_FALLBACK="off")
    old = [
        row for row in read("dem1_demand_forecast_1d_historic_day_ahead_excerpt.csv") if row["TARGETDATE"] < "2018-12"
    ]
    full = read("dem1_demand_forecast_1d_day_ahead_national_20261009.csv")
    new = [row | {"TARGETDATE": "2026-10-09", "FORECAST_TIMESTAMP": "2026-10-08T08:36:07Z"} for row in full]
    emulator.neso.put(ARCHIVE, [*old, *new])
    for first, last in (("2018-01-02", "2018-03-28"), ("2026-10-09", "2026-10-09")):
        assert not energy.backfill(first, last, CARDINAL)["failures"]
    assert_lies_between(forecasts(energy, date(2026, 10, 9)), full)
    assert_lies_between(forecasts(energy, date(2018, 1, 2)), [row for row in old if row["TARGETDATE"] == "2018-01-02"])
    for clock, mw in ((30, 21371), (400, 18914), (800, 25672), (2400, 21001)):
        start = ended_by(date(2026, 10, 9), clock)
        assert (
            energy.value("select national_demand_mw from demand_forecast_national where period_start = %s", start) == mw
        )
    assert energy.query("select distinct forecast_type, source, is_synthetic from demand_forecast_national") == [
        ("day_ahead_interpolated", "neso", False)
    ]
    assert forecasts(energy, date(2018, 3, 28))[0] == 27240
    days = energy.query("select settlement_date::text, count(*) from demand_forecast_national group by 1 order by 1")
    # the excerpt ends within two days: no forecast goes on behind a last point that does not end its day
    assert days == [("2018-01-02", 48), ("2018-01-03", 1), ("2018-03-28", 2), ("2026-10-09", 48)]
    twice = energy.query("select distinct issued_at from demand_forecast_national where settlement_date = '2018-03-28'")
    assert [issued_at.strftime("%M:%S") for (issued_at,) in twice] == ["52:30"], "the last of two issues"


@pytest.mark.slow
@pytest.mark.parametrize("day", [date(2024, 3, 31), date(2024, 10, 27)])
def test_cardinal_points_stand_at_the_clock_of_london_when_it_changes(
    energy: Energy, emulator: Emulator, day: date
) -> None:
    energy.backfill(str(day), str(day), CARDINAL)
    assert len(forecasts(energy, day)) == (46 if day.month == 3 else 50)
    points = energy.query(
        f"select (row ->> 'CP_END_TIME')::numeric::int, (row ->> 'FORECASTDEMAND')::int from {RECORDS % 'cardinal'} "
        "where (row ->> 'CP_ST_TIME')::numeric = (row ->> 'CP_END_TIME')::numeric"
    )
    wanted = {ended_by(day, clock): mw for clock, mw in points if clock >= 400}
    assert len(wanted) >= 3
    got = energy.query(
        "select period_start, national_demand_mw from demand_forecast_national where period_start = any(%s)",
        list(wanted),
    )
    assert dict(got) == wanted


@pytest.mark.slow
def test_half_hourly_wins_over_interpolated_and_a_backfill_adds_no_vintage(energy: Energy, emulator: Emulator) -> None:
    kinds = (
        "select settlement_date::text, forecast_type, source, count(*) from demand_forecast_national "
        "group by 1, 2, 3 order by 1"
    )
    energy.backfill("2024-06-05", "2024-06-05", CARDINAL)
    assert energy.query(kinds) == [("2024-06-05", "day_ahead_interpolated", "neso", 48)]
    energy.backfill("2024-06-05", "2024-06-06", HALF_HOURLY)
    assert energy.query(kinds) == [(f"2024-06-0{n}", "day_ahead", "neso", 48) for n in (5, 6)]
    given = energy.query(
        "select row ->> 'Date', (row ->> 'Demand_Forecast')::int, left(row ->> 'Publish_Datetime', 10) "
        f"from {RECORDS % 'day_ahead'} order by 1, (row ->> 'Settlement_Period')::int"
    )
    assert [mw for day, mw, _ in given if day[:10] == "2024-06-05"] == forecasts(energy, date(2024, 6, 5))
    issued = energy.query(
        "select settlement_date::text, issued_at::date::text from demand_forecast_national group by 1, 2"
    )
    assert set(issued) == {(day[:10], published) for day, _, published in given}
    assert set(issued) == {("2024-06-05", "2024-06-04"), ("2024-06-06", "2024-06-05")}

    energy.backfill("2024-06-06", "2024-06-06", CARDINAL, ELEXON)
    assert energy.query(kinds) == [("2024-06-05", "day_ahead", "neso", 48), ("2024-06-06", "day_ahead", "elexon", 48)]
    assert (
        energy.value("select count(*) from intermediate.int_demand_forecasts where forecast_type like '%%interpolated'")
        == 96
    )
    assert energy.value("select count(*) from demand_forecast_vintages") == 0


@pytest.mark.slow
def test_each_refresh_keeps_what_was_known_and_the_newest_stands(
    energy: Energy, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    energy.set(SYNTHETIC_FALLBACK="off")
    now = datetime.now(UTC)
    for ago in (1, 0):
        monkeypatch.setattr(emulator, "now", lambda ago=ago: now - timedelta(days=ago))
        assert not energy.refresh(FORTNIGHT, ELEXON)["failures"]
    given = energy.query(
        "select fetched_at, (row ->> 'GDATETIME')::timestamp at time zone 'UTC' - interval '30 minutes', (row ->> 'DATE')::date, "
        f"(row ->> 'CTIME')::int, (row ->> 'NATIONALDEMAND')::int, request_params ->> 'version' from "
        f"{RECORDS % '2_14d'} order by 1"
    )
    known = sorted({fetched_at for fetched_at, *_ in given})
    assert len(known) == 2
    vintages = energy.query(
        "select known_at, period_start, national_demand_mw from demand_forecast_vintages "
        "where forecast_type = '2_to_14_days_ahead'"
    )
    assert set(vintages) == {(at, start, mw) for at, start, *_, mw, _ in given}
    of_elexon = energy.query(
        "select (row ->> 'startTime')::timestamptz, (row ->> 'publishTime')::timestamptz, "
        "(row ->> 'nationalDemand')::int, fetched_at from staging.elexon__demand_forecast_payloads, "
        "jsonb_array_elements(payload -> 'data') as row order by fetched_at"
    )
    last = {start: (issued, mw) for start, issued, mw, _ in of_elexon}
    newest = {
        start: (day, mw, datetime.fromisoformat(f"{version}+00:00"))
        for _, start, day, _, mw, version in given
        if start not in last  # Elexon's is issued every half-hour, and the one issued last stands
    }
    stands = energy.query(
        "select period_start, settlement_date, national_demand_mw, issued_at from demand_forecast_national "
        "where forecast_type = '2_to_14_days_ahead'"
    )
    assert {start: tuple(row) for start, *row in stands} == newest
    # both labels of a row are those of the END of its half-hour
    assert all(start == ended_by(day, clock) for _, start, day, clock, *_ in given if not changes(day))

    rows = energy.query(
        "select period_start, issued_at, national_demand_mw from demand_forecast_national where source = 'elexon'"
    )
    assert {start: (issued, mw) for start, issued, mw in rows} == last
    kept = energy.query(
        "select period_start, known_at, national_demand_mw from demand_forecast_vintages where source = 'elexon'"
    )
    assert set(kept) == {(start, at, mw) for start, _, mw, at in of_elexon if start + HALF_HOUR > at}


def changes(day: date) -> bool:
    return begins(day + timedelta(days=1)) - begins(day) != timedelta(days=1)


def test_tomorrow_is_interpolated_until_something_half_hourly_is_known(energy: Energy, emulator: Emulator) -> None:
    energy.set(SYNTHETIC_FALLBACK="off")
    tomorrow = datetime.now(LONDON).date() + timedelta(days=1)
    points = [(30, 30, 21000), (400, 400, 18000), (830, 1200, 28000), (2400, 2400, 21500)]
    every = {"TARGETDATE": int(f"{tomorrow:%Y%m%d}"), "CARDINALPOINT": "1", "CP_TYPE": "F"}
    rows = [every | {"FORECASTDEMAND": mw, "CP_ST_TIME": first, "CP_END_TIME": last} for first, last, mw in points]
    emulator.neso.put(TOMORROW, rows)
    energy.refresh(CARDINAL)
    version = energy.value("select request_params ->> 'version' from staging.neso__demand_forecast_cardinal_payloads")
    published = energy.query("select distinct settlement_date, forecast_type, issued_at from demand_forecast_national")
    assert published == [(tomorrow, "day_ahead_interpolated", datetime.fromisoformat(f"{version}+00:00"))]
    if not changes(tomorrow):
        assert_lies_between(forecasts(energy, tomorrow), rows)
        # 08:30 to 12:00 stands at its middle, 10:15: from 18000 at 04:00 that is a straight line of 26.67 MW a minute
        assert forecasts(energy, tomorrow)[15] == round(18000 + 10000 * 240 / 375)
    assert energy.value("select count(distinct known_at) from demand_forecast_vintages") == 1
