"""The door: what was recorded of Elexon goes through, in any order, and its half-hours are recognised."""

import csv
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from pipelines.client import UpstreamClient
from pipelines.dataset import FetchRequest
from pipelines.elexon import demand_forecast, demand_forecast_zonal, demand_outturn, market_index, system_prices
from pipelines.elexon.market_index import MARKET_INDEX
from pipelines.settings import PipelineSettings
from tests.conftest import RECORDED_DIR, needs_recorded
from tests.emulator import Emulator
from tests.pipelines.elexon import bodies
from warehouse.periods import HALF_HOUR, Window, from_settlement, settlement_days

ELEXON = (RECORDED_DIR or Path()) / "elexon"
INDEX_2026 = ELEXON / "market_index/market_index_APXMIDP_2026-01-08_2026-07-19.csv"
UNTRADED = [datetime(2026, 5, 9, 10, 0, tzinfo=UTC), datetime(2026, 5, 9, 10, 30, tzinfo=UTC)]
START = datetime(2024, 2, 1, tzinfo=UTC)


def half_hours(first: str, last: str) -> set[datetime]:
    return set(settlement_days(date.fromisoformat(first), date.fromisoformat(last)).half_hours())


@needs_recorded
def test_the_recorded_day_of_the_market_index_is_whole_though_the_latest_comes_first() -> None:
    rows = json.loads((ELEXON / "api_json/datasets_MID_stream_APX_2026-09-20.json").read_bytes())
    starts = [row["startTime"] for row in rows]
    assert starts == sorted(starts, reverse=True)
    contents = market_index.validate(bodies.printed(rows))
    assert contents.named == contents.complete == half_hours("2026-09-20", "2026-09-20")
    assert contents == market_index.validate(bodies.printed(rows[::-1]))
    assert contents == market_index.validate(bodies.printed(rows + rows[:1])), "a row that comes twice counts once"


@needs_recorded
def test_half_a_year_of_the_market_index_lacks_only_what_was_not_recorded() -> None:
    contents = market_index.validate(bodies.printed(bodies.recorded(INDEX_2026)))
    gap = Window(datetime(2026, 7, 16, 18, tzinfo=UTC), datetime(2026, 7, 16, 23, tzinfo=UTC))
    assert contents.complete == half_hours("2026-01-08", "2026-07-19") - set(gap.half_hours())
    assert len(half_hours("2026-03-29", "2026-03-29") & contents.complete) == 46


@needs_recorded
def test_half_hours_without_a_trade_are_there_and_complete() -> None:
    placeholders = [row for row in bodies.recorded(INDEX_2026) if row["volume"] == 0]
    contents = market_index.validate(bodies.printed(placeholders))
    assert contents.named == contents.complete == set(UNTRADED)


@needs_recorded
def test_the_provider_without_trades_is_not_counted() -> None:
    with (ELEXON / "market_index/3YP_mip.csv").open() as file:
        rows = [
            {
                "startTime": from_settlement(date(2018, 6, 8), int(row[3])).isoformat(),
                "dataProvider": row[1],
                "price": float(row[4]),
                "volume": float(row[5]),
            }
            for row in csv.reader(file)
            if row[0] == "MID"
        ]
    assert {row["dataProvider"] for row in rows} == {"APXMIDP", "N2EXMIDP"}
    assert market_index.validate(bodies.printed(rows)).named == half_hours("2018-06-08", "2018-06-08") & {
        datetime.fromisoformat(str(row["startTime"])) for row in rows if row["dataProvider"] == "APXMIDP"
    }
    only = [row for row in rows if row["dataProvider"] == "N2EXMIDP"]
    assert market_index.validate(bodies.printed(only)).named == frozenset()


@needs_recorded
def test_the_emulated_week_is_the_recorded_one(recorded_emulator: Emulator) -> None:
    client = UpstreamClient(recorded_emulator.settings["ELEXON_URL"], settings=PipelineSettings(http_attempts=1))
    window = Window(datetime(2026, 5, 6, tzinfo=UTC), datetime(2026, 5, 13, tzinfo=UTC))
    (answer,) = MARKET_INDEX.fetch(FetchRequest(client, window)).responses
    assert answer.failure is None
    assert market_index.validate(answer.body).complete == set(window.half_hours())


@needs_recorded
def test_the_recorded_system_price_passes() -> None:
    row = json.loads((ELEXON / "api_json/system_prices_row_2024-02-01_sp1.json").read_bytes())
    contents = system_prices.validate(bodies.printed([row]))
    assert contents.named == contents.complete == {START}


@needs_recorded
@pytest.mark.parametrize(("day", "periods"), [("2025-12-16", 48), ("2025-12-17", 48), ("2025-12-19", 34)])
def test_recorded_outturns_hold_the_half_hours_that_had_ended(day: str, periods: int) -> None:
    rows = bodies.recorded(ELEXON / f"demand_outturn/{day}_demand_outturn.csv")
    contents = demand_outturn.validate(bodies.printed(rows))
    first = datetime.fromisoformat(f"{day}T00:00+00:00")
    assert contents.named == contents.complete == {first + n * HALF_HOUR for n in range(periods)}


@pytest.mark.parametrize(
    ("validate_body", "row", "column"),
    [
        (system_prices.validate, bodies.SYSTEM_PRICE, "systemSellPrice"),
        (demand_outturn.validate, bodies.OUTTURN, "initialDemandOutturn"),
        (demand_forecast.validate, bodies.FORECAST, "nationalDemand"),
    ],
)
def test_a_half_hour_without_its_value_is_named_but_not_complete(validate_body, row: dict, column: str) -> None:
    assert validate_body(bodies.printed([row])).complete == {START}
    contents = validate_body(bodies.printed([{**row, column: None}]))
    assert (contents.named, contents.complete) == ({START}, frozenset())


@pytest.mark.parametrize("price", [0, 0.0, -102.9, 1352.9, None])
def test_a_price_may_be_anything(price: float | None) -> None:
    assert market_index.validate(bodies.printed([{**bodies.MARKET_INDEX, "price": price}])).complete == {START}
    free = {**bodies.SYSTEM_PRICE, "systemSellPrice": 0, "systemBuyPrice": 0}
    assert system_prices.validate(bodies.printed([free])).complete == {START}, "zero is a price"


def test_a_zone_has_transmission_demand_alone() -> None:
    zones = [{**bodies.FORECAST, "boundary": f"B{number}", "nationalDemand": None} for number in range(1, 18)]
    assert demand_forecast_zonal.validate(bodies.printed(zones)).complete == {START}
    assert demand_forecast.validate(bodies.printed(zones)).complete == frozenset()


@pytest.mark.parametrize(
    "validate_body", [market_index.validate, system_prices.validate, demand_outturn.validate, demand_forecast.validate]
)
def test_no_rows_are_no_half_hours(validate_body) -> None:
    assert validate_body(b'{"data":[]}').named == frozenset()


def test_an_offset_is_the_instant_that_it_means() -> None:
    row = {**bodies.MARKET_INDEX, "startTime": "2024-02-01T01:00:00+01:00"}
    (start,) = market_index.validate(bodies.printed([row])).complete
    assert start == START
