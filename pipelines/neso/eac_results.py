"""Results of the response and reserve auctions; MW, GBP/MW/h."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from msgspec import Struct
from pydantic import JsonValue

from pipelines.dataset import BodyRejected, Contents, Dataset
from pipelines.door import refuses_the_unreadable
from pipelines.neso import windows
from pipelines.neso.ckan import fetches_datastore
from pipelines.neso.rows import Body, Number, body_of, events, instant_of, rows_of
from pipelines.neso.windows import ANY_NUMBER, SOURCE
from pipelines.pieces import half_hours, next_auction_year
from pipelines.synthetic import noise
from warehouse.periods import LONDON, Window, floor, iso

EAC_PRODUCTS = ("DCH", "DCL", "DMH", "DML", "DRH", "DRL")
EFA_HOURS = 4


class EacRow(Struct, rename="camel"):
    """A product and delivery block of the response and reserve auctions; MW, GBP/MW/h."""

    auction_product: str
    delivery_start: str
    delivery_end: str
    cleared_volume: Number
    clearing_price: Number


@lru_cache(maxsize=3000)
def _efa_block(half_hour: datetime) -> tuple[datetime, datetime]:
    """The EFA block that holds a half-hour: four hours of the clock from 23:00 on, three or five when the clock changes."""
    local = half_hour.astimezone(LONDON).replace(tzinfo=None, minute=0)
    start = local - timedelta(hours=(local.hour - 23) % EFA_HOURS)
    first, last = (
        clock.replace(tzinfo=LONDON).astimezone(UTC) for clock in (start, start + timedelta(hours=EFA_HOURS))
    )
    return first, last


@refuses_the_unreadable
def validate(body: bytes) -> Contents:
    """Auction results name blocks, not half-hours: none of them is ever missing."""
    rows = rows_of(Body[EacRow], body)
    for row in rows:
        if instant_of(row.delivery_end) <= instant_of(row.delivery_start):
            raise BodyRejected(f"a block ends before it starts: {row.delivery_start} to {row.delivery_end}")
    return events(rows, {(row.auction_product, _efa_block(instant_of(row.delivery_start))[0]) for row in rows})


def lacks(contents: Contents, window: Window, now: datetime) -> str | None:
    """Whether an EFA block that has begun has no results, or none of a product that the block before it has."""
    by_block: dict[datetime, set[str]] = {}
    for product, block in contents.parts:
        by_block.setdefault(block, set()).add(product)
    start, end = _efa_block(window.start)
    before: set[str] = set()
    while start < min(window.end, floor(now)):
        products = by_block.get(start, set())
        if start >= window.start and (not products or before - products):
            return f"it lacks {', '.join(sorted(before - products)) or 'all products'} of the block of {iso(start)}"
        before = products
        start, end = _efa_block(end)
    return None


def synthesize(half_hours: Collection[datetime], now: datetime) -> JsonValue:
    """Auction results: the EFA blocks that begin within these half-hours, one row per product."""
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
    return body_of(records)


EAC = Dataset(
    source=SOURCE,
    name="eac_results",
    clean_tables=("flexibility_prices",),
    earliest=lambda now: datetime(2023, 11, 1, tzinfo=UTC),
    horizon=timedelta(days=1),
    is_sparse=True,
    lacks=lacks,
    refreshes=windows.days(-2, 2),
    pieces=half_hours(timedelta(days=ANY_NUMBER), never_over=next_auction_year),
    fetch=fetches_datastore(windows.eac, windows.delivered),
    validate=validate,
    synthesize=synthesize,
)
