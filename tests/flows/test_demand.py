"""Demand, end to end: NESO's files value by value, its traps, and Elexon's outturn where NESO has nothing."""

import csv
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from tests.conftest import RECORDED_DIR, needs_recorded
from tests.emulator import Emulator
from tests.energy import Energy

HALF_HOUR = timedelta(minutes=30)
UPDATE = "177f6fa4-ae49-4182-81ea-0c6b35f26ca6"
CAPTURED = date(2024, 4, 14)
EMBEDDED = ("EMBEDDED_WIND_GENERATION", "EMBEDDED_SOLAR_GENERATION")
Row = dict[str, str]
MEASURED = "national_demand_mw, transmission_system_demand_mw, embedded_wind_mw, embedded_solar_mw"


def begins(day: date, period: int) -> datetime:
    """Independent of the project: elapsed half-hours since midnight in London."""
    return datetime.combine(day, time(), ZoneInfo("Europe/London")).astimezone(UTC) + (period - 1) * HALF_HOUR


def read(path: str) -> list[Row]:
    assert RECORDED_DIR is not None
    with (RECORDED_DIR / "neso" / path).open(newline="") as file:
        return list(csv.DictReader(file))


def day_of(text: str) -> date:
    for form in ("%Y-%m-%d", "%d-%b-%Y", "%d-%b-%y"):
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    raise AssertionError(text)


def there(text: str) -> int | None:
    return None if text == "NA" else int(text)


def megawatts(row: Row) -> tuple[int | None, ...]:
    """What the clean table is to hold of a row of a file."""
    return (there(row["ND"]), there(row["TSD"]) or None, *(there(row[column]) for column in EMBEDDED))


def measured(energy: Energy, where: str = "true") -> dict[datetime, tuple[int | None, ...]]:
    rows = energy.query(f"select period_start, {MEASURED} from demand_actual_national where {where}")
    return {start: tuple(values) for start, *values in rows}


@pytest.mark.slow
@needs_recorded
@pytest.mark.parametrize("year", [2001, 2005, 2009, 2018, 2023, 2025])
def test_a_recorded_year_value_by_value(energy: Energy, recorded_emulator: Emulator, year: int) -> None:
    energy.set(SYNTHETIC_FALLBACK="off", **recorded_emulator.settings)
    assert not energy.backfill(f"{year}-01-01", f"{year}-12-31", "neso__demand_history")["failures"]
    assert recorded_emulator.neso.calls["datastore"] == 1
    file = [
        (day_of(r["SETTLEMENT_DATE"]), int(r["SETTLEMENT_PERIOD"]), r)
        for r in read(f"historic_demand/demanddata_{year}.csv")
    ]
    # a transmission demand below the national one, 17 half-hours of 2018, is none
    measurements = {begins(day, period): megawatts(row) for day, period, row in file}
    known = {
        start: (nd, None if tsd is not None and nd is not None and tsd < nd else tsd, *more)
        for start, (nd, tsd, *more) in measurements.items()
    }
    assert measured(energy) == known
    settled = energy.query(
        "select settlement_date, settlement_period from demand_actual_national order by period_start"
    )
    assert settled == [(day, period) for day, period, _ in file]
    starts = [start for (start,) in energy.query("select period_start from demand_actual_national order by 1")]
    assert {later - sooner for sooner, later in pairwise(starts)} == {HALF_HOUR}
    counts = energy.query("select count(*) from demand_actual_national group by settlement_date")
    assert sorted(count for (count,) in counts if count != 48) == [46, 50]
    regional = {
        (area, start): mw
        for area, start, mw in energy.query(
            "select area_code, period_start, demand_mw from demand_regional where not is_forecast"
        )
    }
    wanted = {}
    for day, period, row in file:
        if int(row["ENGLAND_WALES_DEMAND"]):  # three half-hours of 2018 have 0, which is no demand
            wanted["england_wales", begins(day, period)] = int(row["ENGLAND_WALES_DEMAND"])
            wanted["scotland", begins(day, period)] = int(row["ND"]) - int(row["ENGLAND_WALES_DEMAND"])
    assert regional == wanted
    present = energy.query(
        "select sum(half_hours_present), sum(half_hours_expected), sum(half_hours_real) from data_coverage "
        "where dataset = 'demand_actual_national'"
    )
    assert present == [(len(file), len(file), len(file))]


@pytest.mark.slow
def test_ten_years_are_a_datastore_request_each(energy: Energy, emulator: Emulator) -> None:
    energy.backfill("2009-01-01", "2018-12-31", "neso__demand_history")
    assert emulator.neso.calls["datastore"] == 10
    assert energy.value("select count(*) from demand_actual_national where not is_synthetic") == 3652 * 48
    emulator.reset()
    energy.backfill("2009-01-01", "2018-12-31", "neso__demand_history")
    assert emulator.neso.calls["datastore"] == 0, "what is there is not requested again"


