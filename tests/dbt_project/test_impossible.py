"""An impossible value is NULL and its fault is named; the other rows of its response are published."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from flows.session import session
from flows.steps import publish
from pipelines.catalogue import DATASETS
from tests.energy import Energy
from tests.flows.test_door_and_sql import land
from tests.pipelines.hostile import Sample
from warehouse.periods import HALF_HOUR, Window, iso
from warehouse.settings import PROJECT_ROOT

START = datetime(2018, 6, 10, 10, tzinfo=UTC)
LATELY = datetime(2026, 11, 9, 10, tzinfo=UTC)


def market_index(**values: Any) -> dict[str, Any]:
    return {"data": [{"startTime": iso(START), "dataProvider": "APXMIDP", "price": 50, "volume": 100} | values]}


def ckan(**values: Any) -> dict[str, Any]:
    return {"result": {"records": [{name.replace("_", " "): value for name, value in values.items()}]}}


def n2ex(price: str) -> dict[str, Any]:
    return ckan(Date="2018-06-10", Delivery_Period="10:00 - 11:00", Price=price)


def bid(status: str) -> dict[str, Any]:
    record = {
        "Delivery Date": "2018-06-10", "From_UTC": "10:00", "To_UTC": "10:30", "Event Type": "Upwards", "DFS Unit ID": "u",
        "DFS Procured MW": 1, "Utilisation Price GBP per MWh": 100, "Status": status,
    }  # fmt: skip
    return {"result": {"records": [record]}}


def demand(nd: int, tsd: int, england_wales: int) -> dict[str, Any]:
    record = {
        "SETTLEMENT_DATE": "2018-06-10", "SETTLEMENT_PERIOD": 23, "ND": nd, "TSD": tsd,
        "ENGLAND_WALES_DEMAND": england_wales, "EMBEDDED_WIND_GENERATION": 1, "EMBEDDED_SOLAR_GENERATION": 1,
    }  # fmt: skip
    return {"result": {"records": [record]}}


def outturn(nd: int, tsd: int) -> dict[str, Any]:
    published = {"startTime": iso(START), "publishTime": iso(START + HALF_HOUR)}
    return {"data": [published | {"initialDemandOutturn": nd, "initialTransmissionSystemDemandOutturn": tsd}]}


def zonal(demand: int) -> dict[str, Any]:
    published = {"startTime": iso(START), "publishTime": iso(START - HALF_HOUR), "boundary": "B1"}
    return {"data": [published | {"transmissionSystemDemand": demand}]}


def auction(price: float) -> dict[str, Any]:
    record = {
        "auctionProduct": "DCL", "deliveryStart": "2018-06-10T10:00:00", "deliveryEnd": "2018-06-10T14:00:00",
        "clearedVolume": 1, "clearingPrice": price,
    }  # fmt: skip
    return {"result": {"records": [record]}}


def mix(**shares: float) -> dict[str, Any]:
    fuels = ("biomass", "coal", "imports", "gas", "nuclear", "other", "hydro", "solar", "wind")
    return {
        "data": [
            {
                "from": iso(START), "to": iso(START + HALF_HOUR),
                "generationmix": [{"fuel": fuel, "perc": shares.get(fuel, 0)} for fuel in fuels],
            }
        ]
    }  # fmt: skip


NO_PRICE = "price outside -500..5000 GBP/MWh"
NO_MIX = "mix does not add up to 100 %"
NO_TSD = "transmission demand below national demand"
NO_ENGLAND = "demand of England and Wales outside 1 MW..national demand"
BEYOND = "price beyond 10000 "
PRICE, RESERVE, VOLUME, DEMAND = (
    "price_gbp_mwh",
    "price_gbp_mw_h",
    "price_gbp_mwh, volume_mwh",
    "transmission_system_demand_mw, england_wales_demand_mw",
)


@pytest.mark.parametrize(
    ("dataset", "body", "columns", "values", "fault"),
    [
        *(("neso__n2ex_day_ahead", n2ex(price), PRICE, (None,), NO_PRICE) for price in ("-9999", "9999", "-999")),
        *(("neso__n2ex_day_ahead", n2ex(price), PRICE, (Decimal(price),), None) for price in ("-500", "-3.01", "4000")),
        ("elexon__market_index", market_index(volume=-1), VOLUME, (None, None), "volume outside 0..100000 MWh"),
        ("elexon__market_index", market_index(volume=0), VOLUME, (None, 0), None),
        *(
            ("elexon__market_index", market_index(price=p), PRICE, (None,), BEYOND + "GBP/MWh")
            for p in (-10000.01, 10000.01)
        ),
        *(("elexon__market_index", market_index(price=p), PRICE, (p,), None) for p in (-10000, 10000)),
        *(("neso__eac_results", auction(p), RESERVE, (None,), BEYOND + "GBP/MW/h") for p in (-10000.01, 10000.01)),
        *(("neso__eac_results", auction(p), RESERVE, (p,), None) for p in (-10000, 10000)),
        ("elexon__demand_forecast_zonal", zonal(80001), "demand_mw", (None,), "demand outside 0..80000 MW"),
        ("elexon__demand_forecast_zonal", zonal(80000), "demand_mw", (80000,), None),
        ("elexon__demand_outturn", outturn(80001, 80001), "national_demand_mw", (None,), "demand outside 0..80000 MW"),
        ("elexon__demand_outturn", outturn(80000, 80000), "national_demand_mw", (80000,), None),
        ("neso__dfs_utilisation", bid("Withdrawn"), "status, price_gbp_mwh", (None, 100), "unknown status"),
        ("neso__dfs_utilisation", bid(" Accepted"), "status, price_gbp_mwh", ("accepted", 100), None),
        ("carbon_intensity__generation", mix(wind=100.4), "wind_pct", (None,), NO_MIX),
        ("carbon_intensity__generation", mix(wind=48.9, gas=49), "wind_pct", (None,), NO_MIX),
        ("carbon_intensity__generation", mix(wind=53, gas=49.1), "wind_pct", (None,), NO_MIX),
        ("carbon_intensity__generation", mix(wind=53, gas=49), "wind_pct", (53,), None),
        ("carbon_intensity__generation", mix(wind=100.04), "wind_pct", (100,), None),
        ("carbon_intensity__generation", mix(wind=49.04, gas=49.04), "wind_pct", (49,), None),
        ("neso__demand_history", demand(26000, 25999, 20000), DEMAND, (None, 20000), NO_TSD),
        ("neso__demand_history", demand(26000, 26000, 20000), DEMAND, (26000, 20000), None),
        ("neso__demand_history", demand(26000, 0, 20000), DEMAND, (None, 20000), None),  # not there
        ("neso__demand_history", demand(26000, 27000, 0), DEMAND, (27000, None), NO_ENGLAND),
        ("neso__demand_history", demand(26000, 27000, 26001), DEMAND, (27000, None), NO_ENGLAND),
        ("elexon__demand_outturn", outturn(26000, 25000), DEMAND, (None, None), NO_TSD),
    ],
)
def test_an_impossible_value_is_null_and_named(
    energy: Energy, dataset: str, body: dict[str, Any], columns: str, values: tuple[Any, ...], fault: str | None
) -> None:
    sample = Sample(DATASETS[dataset], Window(START, START + HALF_HOUR), None)
    land(energy, sample, {"": json.dumps(body).encode()})
    assert set(energy.query(f"select {columns}, fault from intermediate.stg_{dataset}")) == {(*values, fault)}


def test_a_bound_of_a_quantity_is_typed_in_the_project_file_alone() -> None:
    typed = re.compile(r"(?:_pct|_mwh?|_gco2_kwh|_gbp_mw_h) between -?\d")
    for path in (PROJECT_ROOT / "dbt_project").rglob("*.*"):
        if path.suffix in (".yml", ".sql") and "target" not in path.parts:
            assert not (found := typed.findall(" ".join(path.read_text().split()))), f"{path}: {found}"


def row_of(body: dict[str, Any]) -> dict[str, Any]:
    (row,) = body["data"] if "data" in body else body["result"]["records"]
    return dict(row)


def moved(row: dict[str, Any], half_hours: int) -> dict[str, Any]:
    """The row of one of the half-hours from LATELY on."""
    at = LATELY + half_hours * HALF_HOUR
    times = {"startTime": iso(at), "from": iso(at), "to": iso(at + HALF_HOUR)}
    times |= {"Delivery Date": f"{at:%Y-%m-%d}", "From_UTC": f"{at:%H:%M}", "To_UTC": f"{at + HALF_HOUR:%H:%M}"}
    return row | {name: value for name, value in times.items() if name in row}


@pytest.mark.slow
def test_one_such_row_holds_no_response_back(energy: Energy) -> None:
    bodies = {
        "elexon__market_index": [market_index(), market_index(volume=-1)],
        "neso__dfs_utilisation": [bid("Accepted"), bid("Withdrawn")],
        "carbon_intensity__generation": [mix(wind=100), mix(wind=100.4)],
    }
    for dataset, (good, bad) in bodies.items():
        rows = [moved(row_of(good), n) for n in range(12)] + [moved(row_of(bad), 12)]
        body = {"data": rows} if "data" in good else {"result": {"records": rows}}
        window = Window(LATELY, LATELY + 13 * HALF_HOUR)
        land(energy, Sample(DATASETS[dataset], window, None), {"": json.dumps(body).encode()})
    with session("refresh", {}) as this:
        assert not publish(this).failures
    for table in ("wholesale_prices", "flexibility_prices", "generation_mix_national"):
        assert energy.value(f"select count(*) from {table}") == 13
