"""The views over the clean tables against computations by hand."""

import json
import uuid
from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from tests.dbt_project.test_commands import dbt
from tests.energy import Energy
from warehouse.periods import HALF_HOUR, LONDON

BASE = datetime(2024, 3, 12, 10, tzinfo=UTC)
AT = [BASE + n * HALF_HOUR for n in range(6)]


def insert(energy: Energy, table: str, *rows: dict[str, Any]) -> None:
    """Rows with what every table wants of them."""
    always = {"payload_id": str(uuid.uuid4()), "is_synthetic": False, "updated_at": BASE, "fetched_at": BASE}
    energy.query(
        f"insert into {table} select * from jsonb_populate_recordset(null::{table}, %s::jsonb)",
        json.dumps([always | row for row in rows], default=str),
    )


def half_hour(start: datetime, **values: Any) -> dict[str, Any]:
    """A row of a clean table that no vintage knows."""
    local_day = {"settlement_date": start.date(), "settlement_period": 1}
    return {"period_start": start, "period_end": start + HALF_HOUR, "source": "neso"} | local_day | values


def by_hand(
    vintages: list[tuple[datetime, datetime, list[int | None]]], outcomes: dict[datetime, int]
) -> dict[int, tuple[Any, ...]]:
    """lead -> (count, mean error, mean absolute error, root mean square error)."""
    errors: dict[int, list[int]] = defaultdict(list)
    for known_at, first, forecasts in vintages:
        for position, forecast in enumerate(forecasts):
            start = first + position * HALF_HOUR
            if forecast is not None and start in outcomes:
                lead = max(0, (start - known_at) // timedelta(hours=1))
                errors[lead].append(forecast - outcomes[start])
    return {
        lead: (
            len(off),
            rounded(Decimal(sum(off)) / len(off)),
            rounded(Decimal(sum(map(abs, off))) / len(off)),
            rounded((Decimal(sum(one**2 for one in off)) / len(off)).sqrt()),
        )
        for lead, off in errors.items()
    }


def rounded(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)


def skill(energy: Energy) -> dict[tuple[str, int, str], dict[int, tuple[Any, ...]]]:
    dbt(energy, "run", "--full-refresh", "-s", "int_forecast_skill__days", "int_forecast_skill__months")
    found: dict[tuple[str, int, str], dict[int, tuple[Any, ...]]] = defaultdict(dict)
    for series, region_id, forecast_type, lead, *errors in energy.query(
        "select series, region_id, forecast_type, lead_hours, forecasts, mean_error, mean_absolute_error, "
        "root_mean_square_error from forecast_skill"
    ):
        found[series, region_id, forecast_type][lead] = tuple(errors)
    return dict(found)


EARLY, LATE = BASE + timedelta(minutes=5), BASE + timedelta(minutes=63)
VINTAGES: list[tuple[datetime, datetime, list[int | None]]] = [
    (EARLY, AT[0], [100, 120, None, 90, 80, 71]),
    (LATE, AT[2], [98, 95, 77, 70]),
]


def captures(energy: Energy, table: str, column: str, vintages: Any = VINTAGES, **more: Any) -> None:
    rows = [
        {"known_at": at, "fetched_at": at, "first_period_start": first, column: values}
        for at, first, values in vintages
    ]
    for row in [*rows, rows[0] | {"is_synthetic": True, column: [999] * 6}]:
        insert(energy, f"intermediate.{table}", row | more)


@pytest.mark.slow
def test_skill_of_the_national_intensity_counts_what_was_measured(energy: Energy) -> None:
    captures(energy, "int_carbon_intensity__captures", "forecasts_gco2_kwh", region_id=18)
    outcomes = {AT[0]: 103, AT[1]: 111, AT[2]: 97, AT[3]: 99, AT[4]: 0}
    rows = [half_hour(at, actual_gco2_kwh=outcomes.get(at), forecast_gco2_kwh=50) for at in AT]
    rows[4] |= {"is_synthetic": True, "actual_gco2_kwh": 90}
    insert(energy, "carbon_intensity_national", *rows)
    del outcomes[AT[4]]  # invented; and the last was never measured
    wanted = by_hand(VINTAGES, outcomes)
    assert wanted[0] == (4, Decimal("0.75"), Decimal("4.25"), Decimal("5.17")), "of -3, 9, 1 and -4"
    assert skill(energy) == {("carbon_intensity", 18, "half_hourly"): wanted}


@pytest.mark.slow
def test_skill_of_a_region_counts_the_last_estimate_of_what_is_over(energy: Energy) -> None:
    captures(energy, "int_carbon_intensity__captures", "forecasts_gco2_kwh", region_id=13)
    outcomes = {AT[0]: 90, AT[1]: 125, AT[2]: 0, AT[3]: 93, AT[5]: 71}
    rows = [
        half_hour(at, region_id=13, forecast_gco2_kwh=value, fetched_at=at + HALF_HOUR)
        for at, value in outcomes.items()
    ]
    rows[3] |= {"fetched_at": AT[3] + timedelta(minutes=29)}  # still a forecast
    rows[4] |= {"is_synthetic": True}
    rows.append(half_hour(AT[4], region_id=13, forecast_gco2_kwh=None, fetched_at=BASE + timedelta(days=1)))
    rows.append(rows[0] | {"region_id": 18, "forecast_gco2_kwh": 5})
    insert(energy, "carbon_intensity_regional", *rows)
    wanted = by_hand(VINTAGES, {at: outcomes[at] for at in AT[:3]})
    assert set(wanted) == {0}
    assert skill(energy) == {("carbon_intensity", 13, "half_hourly"): wanted}


@pytest.mark.slow
def test_skill_of_national_demand_tells_kinds_of_forecast_apart(energy: Energy) -> None:
    day_before = [(EARLY - timedelta(days=1), AT[0], [30_100, 30_900, 31_050, 29_999, None, 30_000])]
    table, column = "int_demand_forecasts__captures", "national_demand_mw"
    captures(
        energy,
        table,
        column,
        [(EARLY, AT[0], [30_001, 30_500, None, 30_007])],
        forecast_type="day_ahead",
        source="elexon",
    )
    captures(energy, table, column, day_before, forecast_type="2_to_14_days_ahead", source="neso")
    outcomes = dict(zip(AT, (30_000, 30_600, 31_000, 30_300, 30_000, 29_000), strict=True))
    rows = [half_hour(at, national_demand_mw=mw) for at, mw in outcomes.items()]
    rows[5] |= {"is_synthetic": True}
    insert(energy, "demand_actual_national", *rows)
    del outcomes[AT[5]]
    assert skill(energy) == {
        ("national_demand", 18, "day_ahead"): by_hand([(EARLY, AT[0], [30_001, 30_500, None, 30_007])], outcomes),
        ("national_demand", 18, "2_to_14_days_ahead"): by_hand(day_before, outcomes),
    }
    assert set(energy.query("select unit from forecast_skill")) == {("MW",)}


PARTS = ("intensity", "mix", "demand", "price")


def status(energy: Energy) -> dict[str, Any]:
    with energy.database.connect() as connection:
        cursor = connection.execute("select * from national_grid_status")
        rows = cursor.fetchall()
        assert cursor.description and len(rows) == 1
        return dict(zip([column.name for column in cursor.description], rows[0], strict=True))


def values_of(row: dict[str, Any]) -> set[Any]:
    """What it says but the time and how old things are."""
    return {value for column, value in row.items() if column != "as_of" and not column.endswith("_age")}


def test_what_is_not_there_has_no_age(energy: Energy) -> None:
    assert {part: status(energy)[f"{part}_age"] for part in PARTS} == dict.fromkeys(PARTS)


@pytest.mark.slow
def test_the_status_is_one_row_whatever_there_is(energy: Energy) -> None:
    assert values_of(status(energy)) == {None}
    energy.refresh()
    full = status(energy)
    for part in PARTS:
        assert full[f"{part}_period_start"] <= full["as_of"]
        assert full[f"{part}_is_synthetic"] is False
        assert timedelta(0) <= full[f"{part}_age"] < timedelta(hours=2)
    newest = energy.query(
        "select period_start, national_demand_mw from demand_forecast_national where period_start <= %s "
        "order by 1 desc limit 1",
        full["as_of"],
    )
    assert newest == [(full["demand_period_start"], full["national_demand_mw"])], (
        "nobody has measured the one under way"
    )


def test_the_status_has_no_half_hour_that_has_not_begun_and_prefers_the_auction(energy: Energy) -> None:
    now = datetime.now(UTC)
    this = now.replace(minute=now.minute // 30 * 30, second=0, microsecond=0)
    coming = [half_hour(this + n * HALF_HOUR, fetched_at=now) for n in (2, 3)]
    insert(energy, "carbon_intensity_national", *(row | {"forecast_gco2_kwh": 100} for row in coming))
    insert(energy, "demand_actual_national", *(row | {"national_demand_mw": 30_000} for row in coming))
    insert(energy, "wholesale_prices", *(row | {"market": "n2ex_day_ahead", "price_gbp_mwh": 50} for row in coming))
    assert values_of(status(energy)) == {None}

    past = half_hour(this - HALF_HOUR, fetched_at=now)
    for price, (market, value) in enumerate(
        [("system_price", 1), ("apx_market_index", 2), ("n2ex_day_ahead", 3)], start=1
    ):
        insert(energy, "wholesale_prices", past | {"market": market, "price_gbp_mwh": value})
        assert (status(energy)["price_gbp_mwh"], status(energy)["price_market"]) == (price, market)
    unpriced = half_hour(this, market="n2ex_day_ahead", price_gbp_mwh=None)
    insert(energy, "wholesale_prices", unpriced)
    assert status(energy)["price_period_start"] == this - HALF_HOUR, "a price that was not set is none"
    insert(energy, "demand_actual_national", past | {"national_demand_mw": 29_000, "is_synthetic": True})
    forecast = {"national_demand_mw": 28_000, "forecast_type": "day_ahead", "issued_at": now}
    insert(energy, "demand_forecast_national", past | forecast)
    assert (status(energy)["national_demand_mw"], status(energy)["demand_is_measured"]) == (28_000, False)


def test_the_age_of_a_part_is_that_of_its_newest_real_half_hour(energy: Energy) -> None:
    now = datetime.now(UTC)
    this = now.replace(minute=now.minute // 30 * 30, second=0, microsecond=0)
    tables = {
        "carbon_intensity_national": {"forecast_gco2_kwh": 100},
        "generation_mix_national": {"renewable_pct": 40},
        "demand_actual_national": {"national_demand_mw": 30_000},
        "wholesale_prices": {"market": "system_price", "price_gbp_mwh": 50},
    }
    for table, values in tables.items():
        insert(energy, table, half_hour(this, fetched_at=now, is_synthetic=True) | values)
    for part in PARTS:
        assert status(energy)[f"{part}_age"] is None and status(energy)[f"{part}_synthetic_age"] == timedelta(0), part
    for table, values in tables.items():
        insert(energy, table, half_hour(this - 10 * HALF_HOUR, fetched_at=now) | values)
    found = status(energy)
    for part in PARTS:
        assert found[f"{part}_is_synthetic"] and found[f"{part}_period_start"] == this, part
        assert found[f"{part}_age"] == found["as_of"] - (this - 9 * HALF_HOUR), part
        assert found[f"{part}_synthetic_age"] == timedelta(0), part
    for table, values in tables.items():
        insert(energy, table, half_hour(this + HALF_HOUR, fetched_at=now) | values)
        energy.query(f"update {table} set is_synthetic = false")
    for part in PARTS:
        assert status(energy)[f"{part}_age"] == timedelta(0) and status(energy)[f"{part}_synthetic_age"] is None, part


COUNTS = {
    "half_hours_present": 48,
    "half_hours_real": 47,
    "half_hours_synthetic": 1,
    "row_count": 48,
    "row_count_synthetic": 1,
}
NOTHING = dict.fromkeys(COUNTS, 0)


def asked_for(
    energy: Energy, counts: dict[str, int], *days: str | date, dataset: str = "demand_actual_national"
) -> None:
    """Days that a payload covered, with what is there of them."""
    rows = [{"dataset": dataset, "settlement_date": day, **counts} for day in days]
    insert(energy, "intermediate.int_data_coverage__days", *rows)


def test_coverage_expects_46_48_or_50_half_hours_and_shows_days_without_a_row(energy: Energy) -> None:
    asked_for(energy, COUNTS, "2024-03-20", "2024-04-10", "2024-10-20", "2024-11-05")
    asked_for(energy, NOTHING, "2099-01-01")
    rows = energy.query(
        "select settlement_date::text, half_hours_expected, half_hours_present, half_hours_real, row_count, "
        "half_hours_missing, is_gap from data_coverage order by 1"
    )
    assert (rows[0][0], rows[-1][0], len(rows)) == ("2024-03-20", "2024-11-05", 22 + 17)
    assert {row[0]: row[1] for row in rows if row[1] != 48} == {"2024-03-31": 46, "2024-10-27": 50}
    there = [row for row in rows if row[2]]
    assert [row[0] for row in there] == ["2024-03-20", "2024-04-10", "2024-10-20", "2024-11-05"]
    assert {row[1:] for row in there} == {(48, 48, 47, 48, 0, False)}
    assert all(row[2:] == (0, 0, 0, row[1], True) for row in rows if row not in there)


def test_the_years_between_an_old_backfill_and_today_are_no_gap_and_neither_is_what_has_not_been(
    energy: Energy,
) -> None:
    today = datetime.now(LONDON).date()
    asked_for(energy, COUNTS, "2023-01-01", "2023-01-03", today - timedelta(days=3), today - timedelta(days=1))
    asked_for(energy, NOTHING, today, dataset="wholesale_prices/n2ex_day_ahead")
    listed = energy.query(
        "select dataset, settlement_date, is_gap from data_coverage where dataset = 'demand_actual_national'"
    )
    assert len(listed) == 3 + 4, "no day between the backfill and the refreshes"
    gaps = energy.query(
        "select dataset, first_day::text, filled_by from data_gaps where first_day < %s order by 2", today
    )
    days = [date(2023, 1, 2), today - timedelta(days=2)]
    assert gaps == [
        ("demand_actual_national", f"{day}", f"make backfill FROM={day} TO={day} DATASETS=demand_actual_national")
        for day in days
    ]
    missing = energy.value("select coalesce(sum(half_hours_missing), 0) from data_gaps where last_day >= %s", today)
    since_midnight = datetime.now(UTC) - datetime.combine(today, time(), LONDON)
    assert missing <= max(0, since_midnight / HALF_HOUR - 4), (
        "at most what has been for two hours; of the auction nothing"
    )


def test_a_stack_that_stood_still_for_a_week_has_a_gap_up_to_now(energy: Energy) -> None:
    today = datetime.now(LONDON).date()
    asked_for(energy, COUNTS, today - timedelta(days=7))
    (gap,) = energy.query("select first_day, last_day >= %s from data_gaps", today - timedelta(days=1))
    assert gap == (today - timedelta(days=6), True)


def test_a_stack_that_stood_still_for_longer_than_a_month_has_a_gap_too(energy: Energy) -> None:
    """After the first day that was landed while it was new, whether or not something was requested later; not before it."""
    today = datetime.now(LONDON).date()
    stood_still = today - timedelta(days=60), today - timedelta(days=10)
    asked_for(energy, COUNTS, "2023-01-01", "2023-01-02", *stood_still)
    query = "select first_day, last_day from data_gaps where dataset = 'demand_actual_national' order by 1"
    short = [(stood_still[1] + timedelta(days=1), today)]
    assert [gap[0] for gap in energy.query(query)] == [short[0][0]], "nothing of it was requested while it was new"
    run_id = str(uuid.uuid4())
    energy.query("insert into ops.runs (run_id, flow) values (%s, 'refresh')", run_id)
    for ends, fetched, outcome in (
        (datetime(2023, 1, 3, tzinfo=UTC), stood_still[0], "landed"),
        (datetime(2023, 1, 3, tzinfo=UTC), datetime(2023, 1, 3, tzinfo=UTC), "failed"),
        (datetime.combine(stood_still[0], time(12), UTC), stood_still[0], "landed"),
    ):
        energy.query(
            "insert into ops.fetches (run_id, dataset, request_url, window_start, window_end, outcome, attempts, seconds, "
            "fetched_at) values (%s, 'elexon__demand_outturn', 'x', %s::timestamptz - interval '1 hour', %s, %s, 1, 1, %s)",
            run_id, ends, ends, outcome, fetched,
        )  # fmt: skip
    gaps = energy.query(query)
    assert [gap[0] for gap in gaps] == [day + timedelta(days=1) for day in stood_still]
    assert gaps[0][1] == stood_still[1] - timedelta(days=1)
