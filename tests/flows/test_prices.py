"""Wholesale prices, end to end: each market by itself, value by value, with the traps of its upstream."""

import csv
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from flows.rereads import refresh_requests
from flows.session import session
from flows.steps import land, publish
from pipelines.catalogue import DATASETS
from tests.conftest import RECORDED_DIR, needs_recorded
from tests.emulator import Emulator
from tests.emulator.elexon.working_days import next_working_day
from tests.energy import Energy

HALF_HOUR = timedelta(minutes=30)
SYSTEM = "elexon__system_prices"
N2EX = "4f27eea5-7038-4f73-9740-e3e4ad47c26a"
NOWHERE = "http://127.0.0.1:9"
Prices = dict[datetime, Decimal | None]


def read(pattern: str) -> list[dict[str, str]]:
    folder = RECORDED_DIR or Path()
    (path,) = folder.glob(pattern)
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def prices(energy: Energy, market: str) -> Prices:
    return dict(energy.query("select period_start, price_gbp_mwh from wholesale_prices where market = %s", market))


def half_hours_of(energy: Energy, market: str) -> dict[str, int]:
    return dict(
        energy.query(
            "select settlement_date::text, count(*) from wholesale_prices where market = %s group by 1", market
        )
    )


@pytest.fixture
def recorded(energy: Energy, recorded_emulator: Emulator) -> Energy:
    """The flows against what was recorded, and nothing invented."""
    energy.set(SYNTHETIC_FALLBACK="off", **recorded_emulator.settings)
    return energy


@needs_recorded
def test_day_ahead_prices_stand_in_both_half_hours_of_their_hour_of_gmt(recorded: Energy) -> None:
    recorded.backfill("2021-09-20", "2021-11-07", "neso__n2ex_day_ahead")
    recorded.backfill("2023-12-28", "2024-10-28", "neso__n2ex_day_ahead")
    got, compared = prices(recorded, "n2ex_day_ahead"), []
    for row in read("neso/n2ex_day_ahead/*.csv"):
        hour = datetime.fromisoformat(f"{row['Date']}T{row['Delivery Period'][:2]}:00+00:00")
        if hour.year < 2026:
            compared.append(Decimal(row["Price"]))
            assert got[hour] == got[hour + HALF_HOUR] == compared[-1]
    assert (len(compared), sum(price < 0 for price in compared), compared.count(Decimal(0))) == (65, 12, 1)
    assert min(got) == datetime(2021, 9, 20, 22, tzinfo=UTC)
    counted = half_hours_of(recorded, "n2ex_day_ahead")
    assert {day: count for day, count in counted.items() if count != 48} == {
        "2021-09-20": 2,
        "2021-10-31": 50,
        "2024-03-31": 46,
        "2024-10-27": 50,
    }


@needs_recorded
def test_the_market_index_value_by_value_with_its_placeholders_and_its_gap(recorded: Energy) -> None:
    recorded.backfill("2026-03-26", "2026-07-19", "elexon__market_index")
    file = {datetime.fromisoformat(row["startTime"]): row for row in read("elexon/market_index/market_index_APX*.csv")}
    wanted = {
        start: (Decimal(row["price"]) if float(row["volume"]) else None, Decimal(row["volume"]))
        for start, row in file.items()
        if row["settlementDate"] >= "2026-03-26"
    }
    rows = recorded.query("select period_start, price_gbp_mwh, volume_mwh from wholesale_prices")
    assert {start: (price, volume) for start, price, volume in rows} == wanted
    untraded = datetime(2026, 5, 9, 10, tzinfo=UTC)
    assert [start for start, price, _ in rows if price is None] == [untraded, untraded + HALF_HOUR]
    coverage = recorded.query(
        "select settlement_date::text, half_hours_expected, half_hours_present from data_coverage where dataset = "
        "'wholesale_prices/apx_market_index' and (half_hours_expected, half_hours_present) <> (48, 48) order by 1"
    )
    assert coverage == [("2026-03-29", 46, 46), ("2026-05-09", 48, 46), ("2026-07-16", 48, 38)]
    for day in ("2026-03-29", "2026-05-09"):
        assert_daily(recorded, "apx_market_index", day)


