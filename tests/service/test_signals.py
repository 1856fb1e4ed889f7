"""Signals of the grid at /metrics: real values alone, none for what is missing, and the next clean hours."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client import Metric

from placement.outlook import from_rows
from service.app import create
from service.settings import ServiceSettings
from service.signals import families
from tests.service.conftest import Api
from warehouse.database import Database

NOW = datetime(2026, 11, 26, 12, 10, tzinfo=UTC)
FIRST = int(NOW.timestamp()) // 1800 * 1800


def figures(
    values: dict[int, Any], *, prices: dict[int, Any] | None = None, now: datetime = NOW
) -> dict[str, dict[Any, float]]:
    """The figures of region 13 by half-hours ahead; a value is gCO2/kWh or GBP/MWh, and ("synthetic", value) is synthetic."""

    def split(value: Any) -> tuple[float, bool]:
        return (value[1], True) if isinstance(value, tuple) else (value, False)

    intensities = [
        {"region_id": 13, "starts": FIRST + 1800 * at, "forecast_gco2_kwh": split(value)[0],
         "is_synthetic": split(value)[1], "forecast_known_at": NOW}
        for at, value in values.items()
    ]  # fmt: skip
    priced = [
        {
            "starts": FIRST + 1800 * at,
            "price_gbp_mwh": split(value)[0],
            "is_synthetic": split(value)[1],
            "fetched_at": NOW,
        }
        for at, value in (prices or {}).items()
    ]
    outlook = from_rows(
        NOW,
        intensities=intensities,
        priced=priced,
        windows=(),
        names=[{"region_id": 13, "name": "London"}],
        zones=(),
        last_real=None,
    )
    made: list[Metric] = families(outlook, {(13, FIRST): 41.5}, now)
    return {
        one.name.removeprefix("energy_"): {tuple(sample.labels.values()): sample.value for sample in one.samples}
        for one in made
    }


def test_what_is_missing_or_synthetic_is_absent_and_zero_is_a_value() -> None:
    found = figures({0: 0, 2: ("synthetic", 90), 4: 80}, prices={0: -3.5, 2: ("synthetic", 1), 8: 70})
    assert found["carbon_intensity_gco2_kwh"] == {("13", "now"): 0, ("13", "2h"): 80}
    assert found["price_gbp_mwh"] == {("now",): -3.5}
    assert found["renewable_share_pct"] == {("13", "now"): 41.5}
    assert found["region_info"] == {("13", "London"): 1}
    assert figures({})["carbon_intensity_gco2_kwh"] == {} == figures({})["next_clean_window_seconds"]


def test_the_next_clean_hours_are_real_without_a_gap_and_begin_within_a_day() -> None:
    values: dict[int, Any] = dict.fromkeys(range(96), 100)
    values |= {10: 10, 11: ("synthetic", 1), 12: 1, 20: 50, 21: 50, 90: 1, 91: 1}
    del values[13]
    found = figures(values)["next_clean_window_seconds"]
    assert found["13", "1"] == (20 * 1800) - 600, "neither the synthetic hour, nor the gap, nor that of tomorrow night"
    assert set(found) == {("13", hours) for hours in ("1", "2", "4", "8")}
    assert figures(dict.fromkeys(range(3), 100))["next_clean_window_seconds"] == {("13", "1"): 0}
    later = figures({at: 100 - at for at in range(8)}, now=NOW + timedelta(minutes=30))
    assert later["next_clean_window_seconds"]["13", "1"] == 5 * 1800 - 600


@pytest.fixture
def text(api: Api) -> str:
    return str(api.client.get("/metrics").text)


def test_the_service_gives_them_for_each_region(api: Api, text: str) -> None:
    for name in ("carbon_intensity_gco2_kwh", "renewable_share_pct"):
        found = re.findall(rf'^energy_{name}{{horizon="now",region="(\d+)"}} \S+$', text, flags=re.M)
        assert set(found) == {str(region) for region in range(1, 15)}, name
    rows = api.query(
        "select region_id::text, forecast_gco2_kwh from carbon_intensity_as_of(now(), null) where region_id between 1 and 14 "
        "and now() >= period_start and now() < period_start + interval '30 minutes'"
    )
    assert len(rows) == 14
    for region, value in rows:
        assert f'energy_carbon_intensity_gco2_kwh{{horizon="now",region="{region}"}} {float(value)}' in text
    assert 'energy_region_info{name="London",region="13"} 1.0' in text and "energy_price_gbp_mwh{" in text
    for hours in (1, 2, 4, 8):
        assert f'energy_next_clean_window_seconds{{hours="{hours}",region="13"}}' in text


def test_synthetic_data_gives_none(grid: Database) -> None:
    with grid.connect() as connection:
        connection.execute("update carbon_intensity_captures set is_synthetic = true")
        connection.execute("update generation_mix_regional set is_synthetic = true")
    with TestClient(create(grid, ServiceSettings())) as client:
        text = client.get("/metrics").text
    for name in ("carbon_intensity_gco2_kwh", "renewable_share_pct", "next_clean_window_seconds"):
        assert f"energy_{name}{{" not in text
    assert "energy_data_synthetic_ratio 1.0" in text
