"""Bodies of Elexon's own shape for half-hours that it did not give. Every one lands with `origin = 'synthetic'`."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from pydantic import JsonValue

from pipelines.periods import HALF_HOUR, settlement_day, settlement_period
from pipelines.synthetic import national_demand_mw, noise, price_gbp_mwh

ZONES = tuple(f"B{number}" for number in range(1, 18))


def _settled(start: datetime) -> dict[str, JsonValue]:
    return {
        "startTime": _instant(start),
        "settlementDate": settlement_day(start).isoformat(),
        "settlementPeriod": settlement_period(start),
    }


def _body(dataset: str, half_hours: Collection[datetime], row: Callable[[datetime], JsonValue]) -> JsonValue:
    return {"metadata": {"datasets": [dataset]}, "data": [row(start) for start in sorted(half_hours)]}


def synthesize_market_index(half_hours: Collection[datetime], now: datetime) -> JsonValue:
    """Market index of APX."""
    return _body(
        "MID",
        half_hours,
        lambda start: {
            **_settled(start),
            "dataProvider": "APXMIDP",
            "price": price_gbp_mwh(start),
            "volume": round(800 + 1500 * noise("volume", 0, start), 1),
        },
    )


def synthesize_system_prices(half_hours: Collection[datetime], now: datetime) -> JsonValue:
    """System prices: the market's price and what the system was short or long."""

    def row(start: datetime) -> JsonValue:
        imbalance = round(600 * (noise("imbalance", 0, start) - 0.5), 1)
        price = round(price_gbp_mwh(start) + imbalance / 10, 2)
        created = _instant(start + timedelta(minutes=45))
        prices: dict[str, JsonValue] = {
            "systemSellPrice": price,
            "systemBuyPrice": price,
            "netImbalanceVolume": imbalance,
        }
        return {**_settled(start), "createdDateTime": created, **prices}

    return _body("DISEBSP", half_hours, row)


def synthesize_outturn(half_hours: Collection[datetime], now: datetime) -> JsonValue:
    """Initial demand outturn."""

    def row(start: datetime) -> JsonValue:
        demand = national_demand_mw(start)
        return {
            "publishTime": _instant(start + HALF_HOUR),
            **_settled(start),
            "initialDemandOutturn": demand,
            "initialTransmissionSystemDemandOutturn": demand + 1000,
        }

    return _body("INDO", half_hours, row)


def synthesize_forecast(half_hours: Collection[datetime], now: datetime) -> JsonValue:
    """Day-ahead forecast, national."""
    return _body("NDF", half_hours, lambda start: _forecast(start, "N"))


def synthesize_zonal_forecast(half_hours: Collection[datetime], now: datetime) -> JsonValue:
    """Day-ahead forecast of each zone: transmission system demand alone."""
    rows: list[JsonValue] = [_forecast(start, zone) for start in sorted(half_hours) for zone in ZONES]
    return {"metadata": {"datasets": ["TSDF"]}, "data": rows}


def _forecast(start: datetime, boundary: str) -> dict[str, JsonValue]:
    demand = national_demand_mw(start)
    zone = ZONES.index(boundary) + 1 if boundary in ZONES else 0
    published = (start - timedelta(hours=24)).replace(hour=8, minute=45)
    return {
        "publishTime": _instant(published),
        **_settled(start),
        "boundary": boundary,
        "nationalDemand": None if zone else demand,
        "transmissionSystemDemand": demand * zone // sum(range(1, 18)) if zone else demand + 1000,
    }


def _instant(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"
