"""Catalogues validated, and what a refusal looks like in each of its forms."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import msgspec

from pipelines.beckn.shapes import Body, Item, Polygon
from pipelines.dataset import BodyRejected, Contents
from pipelines.door import read, refuses_the_unreadable
from warehouse.periods import parse_instant

BRITAIN = (-9.0, 49.0, 3.0, 61.5)
"""West, south, east, north: what calls itself GB lies within."""


@refuses_the_unreadable
def validate(body: bytes) -> Contents:
    """A catalogue names windows, not half-hours: none is ever missing. Raises BodyRejected."""
    refusal = refused(body)
    if refusal:
        raise BodyRejected(refusal)
    received = read(Body, body)
    action = received.context.get("action")
    if action not in (None, "on_discover"):
        raise BodyRejected(f"answers {action}, not on_discover")
    message = received.message
    for instant in (i for c in message.catalogs if c.validity for i in (c.validity.start, c.validity.end) if i):
        parse_instant(instant)
    seen: dict[str, Item] = {}
    for item in (item for catalog in message.catalogs for item in catalog.items):
        if seen.setdefault(item.id, item) != item:
            raise BodyRejected(f"holds the item {item.id} twice, with different values")
        _require_place(item)
        if item.attributes.capacity.capacity_unit != "MW":
            raise BodyRejected(f"the capacity of {item.id} is in {item.attributes.capacity.capacity_unit}, not in MW")
    offers: dict[str, Any] = {}
    for offer in (offer for catalog in message.catalogs for offer in catalog.offers or []):
        if offers.setdefault(offer.id, offer) != offer:
            raise BodyRejected(f"holds the offer {offer.id} twice, with different values")
    return Contents(frozenset(), frozenset())


def refused(body: bytes) -> str | None:
    """What a refusal says, in any form of the protocol's versions; None if the body is none."""
    try:
        received = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(received, dict):
        return None
    message = _object(received.get("message"))
    ack = _object(message.get("ack"))
    error = received.get("error") or message.get("error")
    if "NACK" in (ack.get("status"), received.get("ack_status"), message.get("status")) or error:
        words = error.get("message") or error.get("code") if isinstance(error, dict) else error
        return f"is a refusal (NACK): {words or 'without a reason'}"
    if "catalog" in message and "catalogs" not in message:
        return "has the older form `message.catalog`, which leaves grid parameters and prices out"
    if "message" not in received and "context" in received:
        return "has a context and no message"
    return None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def version_of(body: bytes) -> str | None:
    """A hash of the message, whatever its context and the order of its keys; None for what is no message."""
    try:
        message = json.loads(body)["message"]
        canonical = json.dumps(message, sort_keys=True, separators=(",", ":"))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return hashlib.sha256(canonical.encode(errors="surrogatepass")).hexdigest()


def _require_place(item: Item) -> None:
    """Refuse places that are nowhere: it is how swapped axes show."""
    for location in item.locations:
        is_british = isinstance(location.address, msgspec.Struct) and location.address.address_country == "GB"
        west, south, east, north = BRITAIN if is_british else (-180.0, -90.0, 180.0, 90.0)
        for longitude, latitude in _points(location.geo):
            if not (west <= longitude <= east and south <= latitude <= north):
                where = "Great Britain" if is_british else "the Earth"
                raise BodyRejected(
                    f"{item.id} has the point ({longitude}, {latitude}) outside of {where}; are its axes swapped?"
                )


def _points(geo: Any) -> Iterator[tuple[float, float]]:
    for point in [p for ring in geo.coordinates for p in ring] if isinstance(geo, Polygon) else [geo.coordinates]:
        yield float(point[0]), float(point[1])
