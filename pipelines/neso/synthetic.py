"""Bodies of NESO's own shape for half-hours that it did not give. Every one lands with `origin = 'synthetic'`."""

from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime, time, timedelta

from pydantic import JsonValue

from pipelines.periods import HALF_HOUR, LONDON, settlement_day, settlement_period
from pipelines.synthetic import embedded_solar_mw, embedded_wind_mw, national_demand_mw, noise, price_gbp_mwh

Synthesize = Callable[[Collection[datetime], datetime], JsonValue]
STATION_LOAD_MW = 600
EAC_PRODUCTS = ("DCH", "DCL", "DMH", "DML", "DRH", "DRL")
EFA_HOURS = 4


def _body(records: Iterable[JsonValue]) -> JsonValue:
    return {"help": "", "success": True, "result": {"records": list(records)}}


def _demand(start: datetime) -> dict[str, JsonValue]:
    demand = national_demand_mw(start)
    return {
        "SETTLEMENT_DATE": settlement_day(start).isoformat(),
        "SETTLEMENT_PERIOD": settlement_period(start),
        "ND": demand,
        "TSD": demand + STATION_LOAD_MW + round(900 * noise("pumping", 0, start)),
        "ENGLAND_WALES_DEMAND": round(demand * 0.91),
        "EMBEDDED_WIND_GENERATION": embedded_wind_mw(start),
        "EMBEDDED_SOLAR_GENERATION": embedded_solar_mw(start),
    }


def synthesize_demand_history(half_hours: Collection[datetime], now: datetime) -> JsonValue:
    """Historic Demand Data."""
    return _body(_demand(start) for start in sorted(half_hours))


def synthesize_demand_update(half_hours: Collection[datetime], now: datetime) -> JsonValue:
    """Demand Data Update: what has not ended at `now` is a forecast row, with zeros where upstream has them."""
    records: list[JsonValue] = []
    for start in sorted(half_hours):
        row = _demand(start)
        if start + HALF_HOUR <= now:
            records.append({**row, "FORECAST_ACTUAL_INDICATOR": "A"})
        else:
            records.append({**row, "FORECAST_ACTUAL_INDICATOR": "F", "ND": 0, "TSD": 0, "ENGLAND_WALES_DEMAND": 0})
    return _body(records)


def synthesize_two_to_14(half_hours: Collection[datetime], now: datetime) -> JsonValue:
    """2-14 days ahead, half-hourly."""
    records: list[JsonValue] = []
    for start in sorted(half_hours):
        end = (start + HALF_HOUR).astimezone(LONDON)
        is_midnight = (end.hour, end.minute) == (0, 0)
        records.append(
            {
                "DATE": settlement_day(start).isoformat(),
                "CTIME": 2400 if is_midnight else end.hour * 100 + end.minute,
                "GDATETIME": f"{start + HALF_HOUR:%Y-%m-%dT%H:%M:%S}",
                "NATIONALDEMAND": national_demand_mw(start),
            }
        )
    return _body(records)


def synthesize_day_ahead(half_hours: Collection[datetime], now: datetime) -> JsonValue:
    """The day-ahead forecasts of past days, issued at 08:45 of the day before."""
    records: list[JsonValue] = []
    for start in sorted(half_hours):
        day = settlement_day(start)
        records.append(
            {
                "Date": day.isoformat(),
                "Settlement_Period": settlement_period(start),
                "Demand_Forecast": national_demand_mw(start),
                "Publish_Datetime": f"{day - timedelta(days=1)}T08:45:00",
            }
        )
    return _body(records)


def synthesize_cardinal(half_hours: Collection[datetime], now: datetime) -> JsonValue:
    """Cardinal points of each day: every two hours, which is as much of a shape as upstream's dozen gives."""
    records: list[JsonValue] = []
    for day in sorted({settlement_day(start) for start in half_hours}):
        for number, clock in enumerate((30, 230, 430, 630, 830, 1030, 1230, 1430, 1630, 1830, 2030, 2400)):
            local = datetime.combine(day, time()) + timedelta(hours=clock // 100, minutes=clock % 100 - 30)
            start = local.replace(tzinfo=LONDON).astimezone(UTC)
            records.append(
                {
                    "TARGETDATE": day.isoformat(),
                    "FORECASTDEMAND": national_demand_mw(start),
                    "CARDINALPOINT": str(number + 1),
                    "CP_TYPE": "F",
                    "CP_ST_TIME": clock,
                    "CP_END_TIME": clock,
                    "FORECAST_TIMESTAMP": f"{day - timedelta(days=1)}T08:45:00Z",
                }
            )
    return _body(records)


def synthesize_n2ex(half_hours: Collection[datetime], now: datetime) -> JsonValue:
    """The day-ahead auction: whole hours, labelled in GMT."""
    hours = sorted({start.astimezone(UTC).replace(minute=0) for start in half_hours})
    return _body(
        {
            "Date": f"{hour:%Y-%m-%d}",
            "Delivery Period": f"{hour:%H}:00 - {hour + timedelta(hours=1):%H}:00",
            "Price": f"{price_gbp_mwh(hour):.6f}",
        }
        for hour in hours
    )


def synthesize_eac(half_hours: Collection[datetime], now: datetime) -> JsonValue:
    """Auction results: the EFA blocks that begin within these half-hours, a row a product."""
    asked = set(half_hours)
    blocks = {block for half_hour in half_hours if (block := _efa_block(half_hour))[0] in asked}
    records: list[JsonValue] = []
    for start, end in sorted(blocks):
        for number, product in enumerate(EAC_PRODUCTS):
            records.append(
                {
                    "auctionProduct": product,
                    "serviceType": "Response",
                    "deliveryStart": f"{start:%Y-%m-%dT%H:%M:%S}",
                    "deliveryEnd": f"{end:%Y-%m-%dT%H:%M:%S}",
                    "clearedVolume": str(round(200 + 800 * noise("volume", number, start))),
                    "clearingPrice": f"{12 * noise('availability', number, start) - 1:.2f}",
                }
            )
    return _body(records)


def synthesize_dfs(half_hours: Collection[datetime], now: datetime) -> JsonValue:
    """The Demand Flexibility Service is called for now and then: nothing is made up where nothing is known."""
    return _body([])


def _efa_block(half_hour: datetime) -> tuple[datetime, datetime]:
    """The EFA block that holds a half-hour: four hours of the clock from 23:00 on, three or five when the clock changes."""
    local = half_hour.astimezone(LONDON).replace(tzinfo=None, minute=0)
    start = local - timedelta(hours=(local.hour - 23) % EFA_HOURS)
    first, last = (
        clock.replace(tzinfo=LONDON).astimezone(UTC) for clock in (start, start + timedelta(hours=EFA_HOURS))
    )
    return first, last
