"""What a test has changed: numbers of items, prices of offers."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from tests.emulator.beckn.catalogue import Node

Values = Mapping[str, Any]
PLACES = {
    "renewableMix": "beckn:gridParameters",
    "carbonIntensity": "beckn:gridParameters",
    "gridArea": "beckn:gridParameters",
    "gridZone": "beckn:gridParameters",
    "availableCapacity": "beckn:capacityParameters",
    "reservationRequired": "beckn:capacityParameters",
    "start": "beckn:timeWindow",
    "end": "beckn:timeWindow",
    "duration": "beckn:timeWindow",
}
_CLOCK = "%H:%M:%SZ"


def change_item(item: Node, values: Values) -> None:
    """Put the values where they belong; the duration follows the times unless it is given."""
    attributes = item["beckn:itemAttributes"]
    for name, value in values.items():
        attributes[PLACES[name]][name] = value
    if {"start", "end"} & set(values) and "duration" not in values:
        window = attributes["beckn:timeWindow"]
        window["duration"] = _duration(window["start"], window["end"]) or window["duration"]


def change_offer(offer: Node, values: Values) -> None:
    """Put `value` and `currency` into its price."""
    offer["beckn:price"].update(values)


def _duration(start: Any, end: Any) -> str | None:
    """Between two times of day, past midnight if need be; None for what is no time of day."""
    try:
        between = datetime.strptime(end, _CLOCK) - datetime.strptime(start, _CLOCK)
    except (TypeError, ValueError):
        return None
    minutes = (between % timedelta(days=1)) // timedelta(minutes=1)
    hours, minutes = divmod(minutes, 60)
    return f"PT{hours}H{minutes}M" if minutes else f"PT{hours}H"
