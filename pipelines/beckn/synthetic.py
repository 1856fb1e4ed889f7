"""A catalogue of the sandbox's own shape, for when it is gone. It lands with `origin = 'synthetic'`, once: it never changes.

Its windows have the sandbox's ids, so that real ones take their place, and no validity: nobody has promised them.
"""

from collections.abc import Collection
from datetime import datetime

from pydantic import JsonValue

PROVIDER = "synthetic-provider"
# item, name, grid area, grid zone, renewable %, gCO2/kWh, start, end, MW, reservation, locality, region, west, south, east, north
WINDOWS = (
    ("cambridge-morning-001", "Cambridge-East Morning Window", "Cambridge-East", "UK-EAST-1", 78, 125, "10:00:00Z",
     "14:00:00Z", 5, False, "Cambridge", "East England", 0.0, 52.0, 0.5, 52.5),
    ("manchester-afternoon-001", "Manchester Afternoon Window", "Manchester", "UK-NORTH-1", 74, 145, "14:00:00Z",
     "18:00:00Z", 4.5, False, "Manchester", "North West England", -2.5, 53.3, -2.0, 53.7),
    ("london-morning-001", "London South Morning Window", "London South", "UK-SOUTH-1", 68, 155, "08:00:00Z",
     "12:00:00Z", 6, False, "London", "South England", -0.2, 51.2, 0.2, 51.6),
    ("edinburgh-evening-001", "Edinburgh Evening Window", "Edinburgh", "UK-SCOT-2", 84, 112, "18:00:00Z", "22:00:00Z",
     5.5, True, "Edinburgh", "Scotland", -3.4, 55.8, -3.0, 56.1),
    ("bristol-midday-001", "Bristol Midday Window", "Bristol", "UK-SW-1", 66, 165, "11:00:00Z", "15:00:00Z", 4.5, False,
     "Bristol", "South West England", -2.8, 51.3, -2.4, 51.6),
    ("birmingham-morning-002", "Birmingham Morning Window", "Birmingham", "UK-MID-2", 70, 140, "07:00:00Z", "11:00:00Z",
     6, False, "Birmingham", "West Midlands", -1.8, 52.4, -1.3, 52.7),
    ("liverpool-evening-001", "Liverpool Evening Window", "Liverpool", "UK-NW-3", 80, 120, "17:00:00Z", "21:00:00Z", 5.5,
     True, "Liverpool", "North West England", -3.1, 53.3, -2.8, 53.6),
    ("glasgow-afternoon-002", "Glasgow Afternoon Window", "Glasgow", "UK-SCOT-4", 86, 108, "13:00:00Z", "17:00:00Z", 7,
     False, "Glasgow", "Scotland", -4.4, 55.7, -4.0, 56.0),
    ("leeds-night-001", "Leeds Night Window", "Leeds", "UK-YORK-2", 76, 128, "22:00:00Z", "02:00:00Z", 4, False, "Leeds",
     "Yorkshire", -1.7, 53.7, -1.2, 54.0),
)  # fmt: skip
PRICED = {"cambridge-morning-001": 0.1, "manchester-afternoon-001": 0.09}


def synthesize_catalogue(half_hours: Collection[datetime], now: datetime) -> JsonValue:
    """`on_discover`: nine windows, two of them with an offer, as the sandbox had."""
    catalog: dict[str, JsonValue] = {
        "@type": "beckn:Catalog",
        "beckn:id": "catalog-synthetic",
        "beckn:descriptor": {"@type": "beckn:Descriptor", "schema:name": "Synthetic grid flexibility windows"},
        "beckn:providerId": PROVIDER,
        "beckn:items": [_item(window) for window in WINDOWS],
        "beckn:offers": [_offer(item, price) for item, price in PRICED.items()],
    }
    return {"context": {"action": "on_discover", "version": "2.0.0"}, "message": {"catalogs": [catalog]}}


def _item(window: tuple[JsonValue, ...]) -> JsonValue:
    item, name, area, zone, renewable, carbon, start, end, capacity, reserved, locality, region, *box = window
    west, south, east, north = box
    ring: list[JsonValue] = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {
        "@type": "beckn:Item",
        "beckn:id": f"item-ce-{item}",
        "beckn:descriptor": {"@type": "beckn:Descriptor", "schema:name": name},
        "beckn:availableAt": [
            {
                "@type": "beckn:Location",
                "geo": {"type": "Polygon", "coordinates": [ring]},
                "address": {"addressLocality": locality, "addressRegion": region, "addressCountry": "GB"},
            }
        ],
        "beckn:provider": {"beckn:id": PROVIDER},
        "beckn:itemAttributes": {
            "@type": "beckn:ComputeEnergyWindow",
            "beckn:timeWindow": {"start": start, "end": end, "duration": "PT4H"},
            "beckn:capacityParameters": {
                "capacityUnit": "MW",
                "availableCapacity": capacity,
                "reservationRequired": reserved,
            },
            "beckn:gridParameters": {
                "gridArea": area,
                "gridZone": zone,
                "renewableMix": renewable,
                "carbonIntensity": carbon,
                "renewableMixUnit": "percent",
                "carbonIntensityUnit": "gCO2/kWh",
            },
        },
    }


def _offer(item: str, price: float) -> JsonValue:
    return {
        "@type": "beckn:Offer",
        "beckn:id": f"offer-ce-{item}",
        "beckn:items": [f"item-ce-{item}"],
        "beckn:price": {"value": price, "currency": "GBP"},
        "beckn:offerAttributes": {"beckn:unit": "per_kWh", "beckn:priceStability": "stable"},
    }