def assert_daily(energy: Energy, market: str, day: str) -> None:
    """`wholesale_price_daily` against a computation here."""
    rows = energy.query(
        "select price_gbp_mwh, volume_mwh from wholesale_prices where (market, settlement_date) = (%s, %s) "
        "and price_gbp_mwh is not null",
        *(market, day),
    )
    known = [price for price, _ in rows]
    weighted = None
    if market == "apx_market_index":
        weighted = rounded(sum(price * volume for price, volume in rows) / sum(volume for _, volume in rows))
    start = datetime.combine(date.fromisoformat(day), time(), ZoneInfo("Europe/London"))
    following = datetime.combine(date.fromisoformat(day) + timedelta(days=1), time(), ZoneInfo("Europe/London"))
    expected = (following.astimezone(UTC) - start.astimezone(UTC)) // HALF_HOUR
    assert energy.query(
        "select mean_gbp_mwh, min_gbp_mwh, max_gbp_mwh, volume_weighted_gbp_mwh, half_hours_negative, half_hours, "
        "half_hours_expected, synthetic_pct from wholesale_price_daily where (market, settlement_date) = (%s, %s)",
        *(market, day),
    ) == [
        (
            *(rounded(sum(known) / len(known)), min(known), max(known), weighted),
            *(sum(price < 0 for price in known), len(known), expected, 0),
        )
    ]


def rounded(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)


@needs_recorded
def test_system_prices_value_by_value(recorded: Energy) -> None:
    recorded.backfill("2018-10-26", "2018-10-29", "elexon__system_prices")
    wanted = {
        (date(2018, 10, int(day[:2])), int(period)): Decimal(price)
        for day, period, price in (list(row.values())[:3] for row in read("elexon/system_prices/*.csv"))
        if day[3:] == "10/2018" and 26 <= int(day[:2]) <= 29
    }
    rows = recorded.query("select settlement_date, settlement_period, price_gbp_mwh from wholesale_prices")
    assert {(day, period): price for day, period, price in rows} == wanted
    assert half_hours_of(recorded, "system_price")["2018-10-28"] == 50
    assert_daily(recorded, "system_price", "2018-10-28")


def test_each_market_has_its_own_row_and_a_revision_moves_that_alone(energy: Energy, emulator: Emulator) -> None:
    energy.backfill("2024-05-01", "2024-05-02", "wholesale_prices")
    per_half_hour = energy.query(
        "select count(*), count(distinct source) from wholesale_prices "
        "where settlement_date between '2024-05-01' and '2024-05-02' group by period_start"
    )
    assert per_half_hour == [(3, 2)] * 96
    given = energy.query(
        "select (row ->> 'startTime')::timestamptz, (row ->> 'price')::numeric from staging.elexon__market_index_payloads, "
        "jsonb_array_elements(payload -> 'data') as row where row ->> 'dataProvider' = 'APXMIDP' "
        "and (row ->> 'volume')::numeric > 0"
    )
    assert {start: price for start, price in prices(energy, "apx_market_index").items() if price is not None} == dict(
        given
    )
    before = {market: prices(energy, market) for market in ("n2ex_day_ahead", "apx_market_index", "system_price")}
    assert len({tuple(values.values()) for values in before.values()}) == 3

    emulator.fault("revised", "market-index")
    energy.backfill("2024-05-01", "2024-05-02", "wholesale_prices", force=True)
    assert prices(energy, "apx_market_index") == {
        start: None if price is None else price + 3 for start, price in before["apx_market_index"].items()
    }
    for market in ("n2ex_day_ahead", "system_price"):
        assert prices(energy, market) == before[market]
    moved = energy.query(
        "select market, bool_and(updated_at > payload.fetched_at) from wholesale_prices "
        "cross join (select max(fetched_at) as fetched_at from staging.elexon__market_index_payloads) as payload "
        "where price_gbp_mwh is not null group by market"
    )
    assert dict(moved) == {"n2ex_day_ahead": False, "apx_market_index": True, "system_price": False}


