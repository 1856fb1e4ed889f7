"""Bids to the Demand Flexibility Service; MW, GBP/MWh."""

from collections.abc import Collection
from datetime import UTC, datetime

from msgspec import Struct
from pydantic import JsonValue

from pipelines.dataset import Contents, Dataset
from pipelines.door import refuses_the_unreadable
from pipelines.neso import resources, windows
from pipelines.neso.ckan import fetches_datastore
from pipelines.neso.rows import Body, Number, TimeOfDay, body_of, events, parse_date, rows_of
from pipelines.neso.windows import ANY_NUMBER, SOURCE
from pipelines.pieces import settlement_days


class DfsRow(
    Struct,
    rename={
        "delivery_date": "Delivery Date", "from_utc": "From_UTC", "to_utc": "To_UTC", "unit": "DFS Unit ID",
        "procured_mw": "DFS Procured MW", "price": "Utilisation Price GBP per MWh", "status": "Status",
    },
):  # fmt: skip
    """A bid to the Demand Flexibility Service; MW, GBP/MWh."""

    delivery_date: str
    from_utc: TimeOfDay
    to_utc: TimeOfDay
    unit: str
    procured_mw: Number
    price: Number
    status: str


@refuses_the_unreadable
def validate(body: bytes) -> Contents:
    """Bids name events, not half-hours: none of them is ever missing."""
    rows = rows_of(Body[DfsRow], body)
    for row in rows:
        parse_date(row.delivery_date)
    return events(rows)


def synthesize(half_hours: Collection[datetime], now: datetime) -> JsonValue:
    """The Demand Flexibility Service is called for now and then: nothing is made up where nothing is known."""
    return body_of([])


DFS = Dataset(
    source=SOURCE,
    name="dfs_utilisation",
    clean_tables=("flexibility_prices",),
    earliest=lambda now: datetime(2026, 3, 31, 23, tzinfo=UTC),
    is_sparse=True,
    refreshes=windows.days(-7, 2),
    pieces=settlement_days(ANY_NUMBER),
    fetch=fetches_datastore(lambda request: resources.DFS_UTILISATION, windows.between("Delivery Date")),
    validate=validate,
    synthesize=synthesize,
)
