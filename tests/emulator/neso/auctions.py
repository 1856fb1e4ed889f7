"""Results of the auctions of response and reserve (EAC), by EFA block."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from tests.emulator.neso.table import LONDON, ONE_DAY, Table, days, noise

SUMMARY = {
    "auctionID": "int4", "auctionProduct": "text", "serviceType": "text", "deliveryStart": "timestamp",
    "deliveryEnd": "timestamp", "clearedVolume": "numeric", "clearingPrice": "numeric", "linkedServiceWindowID": "int4",
}  # fmt: skip
RESPONSE = {"DCL": 3.1, "DCH": 1.5, "DML": 5.9, "DMH": 0.9, "DRL": 14.0, "DRH": 1.2}
RESERVE = {"PQR": 4.2, "NQR": 3.6, "PSR": 2.4, "NSR": 2.0, "PBR": 5.5, "NBR": 1.1}
RESERVE_FIRST = date(2024, 12, 3)
FIRST = date(2023, 11, 3)


def financial_year(day: date) -> int:
    """The year in which its financial year began."""
    return day.year - (day < date(day.year, 4, 1))


def archived(year: int) -> datetime:
    """When a financial year's rows get a file of their own."""
    return datetime(year + 1, 4, 15, 11, 14, 7, 744257, tzinfo=UTC)


def summary(published: datetime) -> Table:
    """The current file, up to tomorrow's EFA day: from the beginning of the first financial year that has no archive yet."""
    tomorrow = published.astimezone(LONDON).date() + ONE_DAY
    first = financial_year(tomorrow)
    if archived(first - 1) > published:
        first -= 1
    return Table(SUMMARY, _days(max(FIRST, date(first, 4, 1)), tomorrow))


def archive(year: int, published: datetime) -> Table:
    """A financial year that is over, by EFA days."""
    return Table(SUMMARY, _days(max(FIRST, date(year, 4, 1)), date(year + 1, 3, 31)))


def blocks(efa_day: date) -> list[tuple[datetime, datetime]]:
    """Its six blocks, naive UTC: from 23:00 of the day before in London, 3 or 5 hours where the clocks change."""
    eve = datetime.combine(efa_day - ONE_DAY, time(23), LONDON)
    clock = [eve, *(datetime.combine(efa_day, time(hour), LONDON) for hour in (3, 7, 11, 15, 19, 23))]
    edges = [edge.astimezone(UTC).replace(tzinfo=None) for edge in clock]
    return list(pairwise(edges))


def _days(first: date, last: date) -> Iterator[list[object]]:
    for day in days(first, last):
        products = RESPONSE | (RESERVE if day >= RESERVE_FIRST else {})
        bytes_ = noise(f"eac|{day}", 128)
        number = (day - FIRST) // timedelta(days=1)
        for block, (start, end) in enumerate(blocks(day)):
            for place, (product, level) in enumerate(products.items()):
                byte = bytes_[block * 12 + place]
                price = level * (0.4 + byte / 128) - (level * 2 if product in ("DRH", "NBR") and byte < 90 else 0)
                service = "Response" if product in RESPONSE else "Reserve"
                yield [1_000 + number, product, service, start, end, 200 + byte * 5, f"{price:.2f}", None]
