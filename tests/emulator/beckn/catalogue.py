"""The generated catalogue: the shape that the sandbox delivered, built from the table of windows."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from tests.emulator.beckn.windows import NORDIC_PRICES, NORDIC_WINDOWS, PRICES, WINDOWS, Price, Window

Node = dict[str, Any]
_SCHEMA = "https://raw.githubusercontent.com/beckn/protocol-specifications-new/refs/heads/draft/schema"
CORE = f"{_SCHEMA}/core/v2/context.jsonld"
COMPUTE_ENERGY = f"{_SCHEMA}/ComputeEnergy/v1/context.jsonld"
PROVIDER_ID = "gridflex-agent-uk"
OFFERS_PROVIDER_ID = "provider-gridflex-001"
DAY, NORDIC_DAY = date(2025, 11, 17), date(2025, 11, 18)


def windows() -> Node:
    """The catalogue: nine windows, two of them with an offer."""
    return _catalogue("001", "Grid Flexibility Windows - UK East", DAY, WINDOWS, PRICES)


def nordic() -> Node:
    """Another catalogue, of other countries, in another currency."""
    return _catalogue("002", "Grid Flexibility Windows - Nordic Region", NORDIC_DAY, NORDIC_WINDOWS, NORDIC_PRICES)


def item_id(key: str) -> str:
    """Of a window."""
    return f"item-ce-{key}"


def descriptor(name: str, short: str | None = None) -> Node:
    """What something is called."""
    short_desc = {} if short is None else {"beckn:shortDesc": short}
    return {"@type": "beckn:Descriptor", "schema:name": name, **short_desc}


def short_description(day: date) -> str:
    """Of a catalogue for a day."""
    return f"Available low-carbon compute windows for {day:%B} {day.day}, {day.year}"


def validity(day: date) -> Node:
    """A whole day."""
    return {
        "@type": "beckn:TimePeriod",
        "schema:startDate": f"{day}T00:00:00Z",
        "schema:endDate": f"{day}T23:59:59Z",
    }


def _catalogue(number: str, name: str, day: date, windows: Sequence[Window], prices: Sequence[Price]) -> Node:
    return {
        "@context": CORE,
        "@type": "beckn:Catalog",
        "beckn:id": f"catalog-ce-grid-windows-{number}",
        "beckn:descriptor": descriptor(name, short_description(day)),
        "beckn:providerId": PROVIDER_ID,
        "beckn:validity": validity(day),
        "beckn:items": [item(window) for window in windows],
        "beckn:offers": [offer(price) for price in prices],
    }


def item(window: Window) -> Node:
    """A window as an item."""
    return {
        "@context": CORE,
        "@type": "beckn:Item",
        "beckn:id": item_id(window.key),
        "beckn:descriptor": descriptor(window.name, f"Compute window of the {window.street}"),
        "beckn:availableAt": [
            {
                "@type": "beckn:Location",
                "geo": {"type": "Polygon", "coordinates": [ring(*window.box)]},
                "address": {
                    "streetAddress": window.street,
                    "addressLocality": window.locality,
                    "addressRegion": window.region,
                    "addressCountry": window.country,
                },
            }
        ],
        "beckn:rateable": False,
        "beckn:provider": {"beckn:id": PROVIDER_ID, "beckn:descriptor": descriptor("GridFlex Agent UK")},
        "beckn:itemAttributes": {
            "@context": COMPUTE_ENERGY,
            "@type": "beckn:ComputeEnergyWindow",
            "beckn:timeWindow": {"end": window.end, "start": window.start, "duration": window.duration},
            "beckn:capacityParameters": {
                "capacityUnit": "MW",
                "availableCapacity": window.capacity_mw,
                "reservationRequired": window.reservation,
            },
            "beckn:gridParameters": {
                "gridArea": window.area,
                "gridZone": window.zone,
                "renewableMix": window.renewable_pct,
                "carbonIntensity": window.carbon_gco2_kwh,
                "renewableMixUnit": "percent",
                "carbonIntensityUnit": "gCO2/kWh",
            },
        },
    }


def ring(west: float, south: float, east: float, north: float) -> list[list[float]]:
    """The outline of a box, longitude first, closed, anticlockwise."""
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def offer(price: Price) -> Node:
    """What a window costs, as an offer of its own provider."""
    return {
        "@type": "beckn:Offer",
        "@context": CORE,
        "beckn:id": f"offer-ce-{price.key}",
        "beckn:items": [item_id(price.key)],
        "beckn:price": {"value": price.per_kwh, "currency": price.currency},
        "beckn:provider": OFFERS_PROVIDER_ID,
        "beckn:descriptor": descriptor(price.name),
        "beckn:offerAttributes": {
            "@type": "beckn:ComputeEnergyPricing",
            "@context": COMPUTE_ENERGY,
            "beckn:unit": "per_kWh",
            "beckn:priceStability": price.stability,
        },
    }
