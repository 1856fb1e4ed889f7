"""System prices: what the imbalance of a settlement period costs, calculated again for weeks; GBP/MWh."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from msgspec import Struct
from pydantic import JsonValue

from pipelines.dataset import Contents, Dataset, fetches_path
from pipelines.door import refuses_the_unreadable
from pipelines.elexon.rows import Body, Number, body_of, contents, instant, read_rows, settlement_fields
from pipelines.elexon.windows import FIRST, PUBLISHED_AFTER, SOURCE, recent_days
from pipelines.pieces import settlement_days
from pipelines.synthetic import noise, price_gbp_mwh
from pipelines.working_days import DAY, next_working_day
from warehouse.periods import day_start, settlement_day

RUN_BY = timedelta(hours=18)
"""By then, on the next working day, most of the day before has been calculated again: each period a day or days after its own."""
LAST_RUN_BY = timedelta(hours=2)
"""The last periods are calculated again a quarter of an hour after midnight."""
LATER_RUNS = [timedelta(weeks=n) for n in range(1, 5)]
"""Settlement runs follow for weeks, on days that are not those of a calendar here: looked for once a week."""


class SystemPriceRow(Struct, rename="camel"):
    """A settlement period's imbalance price; GBP/MWh, MWh."""

    start_time: datetime
    system_sell_price: Number
    system_buy_price: Number
    net_imbalance_volume: Number
    created_date_time: datetime


def _price_is_final(half_hour: datetime) -> datetime:
    """From when on a system price no longer changes by the run of the next working day."""
    return _run_is_over(settlement_day(half_hour))


def _run_is_over(day: date) -> datetime:
    return day_start(next_working_day(day) + DAY) + LAST_RUN_BY


def _runs_again(day: date) -> list[datetime]:
    """When prices of a day may have changed: in the evening of its next working day, after that day, and in later runs."""
    over = _run_is_over(day)
    return [day_start(next_working_day(day)) + RUN_BY, over, *(over + later for later in LATER_RUNS)]


@refuses_the_unreadable
def validate(body: bytes) -> Contents:
    """Half-hours with a system price."""
    rows = read_rows(Body[SystemPriceRow], body)
    return contents(rows, [row for row in rows if row.system_sell_price is not None])


def synthesize(half_hours: Collection[datetime], now: datetime) -> JsonValue:
    """System prices: the market's price and what the system was short or long."""

    def row(start: datetime) -> JsonValue:
        imbalance = round(600 * (noise("imbalance", 0, start) - 0.5), 1)
        price = round(price_gbp_mwh(start) + imbalance / 10, 2)
        created = instant(start + timedelta(minutes=45))
        prices: dict[str, JsonValue] = {
            "systemSellPrice": price,
            "systemBuyPrice": price,
            "netImbalanceVolume": imbalance,
        }
        return {**settlement_fields(start), "createdDateTime": created, **prices}

    return body_of("DISEBSP", half_hours, row)


SYSTEM_PRICES = Dataset(
    source=SOURCE,
    name="system_prices",
    clean_tables=("wholesale_prices",),
    earliest=lambda now: FIRST,
    lag=PUBLISHED_AFTER,
    refreshes=recent_days,
    runs_again=_runs_again,
    final_at=_price_is_final,
    pieces=settlement_days(1),
    fetch=fetches_path(lambda window: f"/balancing/settlement/system-prices/{settlement_day(window.start)}"),
    validate=validate,
    synthesize=synthesize,
)