def captured() -> dict[tuple[date, int], Row]:
    """The file of April 2024 from three days before its capture, with two placeholders, as if its day were the one
    that nine hours ago was: it measures that day's first half-hours, which have ended by now whatever the hour is."""
    today = (datetime.now(ZoneInfo("Europe/London")) - timedelta(hours=9)).date()
    rows = {}
    for row in read("demand_data_update/demanddataupdate_captured_2024-04.csv"):
        day = today + (date.fromisoformat(row["SETTLEMENT_DATE"]) - CAPTURED)
        if day >= today - timedelta(days=3):
            solar = str(int(row[EMBEDDED[1]]) // 100)  # the sun of April is too much for other seasons
            moved = {"SETTLEMENT_DATE": day.isoformat(), EMBEDDED[1]: solar}
            rows[day, int(row["SETTLEMENT_PERIOD"])] = row | moved
    for row in read("demand_data_update/demanddataupdate_excerpt_captured_2026-10-08.csv"):
        if (row["SETTLEMENT_DATE"], row["SETTLEMENT_PERIOD"]) in (("2026-10-08", "16"), ("2026-10-08", "17")):
            assert (row["ND"], row["FORECAST_ACTUAL_INDICATOR"], row["TSD"]) == ("0", "A", "500")
            rows[today, int(row["SETTLEMENT_PERIOD"])] = row | {"SETTLEMENT_DATE": today.isoformat()}
    return rows


@pytest.mark.slow
@needs_recorded
def test_forecasts_and_placeholders_are_no_demand_and_revisions_arrive(energy: Energy, emulator: Emulator) -> None:
    energy.set(SYNTHETIC_FALLBACK="off", HTTP_ATTEMPTS="1")
    emulator.fault("500", "/demand/outturn")  # which would have the days that the file does not
    file = captured()
    emulator.neso.put(UPDATE, list(file.values()))
    datasets = ("neso__demand_update", "neso__demand_forecast_2_14d", "elexon__demand_forecast")
    assert not energy.refresh(*datasets)["failures"]
    actual = {begins(*key): row for key, row in file.items() if int(row["ND"]) > 0}
    expected = {begins(*key): row for key, row in file.items() if row["FORECAST_ACTUAL_INDICATOR"] == "F"}
    assert len(actual) == 3 * 48 + 15
    of_neso = "source = 'neso'"  # what its file does not hold was asked of Elexon
    assert measured(energy, of_neso) == {start: megawatts(row) for start, row in actual.items()}
    assert "placeholder: an actual demand of 0: 2 rows" in energy.output
    nations = energy.query("select period_start from demand_regional where area_code = 'scotland'")
    assert {start for (start,) in nations} == set(actual)
    forecast = energy.query("select period_start, embedded_wind_mw, embedded_solar_mw from demand_forecast_national")
    of_expected = {start: embedded for start, *embedded in forecast if start in expected}
    assert len(of_expected) > 6 * 48
    assert of_expected == {start: list(megawatts(expected[start])[2:]) for start in of_expected}

    # the embedded generation of what is past is revised
    before = energy.query(
        f"select period_start, {MEASURED}, updated_at from demand_actual_national where {of_neso} order by 1"
    )
    solar = EMBEDDED[1]
    emulator.neso.put(UPDATE, [row | {solar: str(2 * int(row[solar]))} for row in file.values()])
    energy.refresh(*datasets)
    after = energy.query(
        f"select period_start, {MEASURED}, updated_at from demand_actual_national where {of_neso} order by 1"
    )
    for (start, *values, was, at), (same_start, *same, revised, later) in zip(before, after, strict=True):
        assert (start, values, was * 2) == (same_start, same, revised)
        assert (later > at) == (revised != was), "updated_at moves where a value moved"
    assert energy.value("select count(*) from staging.neso__demand_update_payloads where origin = 'live'") == 2
    doubled = energy.query(
        "select period_start, embedded_solar_mw from demand_forecast_national where period_start = any(%s)",
        list(of_expected),
    )
    assert dict(doubled) == {start: 2 * was for start, (_, was) in of_expected.items()}


def of_payloads(energy: Energy, statement: str) -> dict[datetime, tuple[int, str]]:
    return {start: (int(mw), source) for start, mw, source in energy.query(statement)}


NESO_GAVE = """
    select (row ->> 'SETTLEMENT_DATE')::date::timestamp at time zone 'Europe/London'
        + ((row ->> 'SETTLEMENT_PERIOD')::int - 1) * interval '30 minutes', row ->> 'ND', 'neso'
    from staging.neso__demand_update_payloads, jsonb_array_elements(payload -> 'result' -> 'records') as row
    where origin = 'live' and (row ->> 'ND')::int > 0"""
ELEXON_GAVE = """
    select (row ->> 'startTime')::timestamptz, row ->> 'initialDemandOutturn', 'elexon'
    from staging.elexon__demand_outturn_payloads, jsonb_array_elements(payload -> 'data') as row where origin = 'live'"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "order", [("neso__demand_update", "elexon__demand_outturn"), ("elexon__demand_outturn", "neso__demand_update")]
)
def test_elexon_fills_what_neso_has_not_given_and_gives_way_to_it(
    energy: Energy, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, order: tuple[str, str]
) -> None:
    energy.set(SYNTHETIC_FALLBACK="off")
    now = datetime.now(UTC)
    monkeypatch.setattr(emulator, "now", lambda: now)
    for dataset in order:
        energy.refresh(dataset)
    neso, elexon = of_payloads(energy, NESO_GAVE), of_payloads(energy, ELEXON_GAVE)
    got = energy.query("select period_start, national_demand_mw, source from demand_actual_national")
    assert {start: (mw, source) for start, mw, source in got} == elexon | neso
    assert set(elexon) - set(neso), "NESO is behind, and Elexon is not"
    assert set(elexon) & set(neso)

    # the same again touches nothing
    tables = (
        "demand_actual_national",
        "demand_regional",
        "demand_forecast_national",
        "intermediate.int_demand_forecasts",
    )
    versions = [energy.query(f"select ctid, xmin from {table}") for table in tables]
    energy.refresh(*order)
    assert [energy.query(f"select ctid, xmin from {table}") for table in tables] == versions


@pytest.mark.slow
@pytest.mark.parametrize("synthetic_first", [True, False])
def test_real_demand_wins_over_synthetic_whichever_comes_first(
    energy: Energy, emulator: Emulator, synthetic_first: bool
) -> None:
    datasets = ("neso__demand_update", "elexon__demand_outturn", "neso__demand_history")
    for is_synthetic in (synthetic_first, not synthetic_first):
        energy.unplug() if is_synthetic else energy.set(**emulator.settings)
        energy.refresh(*datasets)
    real = of_payloads(energy, ELEXON_GAVE) | of_payloads(energy, NESO_GAVE)
    got = energy.query(
        "select period_start, national_demand_mw, source from demand_actual_national where not is_synthetic"
    )
    assert {start: (mw, source) for start, mw, source in got} == real
    payloads = energy.query("select origin from staging.neso__demand_update_payloads order by fetched_at")
    assert "synthetic" in {origin for (origin,) in payloads}
    mixed = energy.value(
        "select count(*) from demand_regional where is_synthetic and period_start in "
        "(select period_start from demand_regional where not is_synthetic)"
    )
    assert mixed == 0


@pytest.mark.slow
def test_without_fallback_a_gap_stays_a_gap_and_coverage_shows_it(energy: Energy, emulator: Emulator) -> None:
    day = datetime.now(ZoneInfo("Europe/London")).date() - timedelta(days=5)
    row: dict[str, object] = dict.fromkeys(("TSD", "ENGLAND_WALES_DEMAND", EMBEDDED[0]), 27000) | {EMBEDDED[1]: 0}
    row |= {"SETTLEMENT_DATE": day.isoformat(), "FORECAST_ACTUAL_INDICATOR": "A", "TSD": 33000}
    last = int((begins(day + timedelta(days=1), 1) - begins(day, 1)) / HALF_HOUR)
    rows = [row | {"SETTLEMENT_PERIOD": n, "ND": 30000 + n} for n in range(1, last + 1) if n not in (7, 8, 9)]
    emulator.neso.put(UPDATE, rows)
    emulator.fault("500", "/demand/outturn")  # which would have them
    energy.set(HTTP_ATTEMPTS="1")
    coverage = (
        "select half_hours_present, half_hours_real, half_hours_synthetic from data_coverage "
        "where (dataset, settlement_date) = ('demand_actual_national', %s)"
    )
    energy.set(SYNTHETIC_FALLBACK="off")
    energy.refresh("neso__demand_update")
    assert energy.query(coverage, day) == [(last - 3, last - 3, 0)]
    assert energy.value("select count(*) from demand_actual_national") == last - 3
    energy.set(SYNTHETIC_FALLBACK="on")
    emulator.neso.put(UPDATE, rows)
    energy.refresh("neso__demand_update")
    assert energy.query(coverage, day) == [(last, last - 3, 3)]


@pytest.mark.slow
@pytest.mark.parametrize("fallback", ["on", "off"])
@pytest.mark.parametrize("chosen", ["demand_actual_national", "neso__demand_history"])
def test_a_backfill_asks_elexon_for_what_neso_fails_to_give(
    energy: Energy, emulator: Emulator, chosen: str, fallback: str
) -> None:
    energy.set(SYNTHETIC_FALLBACK=fallback, HTTP_ATTEMPTS="1")
    emulator.fault("500", "datastore_search_sql")
    outcome = energy.backfill("2022-05-01", "2022-05-02", chosen)
    assert not outcome["failures"]
    found = energy.query("select source, is_synthetic, count(*) from demand_actual_national where period_start >= %s and "
        "period_start < %s group by 1, 2", begins(date(2022, 5, 1), 1), begins(date(2022, 5, 3), 1))  # fmt: skip
    assert found == [("elexon", False, 96)]
    emulator.reset()
    energy.backfill("2022-05-01", "2022-05-02", chosen)
    assert energy.query("select distinct source from demand_actual_national where period_start >= %s and "
        "period_start < %s", begins(date(2022, 5, 1), 1), begins(date(2022, 5, 3), 1)) == [("neso",)]  # fmt: skip
