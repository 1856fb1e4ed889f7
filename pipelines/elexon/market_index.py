"""The market index: APX, each half-hour; GBP/MWh."""

from collections.abc import Collection
from datetime import datetime

from msgspec import Struct
from pydantic import JsonValue

from pipelines.dataset import Contents, Dataset, fetches_path
from pipelines.door import refuses_the_unreadable
from pipelines.elexon.rows import Body, Number, body_of, contents, read_rows, settlement_fields
from pipelines.elexon.windows import FIRST, PUBLISHED_AFTER, SOURCE, WEEK, between, recent
from pipelines.pieces import half_hours
from pipelines.synthetic import noise, price_gbp_mwh

APX = "APXMIDP"


class MarketIndexRow(Struct, rename="camel"):
    """A half-hour of a market index data provider; GBP/MWh, MWh."""

    start_time: datetime
    data_provider: str
    price: Number
    volume: Number


@refuses_the_unreadable
def validate(body: bytes) -> Contents:
    """Half-hours with a row of APX; those without a volume have no price, and are there all the same."""
    rows = [row for row in read_rows(Body[MarketIndexRow], body) if row.data_provider == APX]
    return contents(rows, rows)


def synthesize(half_hours: Collection[datetime], now: datetime) -> JsonValue:
    """Market index of APX."""
    return body_of(
        "MID",
        half_hours,
        lambda start: {
            **settlement_fields(start),
            "dataProvider": "APXMIDP",
            "price": price_gbp_mwh(start),
            "volume": round(800 + 1500 * noise("volume", 0, start), 1),
        },
    )


MARKET_INDEX = Dataset(
    source=SOURCE,
    name="market_index",
    clean_tables=("wholesale_prices",),
    earliest=lambda now: FIRST,
    lag=PUBLISHED_AFTER,
    refreshes=recent,
    pieces=half_hours(WEEK),
    fetch=fetches_path(lambda window: f"/balancing/pricing/market-index?{between(window, dataProviders=APX)}"),
    validate=validate,
    synthesize=synthesize,
)