@pytest.mark.slow
@pytest.mark.parametrize("synthetic_first", [True, False])
def test_a_synthetic_price_stands_only_where_no_market_has_a_real_one(
    energy: Energy, emulator: Emulator, synthetic_first: bool
) -> None:
    day = datetime.now(UTC).date() - timedelta(days=2)
    labels = [f"{hour:02}:00 - {(hour + 1) % 24:02}:00" for hour in range(24)]
    rows = [{"Date": day.isoformat(), "Delivery Period": label, "Price": "55.000000"} for label in labels]
    rows[9]["Price"] = None  # type: ignore[assignment]
    emulator.neso.put(N2EX, rows)
    energy.set(ELEXON_URL=NOWHERE)
    elexon = ("elexon__market_index", "elexon__system_prices")
    for datasets in (elexon, ["neso__n2ex_day_ahead"]) if synthetic_first else (["neso__n2ex_day_ahead"], elexon):
        energy.refresh(*datasets)
    of_day = energy.query(
        "select date_part('hour', period_start at time zone 'UTC')::int, market, is_synthetic, count(*) from wholesale_prices "
        "where period_start >= %s and period_start < %s group by 1, 2, 3",
        *(datetime.combine(day + timedelta(days=n), time(), UTC) for n in (0, 1)),
    )
    real = {(hour, "n2ex_day_ahead", False, 2) for hour in range(24)}
    invented = {(9, "apx_market_index", True, 2), (9, "system_price", True, 2)}
    assert set(of_day) == real | invented, "the auction set no price from 9 to 10"
    assert energy.value("select count(*) from wholesale_prices where is_synthetic") > 48
    assert_coverage_is_what_is_there(energy)

    energy.set(**emulator.settings)
    energy.refresh(*elexon)
    beaten = (
        "select count(*) from wholesale_prices a join wholesale_prices b using (period_start) "
        "where a.is_synthetic and not b.is_synthetic and b.price_gbp_mwh is not null"
    )
    assert energy.value(beaten) == 0
    assert energy.value("select count(*) from wholesale_prices where not is_synthetic and source = 'elexon'") > 48
    assert_coverage_is_what_is_there(energy)


def assert_coverage_is_what_is_there(energy: Energy) -> None:
    there = energy.query(
        "select 'wholesale_prices/' || market, settlement_date, count(price_gbp_mwh), "
        "count(price_gbp_mwh) filter (where is_synthetic) from wholesale_prices group by 1, 2"
    )
    published = energy.query(
        "select dataset, settlement_date, half_hours_present, half_hours_synthetic from data_coverage "
        "where row_count > 0 and dataset like 'wholesale_prices/%'"
    )
    assert sorted(published) == sorted(there)


def refresh_at(energy: Energy, emulator: Emulator, now: datetime) -> None:
    """A refresh of system prices at an instant that has been."""
    emulator.now = lambda: now
    with session("refresh", {}, now=now) as this:
        land(this, refresh_requests(energy.database, [DATASETS[SYSTEM]], now))
        assert not publish(this).failures


@pytest.mark.slow
def test_each_calculation_of_a_system_price_is_kept_with_when_it_was_first_known(
    energy: Energy, emulator: Emulator
) -> None:
    run = datetime.now(UTC).replace(hour=0, minute=30, second=0, microsecond=0)
    while next_working_day((run - timedelta(days=2)).date()) != (run - timedelta(days=1)).date():
        run -= timedelta(days=1)
    before = run - timedelta(days=1)
    refresh_at(energy, emulator, before)
    first = energy.query("select period_start, calculated_at, known_at, price_gbp_mwh from system_price_vintages")
    assert len(first) > 48 and len({row[0] for row in first}) == len(first)
    refresh_at(energy, emulator, before)
    refresh_at(energy, emulator, run)
    then = energy.query("select period_start, calculated_at, known_at, price_gbp_mwh from system_price_vintages")
    assert set(first) < set(then), "what was known is as it was"
    revised = energy.value(
        "select count(*) from (select period_start from system_price_vintages group by 1 having count(*) > 1 "
        "and count(distinct price_gbp_mwh) > 1) as revised"
    )
    assert revised > 5
    newest = dict(
        energy.query(
            "select distinct on (period_start) period_start, price_gbp_mwh from system_price_vintages "
            "order by period_start, calculated_at desc"
        )
    )
    current = dict(
        energy.query("select period_start, price_gbp_mwh from wholesale_prices where market = 'system_price'")
    )
    assert {at: price for at, price in current.items() if at in newest} == newest
    energy.set(SYNTHETIC_FALLBACK="on")
    emulator.fault("500", "/system-prices/")
    energy.refresh(SYSTEM)
    assert energy.value("select count(*) from system_price_vintages") == len(then), "nothing synthetic is a calculation"
